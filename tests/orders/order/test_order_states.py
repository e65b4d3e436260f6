"""The state of an order is one function of its facts, whatever order they came in."""

import random
from dataclasses import replace
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.fulfillment.position import StockStanding
from contracts.orders.lifecycle import OrderState
from contracts.sale import PaymentMethod
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.state import (
    LABELS,
    STATUS_FILTERS,
    Facts,
    HandSet,
    automatic_label,
    automatic_state,
    shown_state,
)
from services.orders.staff.labels import combined
from tests.builders.submissions import SHOP

NEEDS_TWO = Quantities(ordered=2, needed=2)
SHIPPED = Quantities(ordered=2, needed=2, packed=2, shipped=1)
DELIVERED = Quantities(ordered=2, needed=2, packed=2, shipped=2, delivered=2)

counts = st.integers(0, 3)
quantities = st.builds(
    Quantities,
    ordered=counts,
    needed=counts,
    packed=counts,
    lost=counts,
    shipped=counts,
    delivered=counts,
    returned=counts,
    other_ordered=counts,
    other_needed=counts,
    other_finished=counts,
)
facts = st.builds(
    Facts,
    placed=st.booleans(),
    drafted=st.booleans(),
    checkout_over=st.booleans(),
    cancelled=st.booleans(),
    return_open=st.booleans(),
    balance_minor=st.integers(-2, 2),
    received_by_hand_minor=st.integers(0, 1),
    method=st.none() | st.sampled_from(PaymentMethod),
    quantities=quantities,
    completes_alone=st.booleans(),
)


def rule_by_rule(known: Facts) -> OrderState:
    """The table of product.md, section 2, as a list of conditions: the first true one wins."""
    units = known.quantities
    finished = (
        units.needed + units.other_needed >= 1
        and units.delivered >= units.needed
        and units.other_finished >= units.other_needed
        and known.balance_minor <= 0
        and not known.return_open
        and known.completes_alone
    )
    may_start = (
        known.balance_minor <= 0 or known.method is PaymentMethod.CASH or units.packed - units.lost > 0
    )
    table = [
        (known.drafted and not known.placed, OrderState.DRAFT),
        (known.cancelled, OrderState.CANCELLED),
        (not known.placed and not known.checkout_over, OrderState.IN_CHECKOUT),
        (not known.placed and known.checkout_over, OrderState.ABANDONED),
        (known.placed and finished, OrderState.COMPLETED),
        (known.placed and units.shipped > 0, OrderState.PROCESSING),
        (known.placed and may_start, OrderState.READY),
        (known.placed, OrderState.AWAITING_PAYMENT),
    ]
    return next(state for applies, state in table if applies)


@given(facts)
def test_the_state_is_the_first_rule_that_fits(known: Facts) -> None:
    assert automatic_state(known) is rule_by_rule(known)


@given(facts)
def test_every_state_has_a_label_in_both_languages(known: Facts) -> None:
    label, labels = automatic_label(automatic_state(known), known), combined([])
    assert labels.text(label, "fr")
    assert labels.text(label, "en")
    assert labels.text(label, "de") == labels.text(label, "fr")


def test_labels_state_what_the_merchants_guide_describes() -> None:
    assert [LABELS[key]["fr"] for key in ("in_progress_order", "payments_received")] == [
        "Commande en cours",
        "Paiements reçus",
    ]


def test_a_life() -> None:
    owed, paid = 10, 0
    assert automatic_state(Facts(balance_minor=owed, quantities=NEEDS_TWO)) is OrderState.AWAITING_PAYMENT
    assert automatic_state(Facts(balance_minor=paid, quantities=NEEDS_TWO)) is OrderState.READY
    assert automatic_state(Facts(balance_minor=paid, quantities=SHIPPED)) is OrderState.PROCESSING
    assert automatic_state(Facts(balance_minor=paid, quantities=DELIVERED)) is OrderState.COMPLETED
    assert automatic_state(Facts(balance_minor=owed, quantities=DELIVERED)) is OrderState.PROCESSING


def test_cash_on_site_may_be_prepared_unpaid() -> None:
    known = Facts(balance_minor=10, method=PaymentMethod.CASH, quantities=NEEDS_TWO)
    assert automatic_state(known) is OrderState.READY


def test_an_order_of_nothing_is_never_completed_by_itself() -> None:
    assert automatic_state(Facts(quantities=Quantities())) is OrderState.READY


def test_receipts_entered_by_hand_change_the_label_of_ready_alone() -> None:
    by_hand = Facts(received_by_hand_minor=10, quantities=NEEDS_TWO)
    assert automatic_label(OrderState.READY, by_hand) == "payments_received"
    half = replace(by_hand, balance_minor=5, method=PaymentMethod.CASH)
    assert automatic_label(OrderState.READY, half) == "in_progress_order", "it is not settled"
    assert automatic_label(OrderState.READY, Facts(quantities=NEEDS_TWO)) == "in_progress_order"
    assert automatic_label(OrderState.PROCESSING, by_hand) == "processing"


def test_every_state_but_a_draft_is_in_one_status_filter() -> None:
    for state in OrderState:
        found = [name for name, states in STATUS_FILTERS.items() if state in states]
        assert len(found) == (0 if state is OrderState.DRAFT else 1), state


@given(st.sampled_from(OrderState), st.sampled_from(OrderState), st.sampled_from(OrderState))
def test_a_hand_set_state_holds_until_the_function_gives_another(
    over: OrderState, chosen: OrderState, automatic: OrderState
) -> None:
    hand = HandSet(chosen, "chosen", over)
    expected = (chosen, "chosen") if automatic is over else (automatic, "automatic")
    assert shown_state(automatic, "automatic", hand) == expected
    assert shown_state(automatic, "automatic", None) == (automatic, "automatic")


def an_order() -> Order:
    """An order of two units for 10, before anything is known of it."""
    return Order(SHOP, uuid4(), "K7F3-QD9M", PaymentMethod.CARD, Money(due=10, balance=10), NEEDS_TWO)


moneys = st.builds(
    Money, due=counts, received=counts, received_by_hand=counts, refunded=counts, balance=st.integers(-2, 2)
)


@given(st.lists(moneys, max_size=5), st.lists(quantities, max_size=5), st.randoms(use_true_random=False))
def test_positions_in_any_order_and_repetition_give_one_order(
    accounts: list[Money], goods: list[Quantities], shuffler: random.Random
) -> None:
    positions: list[tuple[int, Money | Quantities]] = [*enumerate(accounts, 1), *enumerate(goods, 1)]
    once, shuffled = an_order(), positions * 3
    other = Order(SHOP, once.id, once.code, once.method, once.money, once.units)
    shuffler.shuffle(shuffled)
    for order, sequence in ((once, positions), (other, shuffled)):
        order.restate()
        for version, position in sequence:
            before = (order.payment_version, order.fulfilment_version)
            _tell(order, version, position)
            assert (order.payment_version, order.fulfilment_version) >= before
            order.restate()
    assert once == other


def _tell(order: Order, version: int, position: Money | Quantities) -> None:
    if isinstance(position, Money):
        order.take_money(version, position)
    else:
        order.take_units(version, position, StockStanding.RESERVED)


@given(moneys, quantities)
def test_restating_twice_changes_nothing(money: Money, units: Quantities) -> None:
    order = an_order()
    order.restate()
    order.take_money(1, money)
    order.take_units(1, units, StockStanding.MISSING)
    order.restate()
    assert order.restate() is False
    assert "stock_missing" in order.flags
