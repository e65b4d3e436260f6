"""Metrics of orders: states entered, refusals, and how long customers wait for payment and shipping to complete.

Counted after the commit, so a transaction that is rolled back counts nothing and a repeated message counts once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from prometheus_client import Counter, Histogram

from contracts.message import Reason
from contracts.orders.lifecycle import OrderState
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.history_store import StateChangeRow
from services.orders.order.payment_status import PaymentStatus
from services.orders.order.record import Order
from services.orders.order.state import Stage
from services.orders.order.unit.submissions.placed_store import PlacedOrderRow

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WAITS = (
    *(_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 4 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY),
)
STATES = Counter(
    "comptoir_order_states_entered_total",
    "Orders that entered a state, the first of a placed order included.",
    ["shop", "state"],
)
REFUSED = Counter(
    "comptoir_submissions_refused_total", "Refused submissions, once per reason.", ["shop", "reason"]
)
PAID_SECONDS = Histogram(
    "comptoir_order_paid_seconds",
    "From placing an order to its full payment; orders without an amount are left out.",
    ["method"],
    buckets=_WAITS,
)
SHIPPED_SECONDS = Histogram(
    "comptoir_order_shipped_seconds",
    "From placing an order to the shipment of its last goods.",
    buckets=_WAITS,
)
_PAID = frozenset(
    {
        PaymentStatus.PAID,
        PaymentStatus.OVERPAID,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.REFUND_PENDING,
        PaymentStatus.REFUNDED,
    }
)
_SHIPPED = frozenset(
    {
        FulfilmentStatus.SHIPPED,
        FulfilmentStatus.PARTIALLY_DELIVERED,
        FulfilmentStatus.DELIVERED,
        FulfilmentStatus.PARTIALLY_RETURNED,
        FulfilmentStatus.RETURNED,
    }
)


class Progress(NamedTuple):
    """An order that a unit of work changes, with what it had reached before."""

    order: Order
    was_paid: bool
    was_shipped: bool


def progress_of(order: Order) -> Progress:
    """Return an order, before its change, with what it has reached."""
    return Progress(order, order.payment_status in _PAID, order.fulfilment_status in _SHIPPED)


def start(shops: Iterable[str]) -> None:
    """Export every state of these shops with 0: the first increment of a series that did not exist is not in
    its rate."""
    for shop in shops:
        for state in OrderState:
            STATES.labels(shop, state.value)


def count_states(placed: Sequence[PlacedOrderRow], changes: Sequence[StateChangeRow]) -> None:
    """Count the states that orders entered: those just placed, and those whose state changed."""
    for row in placed:
        if row.state is not None:
            STATES.labels(row.shop, row.state).inc()
    for change in changes:
        if change.state != change.previous_state:
            STATES.labels(change.shop, change.state).inc()


def count_refused(shop: str, reasons: Sequence[Reason]) -> None:
    """Count the reasons of a refused submission."""
    for code in {reason.code for reason in reasons}:
        REFUSED.labels(shop, code).inc()


def observe_waits(changed: Iterable[Progress], now: datetime) -> None:
    """Observe the orders that are now paid or shipped in full and were not before."""
    for order, was_paid, was_shipped in changed:
        if order.placed_at is None or order.stage is not Stage.PLACED:
            continue
        waited = max((now - order.placed_at).total_seconds(), 0.0)
        if order.payment_status in _PAID and not was_paid and order.method is not None:
            PAID_SECONDS.labels(order.method.value).observe(waited)
        if order.fulfilment_status in _SHIPPED and not was_shipped:
            SHIPPED_SECONDS.observe(waited)
