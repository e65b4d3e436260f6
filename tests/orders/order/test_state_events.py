"""What a change of state leads to besides its own message: an order's completion, a customer who is back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.orders.lifecycle import CheckoutResumed, OrderCompleted, OrderState, OrderStateChanged
from services.orders.order.record import BY_HAND, state_events
from tests.orders.order.test_order_states import an_order

DELIVERED = "fulfillment.delivery.recorded.v1"
states = st.sampled_from(OrderState)


@pytest.mark.parametrize(
    ("previous", "state", "cause", "more"),
    [
        (OrderState.PROCESSING, OrderState.COMPLETED, DELIVERED, [OrderCompleted]),
        (OrderState.PROCESSING, OrderState.COMPLETED, BY_HAND, []),
        (OrderState.COMPLETED, OrderState.COMPLETED, DELIVERED, []),
        (OrderState.ABANDONED, OrderState.IN_CHECKOUT, "storefront.checkout.opened.v1", [CheckoutResumed]),
        (OrderState.IN_CHECKOUT, OrderState.ABANDONED, "storefront.checkout.dropped.v1", []),
    ],
)
def test_what_follows(previous: OrderState, state: OrderState, cause: str, more: list[type]) -> None:
    changed, *others = state_events(replace(an_order(), state=state), previous, cause)
    assert isinstance(changed, OrderStateChanged)
    assert [type(one) for one in others] == more


@given(previous=st.none() | states, state=states, cause=st.sampled_from((DELIVERED, BY_HAND)))
def test_every_message_is_about_the_order(previous: OrderState | None, state: OrderState, cause: str) -> None:
    order = replace(an_order(), state=state)
    messages = state_events(order, previous, cause)
    assert {(one.shop, one.order_id, one.code) for one in messages} == {(order.shop, order.id, order.code)}  # type: ignore[attr-defined]
    assert len(messages) <= 2
