"""Refunds in the books: recorded, confirmed by a provider's webhook or by hand, made without us, refused."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.envelope import uuid7
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import (
    ConfirmRefundMark,
    RefundCause,
    RefundConfirmed,
    RefundFailed,
    RefundLine,
    RefundMarked,
    RefundMode,
)
from contracts.service import CommandDone, CommandRejected
from tests.payments.builders import event, intent_id, of_kind, placed, record, refund, refund_order, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks


async def paid(cashdesk: CashDesk, total: int = 5000) -> tuple[OrderPlaced, str]:
    """An order paid by card, and its intent."""
    intent = intent_id()
    order = placed(total, reference=intent)
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded(intent, total))
    return order, intent


async def position(cashdesk: CashDesk, order: OrderPlaced) -> tuple[Any, ...]:
    """Credited, refunded, marked, balance, flags."""
    row = await cashdesk.account(order)
    sums = tuple(row[f"{name}_minor"] for name in ("credited", "refunded", "marked", "balance"))
    return (*sums, row["flags"])


async def test_a_recorded_refund_counts_and_stays_unconfirmed(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    lines = [RefundLine(line=1, quantity=1, restock=True)]
    command = refund_order(order, 2000, lines=lines, reason="Ébréchée")
    outcome = await cashdesk.desk.deliver(command)
    (marked,) = outcome.messages_of(RefundMarked)
    refund_ = marked.refund
    assert (refund_.refund_id, refund_.state, refund_.payment_reference) == (
        command.refund_id,
        "marked",
        intent,
    )
    assert (refund_.lines, refund_.reason, refund_.version) == (lines, "Ébréchée", 6)
    (envelope,) = [e for e, message in outcome.emitted if isinstance(message, RefundMarked)]
    assert envelope.causation_id == outcome.envelope.id
    assert await position(cashdesk, order) == (2000, 0, 2000, 0, ["refund_unconfirmed"])
    again = await cashdesk.desk.deliver(command)
    assert again.messages_of(CommandDone)
    assert await position(cashdesk, order) == (2000, 0, 2000, 0, ["refund_unconfirmed"])


async def test_the_providers_refund_confirms_the_mark(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    command = refund_order(order, 2000)
    await cashdesk.desk.deliver(command)
    entries = await cashdesk.entries(order)
    emitted = await cashdesk.pay(event("refund.created", refund("re_1", intent, 2000)))
    (confirmed,) = of_kind(emitted, RefundConfirmed)
    assert (confirmed.refund.refund_id, confirmed.refund.provider_reference) == (command.refund_id, "re_1")
    assert await cashdesk.entries(order) == entries
    assert await position(cashdesk, order) == (2000, 0, 2000, 0, [])
    for kind in ("refund.updated", "charge.refund.updated", "refund.created"):
        assert not of_kind(await cashdesk.pay(event(kind, refund("re_1", intent, 2000))), RefundConfirmed)
    assert await cashdesk.entries(order) == entries


async def test_a_merchants_reference_confirms_the_mark_once(cashdesk: CashDesk) -> None:
    order, _ = await paid(cashdesk)
    command = refund_order(order, 2000)
    await cashdesk.desk.deliver(command)
    about = {"shop": order.shop, "order_id": order.order_id, "refund_id": command.refund_id, "actor": "marie"}
    outcome = await cashdesk.desk.deliver(ConfirmRefundMark(**about, reference="VIR-7"))
    (confirmed,) = outcome.messages_of(RefundConfirmed)
    assert (confirmed.refund.state, confirmed.refund.reference) == ("confirmed", "VIR-7")
    assert await position(cashdesk, order) == (2000, 0, 2000, 0, [])
    assert (await cashdesk.desk.deliver(ConfirmRefundMark(**about, reference="VIR-7"))).messages_of(
        CommandDone
    )
    other = await cashdesk.desk.deliver(ConfirmRefundMark(**about, reference="VIR-8"))
    assert reasons(other) == ["already_confirmed"]
    unknown = await cashdesk.desk.deliver(
        ConfirmRefundMark(**{**about, "refund_id": uuid7()}, reference="VIR-8")
    )
    assert reasons(unknown) == ["refund_unknown"]


async def test_another_amount_at_the_provider_takes_the_marks_place(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    await cashdesk.desk.deliver(refund_order(order, 2000))
    emitted = await cashdesk.pay(event("refund.created", refund("re_1", intent, 1500)))
    (confirmed,) = of_kind(emitted, RefundConfirmed)
    assert (confirmed.refund.amount_minor, confirmed.refund.confirmed_minor) == (2000, 1500)
    assert await position(cashdesk, order) == (2000, 1500, 0, -500, ["refund_differs"])


async def test_a_refund_that_fails_later_is_owed_again(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    await cashdesk.desk.deliver(refund_order(order, 2000))
    failed = refund("re_1", intent, 2000, "failed", failure_reason="lost_or_stolen_card")
    emitted = await cashdesk.pay(
        event("refund.created", refund("re_1", intent, 2000)), event("refund.failed", failed, 200)
    )
    (message,) = of_kind(emitted, RefundFailed)
    assert message.refund.detail == "lost_or_stolen_card"
    assert await position(cashdesk, order) == (2000, 0, 0, -2000, ["refund_failed"])


async def test_a_refund_made_without_us_is_posted_once(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    resource = refund("re_1", intent, 5000)
    charge = {"id": "ch_1", "object": "charge", "payment_intent": intent, "amount_refunded": 5000}
    emitted = await cashdesk.pay(
        event("charge.refunded", charge), event("refund.created", resource), event("refund.updated", resource)
    )
    (confirmed,) = of_kind(emitted, RefundConfirmed)
    assert (confirmed.refund.mode, confirmed.refund.amount_minor) == ("external", 5000)
    assert await position(cashdesk, order) == (5000, 5000, 0, 0, [])


async def test_a_refund_received_before_its_payment_and_its_order(cashdesk: CashDesk) -> None:
    intent = intent_id()
    order = placed(5000, reference=intent)
    await cashdesk.pay(event("refund.created", refund("re_1", intent, 2000)), succeeded(intent))
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])


async def test_an_old_charge_lists_its_refunds_inside(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    things = [refund("re_1", intent, 1000), refund("re_2", intent, 500)]
    charge = {"id": "ch_1", "object": "charge", "payment_intent": intent, "refunds": {"data": things}}
    await cashdesk.pay(event("charge.refunded", charge))
    assert await position(cashdesk, order) == (1500, 1500, 0, 0, [])


async def test_a_refund_in_another_currency_is_parked(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    strange = event("refund.created", refund("re_1", intent, 1000, currency="usd"))
    await cashdesk.pay(strange)
    assert await cashdesk.end_of(strange) == ("parked", "currency_differs")
    assert (await cashdesk.account(order))["refunded_minor"] == 0


def reasons(outcome: Any) -> list[str]:
    """Codes of the one refusal."""
    (rejected,) = outcome.messages_of(CommandRejected)
    return [reason.code for reason in rejected.reasons]


@pytest.mark.parametrize(
    ("changes", "emitted"),
    [
        ({"amount_minor": 5001}, ["credit_exceeds_due", "refund_exceeds_received"]),
        ({"amount_minor": 5001, "cause": RefundCause.OVERPAID}, ["refund_exceeds_received"]),
        ({"amount_minor": 0}, ["amount_not_positive"]),
        ({"currency": "USD"}, ["currency_differs"]),
        ({"entry_id": uuid4()}, ["payment_unknown"]),
        ({"mode": RefundMode.EXTERNAL}, ["mode_not_possible"]),
    ],
)
async def test_a_refund_is_refused(cashdesk: CashDesk, changes: dict[str, Any], emitted: list[str]) -> None:
    order, _ = await paid(cashdesk)
    values = {"amount_minor": 1000, **changes}
    outcome = await cashdesk.desk.deliver(refund_order(order, **values))
    assert reasons(outcome) == emitted
    assert await position(cashdesk, order) == (0, 0, 0, 0, [])


async def test_never_more_than_was_received_and_is_still_there(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk)
    await cashdesk.pay(event("refund.created", refund("re_1", intent, 2000, reason="duplicate")))
    await cashdesk.desk.deliver(refund_order(order, 2000, cause=RefundCause.PAYMENT_UNDONE))
    too_much = refund_order(order, 3001, cause=RefundCause.PAYMENT_UNDONE)
    assert reasons(await cashdesk.desk.deliver(too_much)) == ["refund_exceeds_received"]
    # the mark fits the refund that was there first: nothing was posted for it
    assert await position(cashdesk, order) == (0, 2000, 0, 2000, [])


async def test_a_cheque_can_be_recorded_as_refunded_not_sent(cashdesks: CashDesks) -> None:
    cashdesk = await cashdesks()
    order = placed(5000)
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order))
    sent = refund_order(order, 5000, mode=RefundMode.SENT)
    assert reasons(await cashdesk.desk.deliver(sent)) == ["provider_cannot_refund"]
    recorded = refund_order(order, 5000, reference="VIR-9")
    outcome = await cashdesk.desk.deliver(recorded)
    assert [message.refund.state for message in outcome.messages_of(RefundMarked)] == ["confirmed"]
    assert await position(cashdesk, order) == (5000, 0, 5000, 0, [])


async def test_the_payment_is_the_one_named(cashdesk: CashDesk) -> None:
    order, _ = await paid(cashdesk)
    await cashdesk.desk.deliver(record(order, 300))
    rows = await cashdesk.desk.fetch("SELECT id FROM ledger_entry WHERE provider = 'manual'")
    cheque: UUID = rows[0]["id"]
    over = refund_order(order, 301, entry_id=cheque, cause=RefundCause.OVERPAID)
    assert reasons(await cashdesk.desk.deliver(over)) == ["refund_exceeds_payment"]
    fits = refund_order(order, 300, entry_id=cheque, cause=RefundCause.OVERPAID)
    (marked,) = (await cashdesk.desk.deliver(fits)).messages_of(RefundMarked)
    assert marked.refund.provider is None
    assert await position(cashdesk, order) == (0, 0, 300, 0, ["refund_unconfirmed"])


@pytest.mark.parametrize("is_notified", [True, False])
async def test_whether_the_customer_is_notified_goes_on_with_every_word(
    cashdesk: CashDesk, is_notified: bool
) -> None:
    order, _ = await paid(cashdesk)
    command = refund_order(order, 2000, notify_customer=is_notified, public_comment="Avec nos excuses.")
    (marked,) = (await cashdesk.desk.deliver(command)).messages_of(RefundMarked)
    confirm = ConfirmRefundMark(
        shop=order.shop, order_id=order.order_id, refund_id=command.refund_id, reference="VIR 1", actor="lea"
    )
    (confirmed,) = (await cashdesk.desk.deliver(confirm)).messages_of(RefundConfirmed)
    for word in (marked, confirmed):
        assert word.refund.notify_customer is is_notified
        assert word.refund.public_comment == ("Avec nos excuses." if is_notified else None)
