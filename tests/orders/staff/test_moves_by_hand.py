"""Which states a person may give an order, whatever its facts."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.orders.lifecycle import OrderState
from contracts.sale import PaymentMethod
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.payment_status import Money, payment_status
from services.orders.order.state import (
    BUILT_IN_STATE,
    LABELS,
    SET_BY_HAND,
    Facts,
    HandSet,
    Move,
    automatic_label,
    automatic_state,
    move_by_hand,
    shown_state,
)
from tests.orders.order.test_order_states import facts

states = st.sampled_from(OrderState)
set_by_hand = st.sampled_from(sorted(SET_BY_HAND))
PACKED = Quantities(ordered=2, needed=2, packed=2)
SHIPPED = replace(PACKED, shipped=2)
DELIVERED = replace(SHIPPED, delivered=2)
READY, PROCESSING, COMPLETED = OrderState.READY, OrderState.PROCESSING, OrderState.COMPLETED
WAITING = OrderState.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("known", "target", "move"),
    [
        (Facts(quantities=PACKED), PROCESSING, Move.ALLOWED),
        (Facts(quantities=PACKED), COMPLETED, Move.NEEDS_FORCE),
        (Facts(quantities=PACKED), WAITING, Move.NEEDS_FORCE),
        (Facts(quantities=SHIPPED), COMPLETED, Move.NEEDS_PROOF),
        (Facts(quantities=SHIPPED, balance_minor=1), COMPLETED, Move.NEEDS_FORCE),
        (Facts(quantities=SHIPPED, return_open=True), COMPLETED, Move.NEEDS_FORCE),
        (Facts(quantities=DELIVERED, completes_alone=False), COMPLETED, Move.ALLOWED),
        (Facts(quantities=DELIVERED), PROCESSING, Move.NEEDS_FORCE),
        (Facts(quantities=Quantities(other_ordered=1, other_needed=1)), COMPLETED, Move.NEEDS_PROOF),
        (Facts(balance_minor=9, quantities=Quantities(needed=1)), READY, Move.NEEDS_FORCE),
        (Facts(balance_minor=9, method=PaymentMethod.CASH), WAITING, Move.ALLOWED),
        (Facts(placed=False), COMPLETED, Move.LOCKED),
        (Facts(placed=False), OrderState.IN_CHECKOUT, Move.LOCKED),
        (Facts(placed=False, checkout_over=True), READY, Move.IMPOSSIBLE),
        (Facts(placed=False, checkout_over=True), OrderState.ABANDONED, Move.ALLOWED),
        (Facts(cancelled=True), READY, Move.IMPOSSIBLE),
        (Facts(cancelled=True), OrderState.CANCELLED, Move.ALLOWED),
        (Facts(quantities=PACKED), OrderState.CANCELLED, Move.IMPOSSIBLE),
    ],
)
def test_the_readmes_table(known: Facts, target: OrderState, move: Move) -> None:
    assert move_by_hand(known, target) is move


@given(facts, states)
def test_what_the_facts_give_is_always_allowed_but_at_the_checkout(known: Facts, target: OrderState) -> None:
    move = move_by_hand(known, target)
    automatic = automatic_state(known)
    assert (move is Move.LOCKED) == (automatic is OrderState.IN_CHECKOUT)
    if target is automatic and automatic is not OrderState.IN_CHECKOUT:
        assert move is Move.ALLOWED
    if move in (Move.NEEDS_FORCE, Move.NEEDS_PROOF):
        assert {automatic, target} <= SET_BY_HAND


@given(facts)
def test_freely_completed_is_nothing_owed_and_nothing_left_to_send(known: Facts) -> None:
    assume(automatic_state(known) in SET_BY_HAND - {COMPLETED})
    if move_by_hand(known, COMPLETED) in (Move.ALLOWED, Move.NEEDS_PROOF):
        assert known.balance_minor <= 0
        assert not known.return_open
        assert known.quantities.to_pack == known.quantities.to_ship == 0


@given(facts, set_by_hand, set_by_hand, st.integers(-2, 2), st.integers(0, 2))
def test_a_state_set_by_hand_never_changes_the_payment_status(
    known: Facts, one: OrderState, other: OrderState, balance: int, received: int
) -> None:
    money = Money(due=balance + received, received=received, balance=balance)
    assert payment_status(one, money) == payment_status(other, money)


@given(facts, facts, states)
def test_it_holds_until_the_facts_give_another_state(before: Facts, after: Facts, chosen: OrderState) -> None:
    hand = HandSet(chosen, "own_x", automatic_state(before))
    now = automatic_state(after)
    shown = shown_state(now, automatic_label(now, after), hand)
    assert shown == ((chosen, "own_x") if now is hand.over else (now, automatic_label(now, after)))


def test_every_built_in_label_is_bound_to_a_state_and_every_state_has_one() -> None:
    assert set(BUILT_IN_STATE) == set(LABELS)
    assert set(BUILT_IN_STATE.values()) == set(OrderState)
