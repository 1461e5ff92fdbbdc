#!/usr/bin/env python3
"""check-meta.py VERSION: checks META.json by the PGXN Meta Spec 1.0.0: required fields, their types and known words, and
that it is at VERSION. Prints what is wrong and exits with 1 if anything is.
"""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = ("abstract", "license", "maintainer", "meta-spec", "name", "provides", "version")
OPTIONAL = ("description", "generated_by", "no_index", "prereqs", "release_status", "resources", "tags")
LICENSES = """agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1
lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted
unknown""".split()
PHASES = ("configure", "build", "test", "runtime", "develop")
RELATIONS = ("requires", "recommends", "suggests", "conflicts")
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
TERM = re.compile(r"[^\s/\\\x00-\x1f]{2,}")


def is_text(value):
    return isinstance(value, str) and value != ""


def as_list(value):
    return value if isinstance(value, list) else [value]


def is_semver(value):
    return is_text(value) and SEMVER.fullmatch(value) is not None


def is_version_range(value):
    parts = [value] if isinstance(value, (int, float)) else str(value).split(",")
    return all(p == 0 or re.fullmatch(r"\s*(<=|>=|==|!=|<|>)?\s*[0-9][0-9A-Za-z.+-]*\s*", str(p)) for p in parts)


def provided_faults(name, extension):
    if not TERM.fullmatch(name):
        yield f"provides: {name!r} is not a name"
    if not isinstance(extension, dict):
        yield f"provides.{name} is not an object"
        return
    if not is_semver(extension.get("version")):
        yield f"provides.{name}.version is not a semantic version"
    for key in ("file", "docfile"):
        path = extension.get(key)
        if path is None and key == "docfile":
            continue
        if not is_text(path) or not (ROOT / path).is_file():
            yield f"provides.{name}.{key} names no file of the tree: {path!r}"


def prereq_faults(prereqs):
    for phase, relations in prereqs.items():
        if phase not in PHASES:
            yield f"prereqs.{phase} is not a phase"
        for relation, needed in relations.items():
            if relation not in RELATIONS:
                yield f"prereqs.{phase}.{relation} is not a relation"
            for name, versions in needed.items():
                if not TERM.fullmatch(name) or not is_version_range(versions):
                    yield f"prereqs.{phase}.{relation}: {name!r} {versions!r} is not a name with a range of versions"


def faults(meta, version):
    for key in REQUIRED:
        if key not in meta:
            yield f"the required field {key!r} is missing"
    for key in meta:
        if key not in REQUIRED + OPTIONAL and not key.lower().startswith("x_"):
            yield f"the field {key!r} is not in the specification"
    for key in ("abstract", "description", "generated_by"):
        if key in meta and not is_text(meta[key]):
            yield f"{key} is not a text"
    if not all(is_text(name) for name in as_list(meta.get("maintainer", "-"))):
        yield "maintainer is neither a text nor a list of texts"
    if not TERM.fullmatch(str(meta.get("name", ""))):
        yield "name is not a name of at least two characters without spaces and slashes"
    if meta.get("version") != version or not is_semver(meta.get("version")):
        yield f"version is {meta.get('version')!r}, not {version!r}"
    known = meta.get("license", [])
    if not isinstance(known, dict) and not all(name in LICENSES for name in as_list(known)):
        yield f"license {known!r} is not a known word"
    if meta.get("meta-spec", {}).get("version") != "1.0.0":
        yield "meta-spec.version is not 1.0.0"
    if meta.get("release_status", "stable") not in ("stable", "testing", "unstable"):
        yield f"release_status {meta['release_status']!r} is none of stable, testing and unstable"
    if not meta.get("provides"):
        yield "provides names no extension"
    for name, extension in meta.get("provides", {}).items():
        yield from provided_faults(name, extension)
        if name == meta.get("name") and isinstance(extension, dict) and extension.get("version") != version:
            yield f"provides.{name}.version is {extension.get('version')!r}, not {version!r}"
    yield from prereq_faults(meta.get("prereqs", {}))
    if not all(is_text(tag) and len(tag) <= 256 for tag in meta.get("tags", [])):
        yield "tags are not all texts of 1 to 256 characters"


def main():
    try:
        meta = json.loads((ROOT / "META.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"META.json cannot be read: {error}")
        return 1
    found = list(faults(meta, sys.argv[1]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
