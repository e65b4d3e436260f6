"""Refunds: whatever is heard first, and however often, the same money is in the books and the same flags stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.refunds import RefundCause, RefundMode, RefundState
from contracts.sale import PaymentMethod
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import MANUAL, ORDER, Entry, Kind, Origin, effect_on_balance
from services.payments.accounts.refund_entries import square
from services.payments.accounts.refund_matching import ProviderRefund, RequestedRefund, match
from services.payments.accounts.refunds import Refunds

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NAMES = UUID(int=7)
ORIGIN = Origin("webhook", UUID(int=1), NOW, "stripe")
DUE = 10_000


def order_account() -> Account:
    """An order of 100 €, paid whole by card."""
    account = Account("atelier", UUID(int=5), "K7F3-QD9M", "EUR", PaymentMethod.CARD, NOW)
    account.origin = ORIGIN
    account.post(entry(Kind.ORDER_TOTAL, DUE, ORDER, str(account.id)))
    account.post(entry(Kind.PAYMENT_RECEIVED, DUE, "stripe", "pi_1"))
    return account


def entry(kind: Kind, amount: int, provider: str, object_id: str) -> Entry:
    return Entry(
        kind, amount, provider, object_id, 0, "webhook", UUID(int=1), NOW, "stripe", PaymentMethod.CARD
    )


def a_mark(number: int, amount: int, **more: Any) -> RequestedRefund:
    values: dict[str, Any] = {
        "id": uuid5(NAMES, str(number)),
        "command_id": uuid5(NAMES, f"command {number}"),
        "mode": RefundMode.RECORDED,
        "amount_minor": amount,
        "provider": "stripe",
        "payment": "pi_1",
        "cause": RefundCause.CREDIT,
        "reason": None,
        "lines": (),
        "actor": "marie",
        "asked_at": NOW,
    }
    return RequestedRefund(**{**values, **more})


def made(number: int, amount: int, state: str = "succeeded", **more: Any) -> ProviderRefund:
    at = NOW + timedelta(minutes=number)
    return ProviderRefund("stripe", f"re_{number}", "pi_1", amount, at, frozenset((state,)), **more)


@dataclass(frozen=True)
class Confirm:
    """A merchant's reference for a mark."""

    refund_id: UUID


Step = RequestedRefund | ProviderRefund | Confirm


def take(account: Account, step: Step) -> None:
    """What the actions do, on the rules alone; a confirmation of an unknown mark comes to nothing."""
    if isinstance(step, RequestedRefund):
        if step.id not in account.refunds.requested:
            account.ask_refund(step)
    elif isinstance(step, ProviderRefund):
        account.learn_refund(step)
    elif (
        account.refunds.requested.get(step.refund_id)
        and not account.refunds.requested[step.refund_id].reference
    ):
        account.fill_refund(step.refund_id, reference="VIR-1", confirmed_by="marie")
    account.square()


def outcome(account: Account) -> tuple[Any, ...]:
    """What must be the same: balance, money gone, flags, and how each refund stands."""
    p = account.position
    return (
        p.balance_minor,
        p.refunded_minor + p.marked_minor,
        p.credited_minor,
        p.flags,
        sorted(
            (str(key), word.state, word.confirmed_minor) for key, word in account.refunds.statuses().items()
        ),
    )


def after(steps: Sequence[Step]) -> Account:
    account = order_account()
    for step in steps:
        take(account, step)
    return account


amounts = st.sampled_from((1000, 2000))
numbers = st.integers(0, 3)
marks = st.builds(a_mark, numbers, amounts)
sent = st.builds(lambda n, a: a_mark(n + 10, a, mode=RefundMode.SENT, is_sent=True), numbers, amounts)


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """Refunds asked for, made (some naming ours), failing later; marks confirmed by hand."""
    requested = {one.id: one for one in draw(st.lists(marks | sent, max_size=4))}
    steps: list[Step] = list(requested.values())
    for number in draw(st.sets(st.integers(0, 4), max_size=4)):
        amount = draw(amounts)
        own = draw(st.sampled_from([None, *[one.id for one in requested.values() if not one.is_mark]]))
        first = made(number, amount, draw(st.sampled_from(("pending", "succeeded"))), refund_id=own)
        steps.append(first)
        if draw(st.booleans()):
            steps.append(replace(first, states=frozenset((draw(st.sampled_from(("succeeded", "failed"))),))))
    steps += [Confirm(one.id) for one in requested.values() if one.is_mark and draw(st.booleans())]
    return steps


