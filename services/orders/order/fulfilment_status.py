"""How far an order's goods are: sums over its lines, one status, and what remains to be done.

Invariant: everything here is a pure function of fulfillment's position; the status is a summary for people,
the queues «À emballer» and «À expédier» go by `to_pack` and `to_ship`, which a status cannot tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from contracts.storefront import LineKind


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
    """The quantities of one line, as fulfillment's position carries them."""

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
    """Units summed over lines. The plain names count goods (`ship` lines); `other_…` counts tickets, bookings
    and services, whose `finished` units were issued, honoured or done.

    `finished` goods are delivered ones, counted per line up to what the line needs, so that one line's
    surplus never stands in for another's lack.
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
        """Whether every unit needed reached its customer, and there was at least one."""
        return (
            self.needed + self.other_needed > 0
            and self.delivered >= self.needed
            and self.other_finished >= self.other_needed
        )

    @property
    def all_cancelled(self) -> bool:
        """Whether units were ordered and none is needed any more."""
        return self.ordered + self.other_ordered > 0 and self.needed + self.other_needed == 0

    @property
    def to_pack(self) -> int:
        """Units still to be put into a parcel; a lost one is packed again."""
        return max(0, self.needed - self.packed + self.lost)

    @property
    def to_ship(self) -> int:
        """Packed units still here."""
        return max(0, self.packed - self.shipped)

    @property
    def in_parcels(self) -> int:
        """Units that are in a parcel, here or on their way or arrived."""
        return self.packed - self.lost


NOTHING_DONE = Quantities()
"""No units at all."""


def sum_lines(lines: Iterable[LineQuantities]) -> Quantities:
    """The sums over an order's lines."""
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
    """The status of an order's goods; `not_required` when it has none, or none any more."""
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
