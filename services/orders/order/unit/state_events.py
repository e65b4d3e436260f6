"""Messages that a change of an order's state leads to. Pure."""

from contracts.catalogue import type_of
from contracts.message import Message
from contracts.orders.lifecycle import (
    CheckoutResumed,
    OrderCompleted,
    OrderState,
    OrderStateChanged,
    StatusUpdated,
)
from services.orders.order.record import Order

BY_HAND = type_of(StatusUpdated, "orders")
"""Staff who set the status decide about its mail in that form."""


def state_events(order: Order, previous: OrderState | None, cause_type: str) -> list[Message]:
    """Return the messages about an order that has left the state `previous`; the change itself comes first."""
    assert order.state is not None
    names = {"shop": order.shop, "order_id": order.id, "code": order.code}
    changed = OrderStateChanged.model_validate(
        {**names, "previous": previous, "state": order.state, "label": order.label, "cause": cause_type}
    )
    if previous is not order.state is OrderState.COMPLETED and cause_type != BY_HAND:
        return [changed, OrderCompleted.model_validate(names)]
    if previous is OrderState.ABANDONED and order.state is OrderState.IN_CHECKOUT:
        return [changed, CheckoutResumed.model_validate(names)]
    return [changed]
