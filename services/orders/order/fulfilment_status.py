"""Fulfillment status of an order: sums over its lines, one status, and the units still to pack and ship.

Invariant: all values here are a pure function of fulfillment's position. The status is a summary for people;
the queues «À emballer» and «À expédier» use `to_pack` and `to_ship`, which cannot be derived from a status.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from contracts.sale import LineKind


class FulfilmentStatus(StrEnum):
    """The highest stage any unit reached; `partially_` when some needed unit has not reached it."""

    NOT_REQUIRED = "not_required"
    UNFULFILLED = "unfulfilled"
    PARTIALLY_PACKED = "partially_packed"
    PACKED = "packed"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    PARTIALLY_RETURNED = "partially_returned"
    RETURNED = "returned"


class LineQuantities(Protocol):
    """Quantities of one line, as in fulfillment's position."""

    @property
    def kind(self) -> LineKind: ...
    @property
    def ordered(self) -> int: ...
    @property
    def cancelled(self) -> int: ...
    @property
    def packed(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def shipped(self) -> int: ...
    @property
    def delivered(self) -> int: ...
    @property
    def returned(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Quantities:
    """Units summed over lines.

    The plain names count goods (`ship` lines); `other_…` counts tickets, bookings and services, whose
    `finished` units were issued, honoured or done. `finished` goods are delivered ones, counted per line up
    to the quantity the line needs, so that one line's surplus never makes up for another's shortage.
    """

    ordered: int = 0
    needed: int = 0
    packed: int = 0
    lost: int = 0
    shipped: int = 0
    delivered: int = 0
    returned: int = 0
    other_ordered: int = 0
    other_needed: int = 0
    other_finished: int = 0

    @property
    def all_finished(self) -> bool:
        """Return whether at least one unit was needed and all needed units reached the customer."""
        return (
            self.needed + self.other_needed > 0
            and self.delivered >= self.needed
            and self.other_finished >= self.other_needed
        )

    @property
    def all_cancelled(self) -> bool:
        """Return whether units were ordered and none is needed any more."""
        return self.ordered + self.other_ordered > 0 and self.needed + self.other_needed == 0

    @property
    def to_pack(self) -> int:
        """Return the units still to be packed; a lost unit is packed again."""
        return max(0, self.needed - self.packed + self.lost)

    @property
    def to_ship(self) -> int:
        """Return the packed units that have not left yet."""
        return max(0, self.packed - self.shipped)

    @property
    def in_parcels(self) -> int:
        """Return the units in parcels, whether still here, in transit or delivered."""
        return self.packed - self.lost


NOTHING_DONE = Quantities()
"""Quantities without any units."""


def sum_lines(lines: Iterable[LineQuantities]) -> Quantities:
    """Return the sums over an order's lines."""
    ordered = needed = packed = lost = shipped = delivered = returned = 0
    other_ordered = other_needed = other_finished = 0
    for line in lines:
        need = line.ordered - line.cancelled
        finished = min(line.delivered, need)
        if line.kind is LineKind.SHIP:
            ordered, needed, delivered = ordered + line.ordered, needed + need, delivered + finished
            packed, lost = packed + line.packed, lost + line.lost
            shipped, returned = shipped + line.shipped, returned + line.returned
        else:
            other_ordered, other_needed = other_ordered + line.ordered, other_needed + need
            other_finished += finished
    return Quantities(
        ordered,
        needed,
        packed,
        lost,
        shipped,
        delivered,
        returned,
        other_ordered,
        other_needed,
        other_finished,
    )


def fulfilment_status(units: Quantities) -> FulfilmentStatus:
    """Return the status of an order's goods; `not_required` when it has none, or none any more."""
    if units.needed <= 0 and units.shipped <= 0:
        return FulfilmentStatus.NOT_REQUIRED
    for reached, partial, whole in (
        (units.returned, FulfilmentStatus.PARTIALLY_RETURNED, FulfilmentStatus.RETURNED),
        (units.delivered, FulfilmentStatus.PARTIALLY_DELIVERED, FulfilmentStatus.DELIVERED),
        (units.shipped, FulfilmentStatus.PARTIALLY_SHIPPED, FulfilmentStatus.SHIPPED),
        (units.in_parcels, FulfilmentStatus.PARTIALLY_PACKED, FulfilmentStatus.PACKED),
    ):
        if reached > 0:
            return whole if reached >= units.needed else partial
    return FulfilmentStatus.UNFULFILLED
