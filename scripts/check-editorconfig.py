#!/usr/bin/env python3
"""Compares every file of the tree with .editorconfig. Prints what differs and exits with 1 if anything does.

Of the indentation only one thing is checked: in a file that is indented by spaces no line begins with a tab.
"""
import re
import subprocess
import sys
from pathlib import Path

import editorconfig

ROOT = Path(__file__).resolve().parent.parent
BUILT = re.compile(r"^(\.git|build|results)/|(^|/)(__pycache__|regression\.[^/]*)(/|$)|\.(o|so|d|pyc)$")


def all_names():
    """What git knows or would add; without git, every file."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
        return [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        return [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")]


def files():
    return [name for name in sorted(all_names()) if (ROOT / name).is_file() and not BUILT.search(name)]


def may_be_long(name, line, is_code):
    """Tables, blocks of code and links cannot be broken."""
    return name.endswith(".md") and (is_code or line.startswith(("|", "    ")))


def line_faults(name, text, properties):
    most = properties.get("max_line_length", "off")
    is_code = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            is_code = not is_code
        if properties.get("trim_trailing_whitespace") == "true" and line != line.rstrip():
            yield number, "ends with white space"
        if properties.get("indent_style") == "space" and re.match(r" *\t", line):
            yield number, "is indented by a tab"
        if most.isdigit() and len(line) > int(most) and not may_be_long(name, line, is_code):
            yield number, f"has {len(line)} columns, more than {most}"


def faults(name):
    properties = editorconfig.get_properties(str(ROOT / name))
    content = (ROOT / name).read_bytes()
    if properties.get("charset") != "utf-8":
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        yield 0, f"is not UTF-8: {error}"
        return
    if properties.get("end_of_line") == "lf" and "\r" in text:
        yield 0, "has carriage returns"
    if properties.get("insert_final_newline") == "true" and text and not text.endswith("\n"):
        yield 0, "does not end with a newline"
    if properties.get("insert_final_newline") == "true" and text.endswith("\n\n"):
        yield 0, "ends with an empty line"
    yield from line_faults(name, text, properties)


def main():
    count = 0
    for name in files():
        for number, fault in faults(name):
            count += 1
            print(f"{name}:{number}: {fault}" if number else f"{name}: {fault}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
