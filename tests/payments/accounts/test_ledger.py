"""The books' arithmetic: one position whatever the sequence and the repetitions, debits equal to credits."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.accounts import AttemptState
from contracts.sale import PaymentMethod
from services.payments.accounts import ledger
from services.payments.accounts.attempts import Attempt, latest_state
from services.payments.accounts.ledger import CUSTOMER, RULES, Entry, Kind

AT = datetime(2026, 11, 22, tzinfo=UTC)
EFFECT_ON_BALANCE = {
    Kind.ORDER_TOTAL: 1,
    Kind.DUE_INCREASED: 1,
    Kind.CREDIT_GRANTED: -1,
    Kind.CREDIT_REVERSED: 1,
    Kind.PAYMENT_RECEIVED: -1,
    Kind.PAYMENT_REVERSED: 1,
    Kind.REFUND_PAID: 1,
    Kind.REFUND_FAILED: -1,
    Kind.REFUND_MARKED: 1,
    Kind.REFUND_MARK_REVERSED: -1,
    Kind.TRANSFER_IN: -1,
    Kind.TRANSFER_OUT: 1,
    Kind.DISPUTED: 0,
    Kind.DISPUTE_WON: 0,
    Kind.DISPUTE_LOST: 0,
    Kind.AUTHORISED: 0,
    Kind.AUTHORISATION_RELEASED: 0,
    Kind.PENDING: 0,
    Kind.FEE: 0,
}
"""The product's table, written down a second time."""


def entry(kind: Kind, amount_minor: int, object_id: str = "a", step: int = 0, **fields: Any) -> Entry:
    return Entry(
        kind=kind,
        amount_minor=amount_minor,
        provider=fields.pop("provider", "stripe"),
        object_id=object_id,
        step=step,
        source="webhook",
        caused_by=UUID(int=1),
        occurred_at=AT,
        actor="stripe",
        **fields,
    )


entries = st.lists(
    st.builds(
        entry,
        st.sampled_from(Kind),
        st.integers(1, 10**9),
        st.sampled_from("abc"),
        st.integers(0, 2),
        method=st.none() | st.sampled_from(PaymentMethod),
    ),
    unique_by=lambda e: e.key,
    min_size=1,
    max_size=25,
)
attempts = st.lists(
    st.builds(
        Attempt,
        st.just("stripe"),
        st.sampled_from(("pi_a", "pi_b")),
        st.sampled_from([state for state in AttemptState if state is not AttemptState.NONE]),
        st.integers(0, 5).map(lambda seconds: AT + timedelta(seconds=seconds)),
        st.just(AT),
    ),
    max_size=8,
)


def test_every_kind_has_the_effect_of_the_products_table() -> None:
    assert {kind: ledger.effect_on_balance(kind) for kind in Kind} == EFFECT_ON_BALANCE


@given(entries, attempts, st.randoms(use_true_random=False))
def test_sequence_and_repetition_do_not_matter(
    given_: list[Entry], tries: list[Attempt], random: Any
) -> None:
    shuffled, tries_shuffled = given_ * 3, tries * 3
    random.shuffle(shuffled)
    random.shuffle(tries_shuffled)
    assert ledger.position("EUR", shuffled, tries_shuffled) == ledger.position("EUR", given_, tries)


@given(entries)
def test_debits_equal_credits_and_the_customers_account_is_the_balance(given_: list[Entry]) -> None:
    books: Counter[str] = Counter()
    for one in given_:
        debit, credit = ledger.accounts_of(one)
        assert debit != credit
        books[debit] += one.amount_minor
        books[credit] -= one.amount_minor
    assert sum(books.values()) == 0
    assert books[CUSTOMER] == ledger.position("EUR", given_, ()).balance_minor


@given(entries)
def test_balance_is_made_of_its_sums(given_: list[Entry]) -> None:
    p = ledger.position("EUR", given_, ())
    owed = p.due_minor - p.credited_minor
    assert p.balance_minor == owed - p.received_minor + p.refunded_minor + p.marked_minor


def test_every_kind_names_two_accounts() -> None:
    assert set(RULES) == set(Kind)


def test_nothing_due_is_settled_at_once() -> None:
    assert ledger.position("EUR", [entry(Kind.ORDER_TOTAL, 0)], ()).balance_minor == 0


def test_too_much_received_is_owed_to_the_customer() -> None:
    p = ledger.position("EUR", [entry(Kind.ORDER_TOTAL, 100), entry(Kind.PAYMENT_RECEIVED, 130)], ())
    assert p.balance_minor == -30


def test_only_receipts_by_hand_count_as_such() -> None:
    by_card = entry(Kind.PAYMENT_RECEIVED, 60, "pi", method=PaymentMethod.CARD)
    by_cheque = entry(Kind.PAYMENT_RECEIVED, 40, "c1", method=PaymentMethod.CHEQUE)
    bounced = entry(Kind.PAYMENT_REVERSED, 40, "c1", method=PaymentMethod.CHEQUE)
    assert ledger.position("EUR", [by_card, by_cheque], ()).received_by_hand_minor == 40
    assert ledger.position("EUR", [by_card, by_cheque, bounced], ()).received_by_hand_minor == 0


def test_authorised_is_what_was_not_released() -> None:
    given_ = [entry(Kind.AUTHORISED, 100, "pi_a"), entry(Kind.AUTHORISATION_RELEASED, 60, "pi_a")]
    assert ledger.position("EUR", given_, ()).authorised_minor == 40


def test_an_entrys_id_is_the_same_for_every_poster() -> None:
    first, again = entry(Kind.PAYMENT_RECEIVED, 5), entry(Kind.PAYMENT_RECEIVED, 7, method=PaymentMethod.CARD)
    assert ledger.entry_id("atelier", first) == ledger.entry_id("atelier", again)
    assert ledger.entry_id("atelier", first) != ledger.entry_id("other", first)
    assert ledger.entry_id("atelier", first) != ledger.entry_id("atelier", entry(Kind.FEE, 5))


def attempt(state: AttemptState, seconds: int, payment: str = "pi_a", started: int = 0) -> Attempt:
    return Attempt("stripe", payment, state, AT + timedelta(seconds=seconds), AT + timedelta(seconds=started))


def test_a_declined_payment_that_is_retried_is_in_flight() -> None:
    declined, pending = attempt(AttemptState.DECLINED, 5), attempt(AttemptState.PENDING, 9)
    assert latest_state([pending, declined]) is AttemptState.PENDING
    assert latest_state([declined, pending, attempt(AttemptState.DECLINED, 11)]) is AttemptState.DECLINED


def test_sure_money_outranks_whatever_came_later() -> None:
    facts = [
        attempt(AttemptState.SETTLED, 5),
        attempt(AttemptState.DECLINED, 9),
        attempt(AttemptState.CANCELLED, 8),
    ]
    assert latest_state(facts) is AttemptState.SETTLED


def test_the_attempt_started_last_counts() -> None:
    first, second = attempt(AttemptState.CANCELLED, 50, "pi_b"), attempt(AttemptState.CREATED, 40, "pi_a", 30)
    assert latest_state([first, second]) is AttemptState.CREATED


def test_a_failed_attempt_is_flagged() -> None:
    assert ledger.position(
        "EUR", [entry(Kind.ORDER_TOTAL, 1)], [attempt(AttemptState.DECLINED, 1)]
    ).flags == ["last_attempt_failed"]
