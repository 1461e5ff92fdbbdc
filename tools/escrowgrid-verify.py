#!/usr/bin/python3
"""Verifies exported escrowgrid records without PostgreSQL. It is written from docs/evidence.md alone.

usage: escrowgrid-verify.py DIRECTORY [KEPT_CHECKPOINT...]

DIRECTORY has a file NAME.copy for each table, as tools/escrowgrid-export.sh writes them: COPY in text format with
HEADER, TimeZone UTC. Prints a line for each discrepancy: position, seq, what, expected, found, separated by tabs. The
discrepancies have the names that escrow_verify() uses. The status is 1 if there was a discrepancy.

A KEPT_CHECKPOINT is a file with the text of escrow_checkpoint_export() that was kept elsewhere. Check its signature
first. The records must still have that checkpoint, and its Merkle root is computed again.
"""

import hashlib
import json
import re
import sys
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path

EDGES = {None: {"CREATED"}, "CREATED": {"FUNDED", "CANCELLED", "EXPIRED"},
         "FUNDED": {"PARTIALLY_RELEASED", "RELEASED", "CANCELLED", "EXPIRED"},
         "PARTIALLY_RELEASED": {"PARTIALLY_RELEASED", "RELEASED", "CANCELLED", "EXPIRED"},
         "RELEASED": set(), "CANCELLED": set(), "EXPIRED": set()}
HOLDING = ("FUNDED", "PARTIALLY_RELEASED")
ZERO_HASH = bytes(32)
NOTHING = Decimal(0)
IMPOSSIBLE = Decimal(-1)
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


# --- reading ---------------------------------------------------------------------------------------

def unescape(field):
    if field == "\\N":
        return None
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), field) if "\\" in field else field


def rows(directory, table):
    """Yields the rows of a table as dictionaries, in the order of the file."""
    path = directory / f"{table}.copy"
    with open(path, encoding="utf-8", newline="\n") as lines:
        names = next(lines).rstrip("\n").split("\t")
        for line in lines:
            yield dict(zip(names, map(unescape, line.rstrip("\n").split("\t"))))


def micros(text):
    """Microseconds since the Unix epoch of a timestamptz printed in UTC."""
    if text is None:
        return None
    six_decimals = re.sub(r"\.(\d+)", lambda m: "." + m[1].ljust(6, "0"), text)
    at = datetime.fromisoformat(re.sub(r"\+00$", "+00:00", six_decimals))
    delta = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds


def amount(text):
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return IMPOSSIBLE
    fits = value.is_finite() and abs(value) <= 10**15 and value == value.quantize(Decimal("1e-8"))
    return value if fits else IMPOSSIBLE


def data(text):
    return None if text is None else bytes.fromhex(text[2:])


# --- the bytes that docs/evidence.md defines -------------------------------------------------------

def field(value):
    """A value as its length and its bytes. Text is UTF-8, an int is an int64, a Decimal is its canonical text."""
    if value is None:
        return b"\xff\xff\xff\xff"
    if isinstance(value, int):
        value = value.to_bytes(8, "big", signed=True)
    elif isinstance(value, Decimal):
        value = canonical(value).encode()
    elif isinstance(value, str):
        value = value.encode()
    return len(value).to_bytes(4, "big") + value


def canonical(value):
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def sha256(data_):
    return hashlib.sha256(data_).digest()


def content_digest(event):
    if event["reason"] is None and event["metadata"] is None:
        return data(event.get("content_digest"))
    return sha256((data(event["salt"]) or bytes(16)) + field(event["reason"]) + field(event["metadata"]))


def event_hash(position, event, previous):
    parts = [b"\x01", previous, field(event["position_id"]), field(int(event["seq"])), field(event["from_state"]),
             field(event["to_state"]), field(amount(event["amount"])), field(micros(event["at"])),
             field(event["api_key_id"]), field(content_digest(event))]
    if event["from_state"] is None:
        parts += [field(position[name]) for name in ("institution_id", "asset_id", "holder_reference", "currency")]
        parts += [field(amount(position["amount"])), field(position["external_reference"]),
                  field(micros(position["expires_at"]))]
    return sha256(b"".join(parts))