@given(stories().flatmap(lambda story: st.tuples(st.just(story), st.permutations(story + story))))
def test_any_sequence_and_repetition_gives_the_same_books(case: tuple[list[Step], list[Step]]) -> None:
    story, shuffled = case
    # a person confirms a mark that is there: such a click comes again until it is
    clicks = [step for step in story if isinstance(step, Confirm)]
    assert outcome(after([*shuffled, *clicks])) == outcome(after([*story, *clicks]))


@given(stories())
def test_each_refund_counts_once(story: list[Step]) -> None:
    account = after(story)
    live = sum(one.amount_minor for one in account.refunds.made.values() if one.is_live)
    matching = match(account.refunds.requested.values(), account.refunds.made.values())
    active_marks = sum(
        one.amount_minor
        for one in account.refunds.requested.values()
        if one.is_mark and matching.is_active(one)
    )
    assert account.position.refunded_minor + account.position.marked_minor == live + active_marks


@given(stories())
def test_squaring_again_posts_nothing(story: list[Step]) -> None:
    account = after(story)
    entries = list(account.entries)
    square(account, ORIGIN)
    assert account.entries == entries


@given(stories())
def test_entries_are_never_posted_twice_and_the_balance_is_their_sum(story: list[Step]) -> None:
    account = after(story)
    assert len({one.key for one in account.entries}) == len(account.entries)
    total = sum(effect_on_balance(one.kind) * one.amount_minor for one in account.entries)
    assert account.position.balance_minor == total


@given(stories().flatmap(lambda story: st.tuples(st.just(story), st.permutations(story))))
def test_the_version_grows_with_each_step(case: tuple[list[Step], list[Step]]) -> None:
    _, shuffled = case
    account, version = order_account(), 0
    for step in shuffled:
        before = account.refunds.facts
        take(account, step)
        grew = account.position.version > version
        assert grew or account.refunds.facts == before
        version = account.position.version


def test_a_fitting_refund_confirms_the_mark_and_posts_nothing() -> None:
    account = after([a_mark(1, 2000)])
    assert account.position.flags == ["refund_unconfirmed"]
    entries = len(account.entries)
    take(account, made(1, 2000))
    assert len(account.entries) == entries
    assert (account.position.marked_minor, account.position.balance_minor, account.position.flags) == (
        2000,
        0,
        [],
    )


def test_another_amount_takes_the_marks_place_and_is_flagged() -> None:
    account = after([a_mark(1, 2000), made(1, 1500)])
    p = account.position
    assert (p.marked_minor, p.refunded_minor, p.credited_minor, p.balance_minor) == (0, 1500, 2000, -500)
    assert p.flags == ["refund_differs"]
    word = account.refunds.statuses()[a_mark(1, 2000).id]
    assert (word.state, word.confirmed_minor) == (RefundState.CONFIRMED, 1500)


def test_a_refund_that_fails_after_it_confirmed_a_mark_is_owed_again() -> None:
    account = after([a_mark(1, 2000), made(1, 2000), made(1, 2000, "failed")])
    p = account.position
    assert (p.marked_minor, p.refunded_minor, p.balance_minor, p.flags) == (0, 0, -2000, ["refund_failed"])


def test_a_refund_made_without_us_leaves_no_debt_on_either_side() -> None:
    account = after([made(1, 2000)])
    p = account.position
    assert (p.refunded_minor, p.credited_minor, p.balance_minor) == (2000, 2000, 0)


def test_a_refund_made_without_us_of_what_was_credited_or_paid_too_much_grants_no_credit() -> None:
    account = order_account()
    account.post(entry(Kind.CREDIT_GRANTED, 3000, MANUAL, "edit"))
    take(account, made(1, 2000))
    assert (account.position.credited_minor, account.position.balance_minor) == (3000, -1000)
    twice = order_account()
    take(twice, made(1, DUE))
    twice.post(entry(Kind.PAYMENT_RECEIVED, DUE, "stripe", "pi_2"))
    assert (twice.position.credited_minor, twice.position.balance_minor) == (0, 0)


def test_a_position_is_never_read_before_its_refunds_are_in_the_ledger() -> None:
    account = order_account()
    account.ask_refund(a_mark(1, 2000))
    assert (account.position.marked_minor, account.position.credited_minor) == (2000, 2000)
    account.learn_refund(made(2, 500))
    assert account.position.refunded_minor == 500


def test_what_is_about_to_be_sent_is_known() -> None:
    refunds = Refunds()
    refunds.ask(a_mark(1, 700, mode=RefundMode.SENT))
    assert refunds.planned_minor == 700
    assert refunds.statuses() == {}
    refunds.learn(made(1, 700, "pending", refund_id=a_mark(1, 700).id))
    assert refunds.planned_minor == 0
