"""What is known of a checkout folds to the same in any sequence and number."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.orders.lifecycle import Abandonment
from services.orders.order.state import Stage
from services.orders.order.unit.checkouts.checkout import Checkout, sale_of
from tests.builders.submissions import a_checkout, as_sale

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
TIMESTAMPS = st.integers(0, 9).map(lambda minutes: START + timedelta(minutes=minutes))
EVENTS = st.integers(1, 3).map(lambda number: UUID(int=number))
FACTS = st.one_of(
    st.tuples(st.just("open"), TIMESTAMPS, EVENTS),
    st.tuples(st.sampled_from(["drop", "time_out", "pay"]), TIMESTAMPS),
)


def fold(facts: list[Any]) -> Checkout:
    """A checkout that learnt these. The basket opened under an event id is that event's."""
    checkout = Checkout("maison", UUID(int=9))
    for name, timestamp, *event in facts:
        arguments = [timestamp, *event, f"{timestamp} {event}"] if name == "open" else [timestamp]
        getattr(checkout, name)(*arguments)
    return checkout


@given(st.lists(FACTS, max_size=8), st.randoms(use_true_random=False))
def test_any_sequence_and_repetition_gives_the_same(facts: list[Any], chance: Any) -> None:
    shuffled = facts * 2
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(facts)


@given(st.lists(FACTS, max_size=8))
def test_one_that_was_opened_last_runs(facts: list[Any]) -> None:
    checkout = fold(facts)
    checkout.open(START + timedelta(hours=1), UUID(int=4), "{}")
    assert (checkout.stage, checkout.ended_as) == (Stage.CHECKOUT, None)
    checkout.time_out(START + timedelta(minutes=59))
    assert checkout.stage is Stage.CHECKOUT
    checkout.time_out(START + timedelta(hours=1))
    assert checkout.ended_as is Abandonment.TIMED_OUT
    checkout.drop(START + timedelta(hours=1))
    assert (checkout.stage, checkout.ended_as) == (Stage.CHECKOUT_OVER, Abandonment.DROPPED)


def test_a_whole_checkout_is_the_sale_its_storefront_would_submit() -> None:
    opened, now = a_checkout(), datetime.now(UTC)
    assert sale_of(opened, opened.opened_at, now) == as_sale(opened)
    assert sale_of(a_checkout(customer=None), START, now) is None
    assert sale_of(a_checkout(shipping_address={"city": "Paris"}), START, now) is None
