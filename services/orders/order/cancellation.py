"""The rule for customers' requests to cancel: allowed until the first unit is in a parcel.

Pure. The customer's page shows the answer beforehand, and the request is checked again when it is received,
because a parcel may have been packed meanwhile. Staff are not bound by it.
"""

from enum import StrEnum

from contracts.orders.lifecycle import OrderState
from services.orders.order.fulfilment_status import Quantities

UNPLACED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})
REQUESTED, DECLINED, TOO_LATE = "cancellation_requested", "cancellation_declined", "cancellation_too_late"
"""Kinds of activity: what became of a request. An accepted one is the order's cancellation."""


class Refused(StrEnum):
    """Why a customer can't ask to cancel."""

    NOT_PLACED = "not_placed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    PACKED = "packed"


def refused(state: OrderState | None, units: Quantities) -> Refused | None:
    """Return why a customer can't ask to cancel an order; None while they can."""
    if state is None or state in UNPLACED:
        return Refused.NOT_PLACED
    if state is OrderState.CANCELLED or units.all_cancelled:
        return Refused.CANCELLED
    if units.in_parcels > 0 or units.shipped > 0:
        return Refused.PACKED
    return Refused.COMPLETED if state is OrderState.COMPLETED else None


def paid_back_minor(received: int, refunded: int, marked: int) -> int:
    """Return what is paid back when the whole order is cancelled, in minor units."""
    return max(received - refunded - marked, 0)
