"""A reference model of a position. It is written from the documentation and shares no code with the extension.

decide() gives what a request makes of a position in a given state: the position afterwards, or the SQLSTATE of the
refusal. Its checks are in the documented order.
"""

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Optional

STATES = ("CREATED", "FUNDED", "PARTIALLY_RELEASED", "RELEASED", "CANCELLED", "EXPIRED")
HELD = ("FUNDED", "PARTIALLY_RELEASED")
EDGES = {
    "CREATED": ("FUNDED", "CANCELLED", "EXPIRED"),
    "FUNDED": ("PARTIALLY_RELEASED", "RELEASED", "CANCELLED", "EXPIRED"),
    "PARTIALLY_RELEASED": ("PARTIALLY_RELEASED", "RELEASED", "CANCELLED", "EXPIRED"),
}
EXPONENTS = {"USD": 2, "JPY": 0, "BHD": 3}
MAX_AMOUNT = Decimal(10) ** 15


@dataclass(frozen=True)
class Position:
    currency: str
    amount: Decimal
    state: str = "CREATED"
    released: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    version: int = 1

    @property
    def held(self):
        return self.amount - self.released - self.refunded if self.state in HELD else Decimal(0)


@dataclass(frozen=True)
class Refused:
    sqlstate: str
    by_state: bool  # whether the refusal depends on the position's state


def decimals(value):
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent)


def check_amount(text) -> Optional[Refused]:
    """The refusal of an amount that no position could accept, or None."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return Refused("ZE301", False)
    if not value.is_finite() or value > MAX_AMOUNT or value <= 0 or decimals(value) > 8:
        return Refused("ZE301", False)
    return None


def check_metadata(metadata) -> Optional[Refused]:
    return None if metadata is None or metadata.startswith("{") else Refused("ZE001", False)


def check_request(request) -> Optional[Refused]:
    """The refusal of a transition for which the position does not matter, or None."""
    if request["to_state"] not in STATES:
        return Refused("ZE001", False)
    if request.get("expected_state") is not None and request["expected_state"] not in STATES:
        return Refused("ZE001", False)
    if request.get("amount") is not None:
        refused = check_amount(request["amount"])
        if refused:
            return refused
    if request.get("expected_version") is not None and request["expected_version"] < 1:
        return Refused("ZE001", False)
    if request.get("reason") is not None and not request["reason"].strip():
        return Refused("ZE001", False)
    return check_metadata(request.get("metadata"))


def decide(position: Position, request, expired: bool):
    """The position after the request, or Refused."""
    refused = check_request(request)
    if refused:
        return refused
    expected_state = request.get("expected_state")
    expected_version = request.get("expected_version")
    if expected_state is not None and expected_state != position.state:
        return Refused("ZE102", True)
    if expected_version is not None and expected_version != position.version:
        return Refused("ZE102", True)
    to_state = request["to_state"]
    if to_state not in EDGES.get(position.state, ()):
        return Refused("ZE101", True)
    if expired and to_state not in ("EXPIRED", "CANCELLED"):
        return Refused("ZE103", True)
    amount = None if request.get("amount") is None else Decimal(request["amount"])
    if amount is not None:
        if decimals(amount) > EXPONENTS[position.currency]:
            return Refused("ZE301", True)
        if to_state == "PARTIALLY_RELEASED":
            if amount >= position.held:
                return Refused("ZE302", True)
        else:
            whole = position.amount if to_state == "FUNDED" else position.held
            if amount != whole:
                too_much = position.state in HELD and amount > whole
                return Refused("ZE302" if too_much else "ZE301", True)
    after = replace(position, state=to_state, version=position.version + 1)
    if to_state == "PARTIALLY_RELEASED":
        return replace(after, released=position.released + (amount or 0))
    if to_state == "RELEASED":
        return replace(after, released=position.released + position.held)
    if to_state in ("CANCELLED", "EXPIRED"):
        return replace(after, refunded=position.refunded + position.held)
    return after


def moved(before: Position, after: Position, request):
    """The amount of the event: what was moved, or None for a partial release without an amount."""
    if after.state == "FUNDED":
        return after.amount
    if after.state == "PARTIALLY_RELEASED":
        return None if request.get("amount") is None else Decimal(request["amount"])
    return after.released - before.released + after.refunded - before.refunded


def create(request):
    """The position that a creation makes, or Refused."""
    if request["asset_id"] is None:
        return Refused("ZE001", False)
    if request["holder_reference"] is None or not request["holder_reference"].strip():
        return Refused("ZE001", False)
    if request["currency"] is None:
        return Refused("ZE001", False)
    refused = check_metadata(request.get("metadata"))
    if refused:
        return refused
    if request["amount"] is None:
        return Refused("ZE001", False)
    refused = check_amount(request["amount"])
    if refused:
        return refused
    if request["asset_id"] == "ast_nobody":
        return Refused("ZE002", False)
    if request["currency"] not in EXPONENTS:
        return Refused("ZE001", False)
    amount = Decimal(request["amount"])
    if decimals(amount) > EXPONENTS[request["currency"]]:
        return Refused("ZE301", False)
    return Position(request["currency"], amount)
