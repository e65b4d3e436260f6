"""The quantities of an order line, as pure rules.

Invariants, also held by CHECK constraints: delivered ≤ shipped, returned ≤ shipped, shipped ≤ packed,
packed − lost ≤ ordered − cancelled. Without them a line could leave the house twice.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Line:
    """One order line and how far its units are. `kind` is ship, ticket, booking or service."""

    line: int
    kind: str
    sku: str | None
    ordered: int
    cancelled: int = 0
    packed: int = 0
    lost: int = 0
    shipped: int = 0
    delivered: int = 0
    returned: int = 0

    @property
    def is_goods(self) -> bool:
        return self.kind == "ship"

    @property
    def left_to_pack(self) -> int:
        return self.ordered - self.cancelled - (self.packed - self.lost)


class QuantityAboveLeft(Exception):
    """More units were to go a step further than are left before that step."""

    def __init__(self, line: int, step: str, asked: int, left: int) -> None:
        super().__init__(f"line {line}: {asked} to be {step}, {left} left; take at most {left}")
        self.line, self.step, self.asked, self.left = line, step, asked, left


def pack(line: Line, quantity: int) -> Line:
    """Units went into a parcel."""
    _check(line, "packed", quantity, line.left_to_pack)
    return replace(line, packed=line.packed + quantity)


def lose(line: Line, quantity: int) -> Line:
    """Packed units that never arrived were lost; as many may be packed again."""
    _check(line, "lost", quantity, line.packed - line.lost - line.delivered)
    return replace(line, lost=line.lost + quantity)


def unpack(line: Line, quantity: int) -> Line:
    """Packed units that have not left were taken out of their parcel."""
    _check(line, "unpacked", quantity, line.packed - line.shipped)
    return replace(line, packed=line.packed - quantity)


def ship(line: Line, quantity: int) -> Line:
    """Packed units left."""
    _check(line, "shipped", quantity, line.packed - line.shipped)
    return replace(line, shipped=line.shipped + quantity)


def take_off(line: Line, quantity: int) -> Line:
    """Units that were said to have left had not: their shipment is cancelled."""
    _check(line, "taken off a shipment", quantity, line.shipped - max(line.delivered, line.returned))
    return replace(line, shipped=line.shipped - quantity)


def deliver(line: Line, quantity: int) -> Line:
    """Shipped units reached the customer."""
    _check(line, "delivered", quantity, line.shipped - line.delivered)
    return replace(line, delivered=line.delivered + quantity)


def take_back(line: Line, quantity: int) -> Line:
    """Shipped units came back."""
    _check(line, "returned", quantity, line.shipped - line.returned)
    return replace(line, returned=line.returned + quantity)


def cancel(line: Line, quantity: int) -> Line:
    """Units that are in no parcel are no longer wanted."""
    _check(line, "cancelled", quantity, line.left_to_pack)
    return replace(line, cancelled=line.cancelled + quantity)


def reinstate(line: Line, quantity: int) -> Line:
    """Cancelled units are wanted again."""
    _check(line, "reinstated", quantity, line.cancelled)
    return replace(line, cancelled=line.cancelled - quantity)


def extend(line: Line, quantity: int) -> Line:
    """More units were ordered."""
    return replace(line, ordered=line.ordered + quantity)


def _check(line: Line, step: str, asked: int, left: int) -> None:
    if asked > left:
        raise QuantityAboveLeft(line.line, step, asked, left)
