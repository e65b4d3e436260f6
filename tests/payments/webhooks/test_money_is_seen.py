"""Whatever says that money moved changes the order, flags it, or stands where money without an order stands."""

from typing import Any

import pytest

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentSettled
from contracts.payments.refunds import RefundCause, RefundMode
from contracts.service import CommandRejected
from tests.builders.envelopes import deliver, enveloped
from tests.builders.orders import SHOP, deleted
from tests.payments.builders import (
    capturable,
    charge,
    dispute,
    event,
    intent,
    intent_id,
    names,
    of_kind,
    placed,
    record,
    refund,
    refund_order,
    session,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.refunds.test_refunding import paid
from tests.payments.webhooks.test_webhook_before_its_order import fire_timers

TOKEN = {"authorization": "Bearer a-token-for-tests-only"}


async def _position(cashdesk: CashDesk, order: OrderPlaced) -> tuple[int, int, list[str]]:
    """Received, balance, flags."""
    row = await cashdesk.account(order)
    return row["received_minor"], row["balance_minor"], row["flags"]


async def _unmatched(cashdesk: CashDesk) -> list[tuple[str, int]]:
    answer = await cashdesk.client.get("/internal/unmatched", params={"shop": SHOP}, headers=TOKEN)
    return [(one["object_id"], one["amount_minor"]) for one in answer.json()["payments"]]


def _events_by_teller(payment: str, amount: int) -> dict[str, dict[str, Any]]:
    """Everything by which an endpoint may hear of one paid intent."""
    return {
        "intent": succeeded(payment, amount),
        "session": event("checkout.session.completed", session("cs_1", payment, amount)),
        "delayed session": event(
            "checkout.session.async_payment_succeeded", session("cs_1", payment, amount)
        ),
        "charge": event("charge.succeeded", charge("ch_1", payment, amount)),
        "captured charge": event("charge.captured", charge("ch_1", payment, amount)),
        "updated charge": event("charge.updated", charge("ch_1", payment, amount)),
    }


@pytest.mark.parametrize("teller", _events_by_teller("", 0))
async def test_each_teller_of_a_payment_is_enough(cashdesk: CashDesk, teller: str) -> None:
    order = placed(25_000, reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    emitted = await cashdesk.pay(_events_by_teller(payment, 25_000)[teller])
    assert [settled.provider_reference for settled in of_kind(emitted, PaymentSettled)] == [payment]
    assert await _position(cashdesk, order) == (25_000, 0, [])
    others = [one for name, one in _events_by_teller(payment, 25_000).items() if name != teller]
    assert of_kind(await cashdesk.pay(*others), PaymentSettled) == []
    assert await _position(cashdesk, order) == (25_000, 0, [])


@pytest.mark.parametrize("teller", _events_by_teller("", 0))
async def test_each_report_of_an_unknown_payment_is_shown_to_staff(cashdesk: CashDesk, teller: str) -> None:
    payment = intent_id()
    one = _events_by_teller(payment, 7700)[teller]
    await cashdesk.pay(one)
    await fire_timers(cashdesk)
    assert await cashdesk.end_of(one) == ("parked", "order_unknown")
    assert await _unmatched(cashdesk) == [(payment, 7700)]


async def test_a_session_that_names_its_order_brings_its_money(cashdesk: CashDesk) -> None:
    order = placed(25_000)
    await cashdesk.desk.deliver(order)
    resource = session("cs_1", intent_id(), 25_000, client_reference_id=str(order.order_id))
    await cashdesk.pay(event("checkout.session.completed", resource))
    assert await _position(cashdesk, order) == (25_000, 0, [])


def _contradictions() -> list[tuple[str, dict[str, Any]]]:
    """Types and objects that say opposite things."""
    paid_session = session("cs_1", "pi_known")
    return [
        ("refund.failed", refund("re_1", "pi_known", 1000, "succeeded")),
        ("refund.failed", refund("re_1", "pi_known", 1000, "pending")),
        ("payment_intent.succeeded", intent("pi_known", amount_received=5000, status="processing")),
        ("payment_intent.payment_failed", intent("pi_known", status="succeeded")),
        ("payment_intent.canceled", intent("pi_known", status="succeeded")),
        ("payment_intent.processing", intent("pi_known", status="succeeded")),
        (
            "payment_intent.amount_capturable_updated",
            intent("pi_known", amount_received=900, status="canceled"),
        ),
        ("charge.succeeded", charge("ch_1", "pi_known", status="failed", paid=False)),
        ("charge.succeeded", charge("ch_1", "pi_known", paid=False)),
        ("charge.captured", charge("ch_1", "pi_known", status="pending", paid=False)),
        ("charge.failed", charge("ch_1", None)),
        ("charge.pending", charge("ch_1", None)),
        ("charge.expired", charge("ch_1", None)),
        ("checkout.session.async_payment_succeeded", session("cs_1", "pi_known", payment_status="unpaid")),
        ("checkout.session.async_payment_failed", paid_session),
        ("checkout.session.expired", paid_session),
    ]


@pytest.mark.parametrize(("type_", "resource"), _contradictions())
async def test_nothing_is_posted_when_type_and_state_contradict(
    cashdesk: CashDesk, type_: str, resource: dict[str, Any]
) -> None:
    order = placed(5000, reference="pi_known")
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(one := event(type_, resource, 30))
    assert await cashdesk.end_of(one) == ("parked", "state_contradicts_type")
    assert await cashdesk.entries(order) == [("order_total", 5000)]


@pytest.mark.parametrize("version", ["2025-03-31.basil", "2023-10-16", "2026-09-30"])
async def test_a_refund_reported_as_a_sum_flags_the_order_until_the_refund_is_known(
    cashdesk: CashDesk, version: str
) -> None:
    order, payment = await paid(cashdesk)
    type_ = charge("ch_1", payment, amount_refunded=2000)
    await cashdesk.pay(one := event("charge.refunded", type_, 30, api_version=version))
    assert await cashdesk.end_of(one) == ("applied", None)
    assert await _position(cashdesk, order) == (5000, 0, ["refund_not_booked"])
    await cashdesk.pay(event("refund.created", refund("re_1", payment, 2000), 31))
    row = await cashdesk.account(order)
    assert (row["refunded_minor"], row["flags"]) == (2000, [])


async def test_a_refund_reported_as_a_sum_after_the_refund_itself_flags_nothing(cashdesk: CashDesk) -> None:
    order, payment = await paid(cashdesk)
    await cashdesk.pay(event("refund.created", refund("re_1", payment, 2000), 30))
    await cashdesk.pay(event("charge.refunded", charge("ch_1", payment, amount_refunded=2000), 30))
    assert (await _position(cashdesk, order))[2] == []
    await cashdesk.pay(event("charge.refunded", charge("ch_1", payment, amount_refunded=2500), 40))
    assert (await _position(cashdesk, order))[2] == ["refund_not_booked"]


async def test_recording_the_refund_by_hand_takes_the_flag_away(cashdesk: CashDesk) -> None:
    order, payment = await paid(cashdesk)
    await cashdesk.pay(event("charge.refunded", charge("ch_1", payment, amount_refunded=2000), 30))
    await cashdesk.desk.deliver(refund_order(order, 2000))
    assert (await _position(cashdesk, order))[2] == ["refund_unconfirmed"]


async def test_what_was_never_captured_is_no_refund(cashdesk: CashDesk) -> None:
    """Versions before 2025-03-31 count the uncaptured rest among what was refunded."""
    order, payment = placed(5000, reference="pi_part"), "pi_part"
    await cashdesk.desk.deliver(order)
    part = charge("ch_1", payment, 8000, amount_captured=5000, amount_refunded=3000)
    await cashdesk.pay(
        event("charge.succeeded", part), event("charge.refunded", part, api_version="2023-10-16")
    )
    assert await _position(cashdesk, order) == (5000, 0, [])


async def test_refunds_listed_in_their_charge_are_each_posted_once(cashdesk: CashDesk) -> None:
    order, payment = await paid(cashdesk)
    listed = {"data": [refund("re_1", payment, 2000), refund("re_2", payment, 500)]}
    type_ = charge("ch_1", payment, amount_refunded=2500, refunds=listed)
    await cashdesk.pay(event("charge.refunded", type_, api_version="2020-08-27"))
    await cashdesk.pay(event("refund.created", refund("re_2", payment, 500)))
    assert (await cashdesk.account(order))["refunded_minor"] == 2500


DISPUTES = [
    ("needs_response", ["disputed"]),
    ("under_review", ["disputed"]),
    ("lost", ["disputed", "dispute_lost"]),
    ("warning_needs_response", ["dispute_inquiry"]),
    ("warning_under_review", ["dispute_inquiry"]),
    ("warning_closed", []),
    ("won", []),
    ("prevented", []),
    ("a_status_to_come", ["disputed"]),
]


@pytest.mark.parametrize(("status", "flags"), DISPUTES)
@pytest.mark.parametrize("type_", ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"])
async def test_a_dispute_flags_its_order(
    cashdesk: CashDesk, type_: str, status: str, flags: list[str]
) -> None:
    order, payment = await paid(cashdesk)
    await cashdesk.pay(one := event(f"charge.dispute.{type_}", dispute("du_1", payment, status), 40))
    assert await cashdesk.end_of(one) == ("applied", None)
    assert await _position(cashdesk, order) == (5000, 0, flags)


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_dispute_has_its_latest_state_in_any_order_of_arrival(
    cashdesk: CashDesk, is_late: bool
) -> None:
    order, payment = await paid(cashdesk)
    states = [("created", "needs_response", 40), ("updated", "under_review", 50), ("closed", "won", 50)]
    events = [event(f"charge.dispute.{t}", dispute("du_1", payment, s), at) for t, s, at in states]
    for one in reversed(events) if is_late else events:
        await cashdesk.pay(one)
    assert (await _position(cashdesk, order))[2] == []
    await cashdesk.pay(event("charge.dispute.created", dispute("du_2", payment, "needs_response"), 60))
    assert (await _position(cashdesk, order))[2] == ["disputed"]


async def test_a_dispute_in_another_currency_flags_its_order_too(cashdesk: CashDesk) -> None:
    order, payment = await paid(cashdesk)
    foreign = dispute("du_1", payment, "lost", currency="usd")
    await cashdesk.pay(event("charge.dispute.created", foreign))
    assert (await _position(cashdesk, order))[2] == ["disputed", "dispute_lost"]


async def test_a_disputed_payment_is_not_refunded_over_again(cashdesk: CashDesk) -> None:
    order, payment = await paid(cashdesk)
    await cashdesk.pay(event("charge.dispute.created", dispute("du_1", payment, "needs_response")))
    command = refund_order(order, 1000, mode=RefundMode.SENT, cause=RefundCause.OVERPAID)
    (refused,) = (await cashdesk.desk.deliver(command)).messages_of(CommandRejected)
    assert [reason.code for reason in refused.reasons] == ["payment_disputed"]


async def test_a_dispute_of_a_deleted_order_is_shown_to_staff(cashdesk: CashDesk) -> None:
    order, payment = await paid(cashdesk)
    await cashdesk.desk.deliver(deleted(order))
    await cashdesk.pay(one := event("charge.dispute.created", dispute("du_1", payment, "lost")))
    assert await cashdesk.end_of(one) == ("parked", "order_deleted")


async def test_a_dispute_before_its_payment_joins_it(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.pay(one := event("charge.dispute.created", dispute("du_1", payment, "lost")))
    assert await cashdesk.end_of(one) == ("waiting", "order_unknown")
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert (await _position(cashdesk, order))[2] == ["disputed", "dispute_lost"]


async def test_a_partly_funded_payment_is_flagged_until_it_is_whole(cashdesk: CashDesk) -> None:
    order = placed(reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(event("payment_intent.partially_funded", intent(payment, status="requires_action")))
    assert await _position(cashdesk, order) == (0, 5000, ["partly_funded"])
    await cashdesk.pay(succeeded(payment))
    assert await _position(cashdesk, order) == (5000, 0, [])


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_failed_attempt_is_nobodys_matter_once_nothing_is_owed(
    cashdesk: CashDesk, by_hand: bool
) -> None:
    order = placed(reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    failed = event("payment_intent.payment_failed", intent(payment, status="requires_payment_method"), 3)
    if by_hand:
        await cashdesk.pay(failed)
        assert (await _position(cashdesk, order))[2] == ["last_attempt_failed"]
        await cashdesk.desk.deliver(record(order))
    else:
        await cashdesk.pay(succeeded(intent_id(), created=1_794_000_000, **names(order)), failed)
    assert await _position(cashdesk, order) == (5000, 0, [])


@pytest.mark.parametrize("together", [True, False])
async def test_an_order_that_names_anothers_payment_is_flagged(cashdesk: CashDesk, together: bool) -> None:
    payment = intent_id()
    first, second = placed(reference=payment), placed(reference=payment)
    if together:
        await deliver(cashdesk.desk, enveloped("payments", [first, second]), together=True)
    else:
        await cashdesk.desk.deliver(first)
        await cashdesk.desk.deliver(second)
    await cashdesk.pay(succeeded(payment))
    assert await _position(cashdesk, first) == (5000, 0, [])
    assert await _position(cashdesk, second) == (0, 5000, ["payment_shared"])
    await cashdesk.desk.deliver(record(second))
    assert await _position(cashdesk, second) == (5000, 0, [])


async def test_money_that_names_an_order_badly_is_reported_soon(cashdesk: CashDesk) -> None:
    one = succeeded(intent_id(), 7000, metadata={"comptoir_order_id": "K7F3-QD9M", "comptoir_shop": SHOP})
    await cashdesk.pay(one)
    emitted = await fire_timers(cashdesk, rounds=1)
    assert [type(message).__name__ for _, message in emitted] == ["PaymentUnmatched"]
    assert "not an order's id" in await cashdesk.desk.fetchval("SELECT detail FROM webhook")


async def test_an_authorisation_reported_by_its_charge_is_no_money(cashdesk: CashDesk) -> None:
    order = placed(reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    held = charge("ch_1", payment, captured=False, amount_captured=0)
    await cashdesk.pay(event("charge.succeeded", held), capturable(payment, amount_capturable=5000))
    assert await _position(cashdesk, order) == (0, 5000, [])


@pytest.mark.parametrize("mode", ["subscription", "setup"])
async def test_a_paid_session_of_a_subscription_is_no_money_beside_its_invoices(
    cashdesk: CashDesk, mode: str
) -> None:
    """Its invoice's intent reports the money; the session names no intent."""
    one, paid = event("checkout.session.completed", session("cs_1", None, 7700, mode=mode)), intent_id()
    await cashdesk.pay(one, succeeded(paid, 7700))
    assert await cashdesk.end_of(one) == ("irrelevant", "session_without_payment")
    assert await _unmatched(cashdesk) == [(paid, 7700)]


async def test_a_paid_session_without_an_intent_is_money_of_its_own(cashdesk: CashDesk) -> None:
    await cashdesk.pay(event("checkout.session.completed", session("cs_1", None, 7700)))
    assert await _unmatched(cashdesk) == [("cs_1", 7700)]