def merkle_root(leaves):
    """RFC 9162, section 2.1.1."""
    if not leaves:
        return sha256(b"")
    while len(leaves) > 1:
        paired = [sha256(b"\x01" + leaves[i] + leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = paired + leaves[len(paired) * 2:]
    return leaves[0]


def inclusion_holds(leaf, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return False
    at, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at % 2 == 1 or at == last:
            node = sha256(b"\x01" + sibling + node)
            while at % 2 == 0 and at != 0:
                at, last = at // 2, last // 2
        else:
            node = sha256(b"\x01" + node + sibling)
        at, last = at // 2, last // 2
    return last == 0 and node == root


def checkpoint_leaf(position_id, version, head_hash):
    return sha256(b"\x00" + field(position_id) + field(version) + field(head_hash))


def checkpoint_text(row):
    return (f"escrowgrid checkpoint 1\nid {row['id']}\nnumber {row['number']}\npositions {row['position_count']}\n"
            f"root {row['root_hash'][2:]}\nprevious {row['previous_hash'][2:]}\nat {micros(row['created_at'])}\n")


# --- one position ----------------------------------------------------------------------------------

def check_events(position, events, report):
    """Checks the events of a position. Returns what they say the position's row should contain."""
    whole = amount(position["amount"])
    seq, state, released, refunded, first, last, previous = 0, None, NOTHING, NOTHING, 0, 0, ZERO_HASH
    for event in events:
        number, to, moved = int(event["seq"]), event["to_state"], amount(event["amount"])
        say = lambda what, expected, found, at=number: report(position["id"], at, what, expected, found)
        if number <= seq:
            say("event_duplicate", seq + 1, number)
            continue
        if number != seq + 1:
            say("event_missing", seq + 1, number, seq + 1)
            previous = None
        if event["institution_id"] != position["institution_id"]:
            say("event_institution", position["institution_id"], event["institution_id"])
        if micros(event["at"]) < last:
            say("event_time", last, micros(event["at"]))
        if event["created_at"] != event["at"]:
            say("event_time", event["at"], event["created_at"])
        has_content = event["reason"] is not None or event["metadata"] is not None
        if has_content and event["salt"] is None:
            say("event_content", "a salt", None)
        if event.get("content_digest") is not None and (has_content or event["salt"] is not None):
            say("event_content", "nothing beside the digest", "content")
        if event["from_state"] != state:
            say("event_from_state", state, event["from_state"])
        if to in EDGES:
            if to not in EDGES.get(event["from_state"], {"CREATED"}):
                say("event_to_state", sorted(EDGES.get(event["from_state"], ())), to)
            held = whole - released - refunded if state in HOLDING else NOTHING
            if to == "PARTIALLY_RELEASED":
                fits = moved is None or NOTHING < moved < held
            else:
                fits = moved == {"CREATED": NOTHING, "FUNDED": whole}.get(to, held)
            if not fits:
                say("event_amount", held, moved)
            if to in ("PARTIALLY_RELEASED", "RELEASED"):
                released += moved or NOTHING
            elif to in ("CANCELLED", "EXPIRED"):
                refunded += moved or NOTHING
            state = to
        else:
            say("event_to_state", "a state", to)
        known = to in EDGES and (event["from_state"] is None or event["from_state"] in EDGES)
        if previous is not None and known and event_hash(position, event, previous) != data(event["hash"]):
            say("event_hash", event_hash(position, event, previous).hex(), event["hash"])
        first = micros(event["at"]) if seq == 0 else first
        seq, last, previous = number, micros(event["at"]), data(event["hash"])
    return seq, state, released, refunded, first, last, previous


def check_position(position, events, report):
    seq, state, released, refunded, first, last, previous = check_events(position, events, report)
    say = lambda what, expected, found: report(position["id"], None, what, expected, found)
    version = int(position["version"])
    if version > seq:
        report(position["id"], seq + 1, "event_missing", version, seq)
    elif version < seq:
        say("position_version", seq, version)
    ended = state in EDGES and not EDGES[state]
    wanted = {"state": state, "released_amount": released, "refunded_amount": refunded, "created_at": first,
              "updated_at": last, "due_at": None if ended else micros(position["expires_at"])}
    found = {"state": position["state"], "released_amount": amount(position["released_amount"]),
             "refunded_amount": amount(position["refunded_amount"]), "created_at": micros(position["created_at"]),
             "updated_at": micros(position["updated_at"]), "due_at": micros(position["due_at"])}
    for name, value in wanted.items():
        if found[name] != value:
            say("position_" + name, value, found[name])
    if previous is not None and data(position["head_hash"]) != previous:
        say("position_head_hash", previous.hex(), position["head_hash"])


# --- the whole export ------------------------------------------------------------------------------

def number(value):
    return None if value is None else amount(value)


def wanted_records(position, events):
    """Yields for each event what its ledger row and its audit row must contain."""
    released = refunded = NOTHING
    for event in events:
        moved, seq = number(event["amount"]), int(event["seq"])
        if event["to_state"] in ("PARTIALLY_RELEASED", "RELEASED"):
            released += moved or NOTHING
        if event["to_state"] in ("CANCELLED", "EXPIRED"):
            refunded += moved or NOTHING
        whole, currency = number(position.get("amount")), position.get("currency")
        same = [event["position_id"], event["institution_id"]]
        if seq == 1:
            ledger = {"eventId": event["id"], "seq": Decimal(seq), "assetId": position.get("asset_id"),
                      "holderReference": position.get("holder_reference"), "amount": whole, "currency": currency}
            audit = {"eventId": event["id"], "institutionId": event["institution_id"],
                     "assetId": position.get("asset_id"), "amount": whole, "currency": currency}
        else:
            ledger = {"eventId": event["id"], "seq": Decimal(seq), "amount": moved, "releasedAmount": released,
                      "refundedAmount": refunded, "currency": currency}
            audit = {"eventId": event["id"], "fromState": event["from_state"], "toState": event["to_state"],
                     "amount": moved, "currency": currency}
        yield (event["id"], event["position_id"], seq,
               ["POSITION_CREATED" if seq == 1 else "POSITION_STATE_CHANGED", *same, event["at"], event["at"],
                event["from_state"], event["to_state"], ledger],
               ["POSITION_CREATED" if seq == 1 else "POSITION_TRANSITIONED", *same, event["api_key_id"], event["at"],
                event["at"], "201" if seq == 1 else "200", audit])


def parse(payload):
    value = json.loads(payload, parse_float=Decimal, parse_int=Decimal) if payload is not None else None
    return value if isinstance(value, dict) else {}


def found_records(records):
    """Maps rows by the event they name. If several rows name an event, the first one by id counts. Others are extra."""
    by_event, extra = {}, []
    for row, said in sorted(records, key=lambda record: record[0]["id"]):
        event_id = parse(row["payload"]).get("eventId")
        if event_id is None or event_id in by_event:
            extra.append(row)
        else:
            by_event[event_id] = (row, said)
    return by_event, extra


def check_records(kind, place, wanted, records, report):
    by_event, extra = found_records(records)
    for event_id, position_id, seq, expected in wanted:
        row, said = by_event.pop(event_id, (None, None))
        if row is None:
            report(position_id, seq, kind + "_missing", expected, None)
        elif said != expected:
            report(position_id, seq, kind + "_mismatch", expected, said)
    for row in [pair[0] for pair in by_event.values()] + extra:
        report(row[place], None, kind + "_extra", None, row["id"])


class Export:
    def __init__(self, directory):
        table = lambda name: list(rows(directory, name))
        self.positions = {row["id"]: row for row in rows(directory, "positions")}
        self.events = {}
        for event in rows(directory, "position_events"):
            self.events.setdefault(event["position_id"], []).append(event)
        for events in self.events.values():
            events.sort(key=lambda event: (int(event["seq"]), event["id"]))
        self.ledger, self.audit = table("ledger_events"), table("audit_events")
        self.checkpoints = sorted(rows(directory, "checkpoints"), key=lambda row: int(row["number"]))
        self.heads = table("checkpoint_heads")
        self.parents = {name: table(name) for name in
                        ("assets", "asset_templates", "institutions", "api_keys", "institution_policies")}
        self.institutions = {row["id"]: micros(row["created_at"]) for row in self.parents["institutions"]}
        self.purged, self.buried = {}, set()
        for row in self.audit:
            if row["action"] == "INSTITUTION_PURGED":
                self.purged.setdefault(row["institution_id"], []).append(micros(row["occurred_at"]))
                self.buried.update(head["positionId"] for head in parse(row["payload"]).get("heads", ()))

    def heads_at(self, last):
        """The heads that a checkpoint's root is computed from, ordered by id."""
        newest = {}
        for row in self.heads:
            if int(row["checkpoint_number"]) <= last:
                known = newest.get(row["position_id"])
                if known is None or int(known["checkpoint_number"]) < int(row["checkpoint_number"]):
                    newest[row["position_id"]] = row
        return [row for _, row in sorted(newest.items()) if row["version"] is not None]

    def root_at(self, last):
        return merkle_root([checkpoint_leaf(row["position_id"], int(row["version"]), data(row["head_hash"]))
                            for row in self.heads_at(last)])

    def check(self, report):
        wanted = []
        for position_id in sorted(self.positions.keys() | self.events.keys()):
            position, events = self.positions.get(position_id), self.events.get(position_id, [])
            wanted += wanted_records(position or {}, events)
            if position is None:
                for event in events:
                    report(position_id, int(event["seq"]), "position_missing", "a position", None)
            else:
                check_position(position, events, report)
        wanted_ledger = [(event_id, position_id, seq, ledger) for event_id, position_id, seq, ledger, _ in wanted]
        wanted_audit = [(event_id, position_id, seq, audit) for event_id, position_id, seq, _, audit in wanted]
        check_records("ledger", "position_id", wanted_ledger, self.ledger_records(), report)
        check_records("audit", "resource_id", wanted_audit, self.audit_records(), report)
        self.check_references(report)
        self.check_erasures(report)
        self.check_heads(report)
        self.check_checkpoints(report)

    def ledger_records(self):
        for row in self.ledger:
            if row["kind"] in ("POSITION_CREATED", "POSITION_STATE_CHANGED"):
                yield row, [row["kind"], row["position_id"], row["institution_id"], row["at"], row["created_at"],
                            row["previous_state"], row["new_state"], parse(row["payload"])]

    def audit_records(self):
        for row in self.audit:
            if row["action"] in ("POSITION_CREATED", "POSITION_TRANSITIONED") and row["outcome"] == "success" \
                    and not self.went_with_its_institution(row):
                payload = {key: value for key, value in parse(row["payload"]).items() if key != "traceparent"}
                yield row, [row["action"], row["resource_id"], row["institution_id"], row["api_key_id"],
                            row["occurred_at"], row["created_at"], row["status_code"], payload]

    def went_with_its_institution(self, row):
        """Whether the row's institution was purged after the row was written.

        If an institution with that id exists, the purge counts only if the institution was created after the purge.
        """
        there_since = self.institutions.get(row["institution_id"])
        return any(at >= micros(row["occurred_at"]) and (there_since is None or there_since > at)
                   for at in self.purged.get(row["institution_id"], ()))

    def check_references(self, report):
        keys = lambda table: {(row["institution_id"], row["id"]) for row in self.parents[table]}
        assets, templates = keys("assets"), keys("asset_templates")
        for row in self.positions.values():
            if (row["institution_id"], row["asset_id"]) not in assets:
                report(row["id"], None, "reference_missing", row["asset_id"], None)
        for row in self.parents["assets"]:
            if (row["institution_id"], row["template_id"]) not in templates:
                report(None, None, "reference_missing", row["template_id"], row["id"])
        for table in ("asset_templates", "api_keys", "institution_policies"):
            for row in self.parents[table]:
                if row["institution_id"] not in self.institutions:
                    report(None, None, "reference_missing", row["institution_id"], row["id"])

    def check_erasures(self, report):
        recorded = {(row["resource_id"], row["institution_id"]) for row in self.audit
                    if row["action"] == "EVENT_REDACTED"}
        for events in self.events.values():
            for event in events:
                if event["content_digest"] is not None and (event["id"], event["institution_id"]) not in recorded:
                    report(event["position_id"], int(event["seq"]), "erasure_unrecorded", "EVENT_REDACTED", None)

    def check_heads(self, report):
        hashes = {}  # several for one seq only if the unique constraint was dropped
        for events in self.events.values():
            for event in events:
                hashes.setdefault((event["position_id"], event["seq"]), []).append(event["hash"])
        numbers = {row["number"] for row in self.checkpoints}
        for row in self.heads:
            position = self.positions.get(row["position_id"])
            if row["version"] is not None and position is None:
                if row["position_id"] not in self.buried:
                    seq = int(row["version"])
                    report(row["position_id"], seq, "checkpoint_position_missing", row["head_hash"], None)
            elif row["version"] is not None:
                for found in hashes.get((row["position_id"], row["version"]), [None]):
                    if found != row["head_hash"] or int(position["version"]) < int(row["version"]):
                        report(row["position_id"], int(row["version"]), "checkpoint_head", row["head_hash"], found)
            if row["checkpoint_number"] not in numbers:
                seq = None if row["version"] is None else int(row["version"])
                report(row["position_id"], seq, "checkpoint_unknown", row["checkpoint_number"], None)

    def check_checkpoints(self, report):
        count, previous = 0, ZERO_HASH
        for row in self.checkpoints:
            count += 1
            if int(row["number"]) != count or data(row["previous_hash"]) != previous:
                report(None, None, "checkpoint_link", previous.hex(), row["previous_hash"])
                count = int(row["number"])
            if sha256(checkpoint_text(row).encode()) != data(row["hash"]):
                report(None, None, "checkpoint_hash", sha256(checkpoint_text(row).encode()).hex(), row["hash"])
            previous = data(row["hash"])
        if self.checkpoints:
            last = self.checkpoints[-1]
            root, size = self.root_at(int(last["number"])), len(self.heads_at(int(last["number"])))
            if root != data(last["root_hash"]) or size != int(last["position_count"]):
                report(None, None, "checkpoint_root", last["root_hash"], root.hex())

    def check_kept(self, text, report):
        """Checks that the records have a checkpoint that was kept elsewhere, and that the heads still give its root."""
        said = dict(line.split(" ", 1) for line in text.splitlines()[1:])
        found = [row for row in self.checkpoints if row["id"] == said.get("id")]
        if not found or checkpoint_text(found[0]) != text:
            report(None, None, "kept_checkpoint", said.get("id"), checkpoint_text(found[0]) if found else None)
        elif self.root_at(int(said["number"])).hex() != said["root"]:
            report(None, None, "kept_checkpoint_root", said["root"], self.root_at(int(said["number"])).hex())


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    count = 0

    def report(*columns):
        nonlocal count
        count += 1
        print("\t".join("" if column is None else str(column).replace("\n", "\\n") for column in columns))

    export = Export(Path(sys.argv[1]))
    export.check(report)
    for kept in sys.argv[2:]:
        export.check_kept(Path(kept).read_text(encoding="utf-8"), report)
    print(f"{len(export.positions)} positions, {sum(map(len, export.events.values()))} events, "
          f"{len(export.checkpoints)} checkpoints: {count} discrepancies", file=sys.stderr)
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
