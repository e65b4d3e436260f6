"""The quantities of an order line, as pure rules.

Invariants, also held by CHECK constraints: delivered ≤ shipped, returned ≤ shipped, shipped ≤ packed,
packed − lost ≤ ordered − cancelled. Without them a unit could be shipped twice.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Line:
    """One order line and the progress of its units. `kind` is ship, ticket, booking or service."""

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

    def __init__(self, line: int, step: str, requested: int, left: int) -> None:
        super().__init__(f"line {line}: {requested} to be {step}, {left} left; take at most {left}")
        self.line, self.step, self.requested, self.left = line, step, requested, left


def pack(line: Line, quantity: int) -> Line:
    """Count units as packed into a parcel."""
    _check(line, "packed", quantity, line.left_to_pack)
    return replace(line, packed=line.packed + quantity)


def lose(line: Line, quantity: int) -> Line:
    """Count packed units that never arrived as lost; as many may be packed again."""
    _check(line, "lost", quantity, line.packed - line.lost - line.delivered)
    return replace(line, lost=line.lost + quantity)


def unpack(line: Line, quantity: int) -> Line:
    """Take packed units that have not left out of their parcel."""
    _check(line, "unpacked", quantity, line.packed - line.shipped)
    return replace(line, packed=line.packed - quantity)


def ship(line: Line, quantity: int) -> Line:
    """Count packed units as shipped."""
    _check(line, "shipped", quantity, line.packed - line.shipped)
    return replace(line, shipped=line.shipped + quantity)


def take_off(line: Line, quantity: int) -> Line:
    """Undo the dispatch of units that were recorded as shipped but had not left: their shipment is cancelled."""
    _check(line, "taken off a shipment", quantity, line.shipped - max(line.delivered, line.returned))
    return replace(line, shipped=line.shipped - quantity)


def deliver(line: Line, quantity: int) -> Line:
    """Count shipped units as delivered to the customer."""
    _check(line, "delivered", quantity, line.shipped - line.delivered)
    return replace(line, delivered=line.delivered + quantity)


def take_back(line: Line, quantity: int) -> Line:
    """Count shipped units as returned."""
    _check(line, "returned", quantity, line.shipped - line.returned)
    return replace(line, returned=line.returned + quantity)


def cancel(line: Line, quantity: int) -> Line:
    """Cancel units that are in no parcel and no longer wanted."""
    _check(line, "cancelled", quantity, line.left_to_pack)
    return replace(line, cancelled=line.cancelled + quantity)


def reinstate(line: Line, quantity: int) -> Line:
    """Reinstate cancelled units, which are wanted again."""
    _check(line, "reinstated", quantity, line.cancelled)
    return replace(line, cancelled=line.cancelled - quantity)


def extend(line: Line, quantity: int) -> Line:
    """Raise the ordered units."""
    return replace(line, ordered=line.ordered + quantity)


def _check(line: Line, step: str, requested: int, left: int) -> None:
    if requested > left:
        raise QuantityAboveLeft(line.line, step, requested, left)
