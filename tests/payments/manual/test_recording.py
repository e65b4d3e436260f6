"""Money a person received."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from contracts.envelope import uuid7
from contracts.payments.accounts import BalanceChanged, PaymentSettled
from contracts.sale import PaymentMethod
from contracts.service import CommandRejected
from tests.payments.builders import placed, record
from tests.payments.cashdesk import CashDesk


async def test_a_cheque_settles_the_order(cashdesk: CashDesk) -> None:
    order = placed(5000, method=PaymentMethod.CHEQUE)
    await cashdesk.desk.deliver(order)
    outcome = await cashdesk.desk.deliver(record(order, clearing_on=date(2026, 11, 25), note="au comptoir"))
    (settled,), (changed,) = outcome.messages_of(PaymentSettled), outcome.messages_of(BalanceChanged)
    assert (settled.amount_minor, settled.balance_minor, settled.method) == (5000, 0, PaymentMethod.CHEQUE)
    assert (settled.recorded_by, settled.reference, settled.received_on) == (
        "marie",
        "0001234",
        date(2026, 11, 20),
    )
    assert (settled.provider, settled.provider_reference) == (None, None)
    assert changed.position.received_by_hand_minor == 5000
    assert {envelope.causation_id for envelope, _ in outcome.emitted} == {outcome.envelope.id}


async def test_a_part_then_too_much(cashdesk: CashDesk) -> None:
    order = placed(5000, method=PaymentMethod.TRANSFER)
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order, 2000, method=PaymentMethod.CASH))
    assert (await cashdesk.account(order))["balance_minor"] == 3000
    await cashdesk.desk.deliver(record(order, 4000, method=PaymentMethod.TRANSFER))
    assert (await cashdesk.account(order))["balance_minor"] == -1000


async def test_the_same_command_again_is_one_receipt(cashdesk: CashDesk) -> None:
    order, command_id = placed(), uuid7()
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order), id=command_id)
    await cashdesk.desk.deliver(record(order), id=command_id)
    assert await cashdesk.entries(order) == [("order_total", 5000), ("payment_received", 5000)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "USD"}, "currency_differs"),
        ({"amount_minor": 0}, "amount_not_positive"),
        ({"amount_minor": -5}, "amount_not_positive"),
        ({"method": PaymentMethod.CARD}, "automatic_method"),
        ({"method": PaymentMethod.PAYPAL}, "automatic_method"),
        ({"method": PaymentMethod.FREE}, "automatic_method"),
        ({"received_on": date(2126, 1, 1)}, "received_in_the_future"),
    ],
)
async def test_refused_with_a_reason(cashdesk: CashDesk, changes: dict[str, Any], code: str) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    outcome = await cashdesk.desk.deliver(record(order, **changes))
    (rejected,) = outcome.messages_of(CommandRejected)
    assert [reason.code for reason in rejected.reasons] == [code]
    assert rejected.command_id == outcome.envelope.id
    assert await cashdesk.entries(order) == [("order_total", 5000)]


async def test_all_reasons_at_once(cashdesk: CashDesk) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    outcome = await cashdesk.desk.deliver(record(order, 0, currency="USD", method=PaymentMethod.CARD))
    (rejected,) = outcome.messages_of(CommandRejected)
    assert len(rejected.reasons) == 3


async def test_a_command_before_its_order_waits_and_is_then_done(cashdesk: CashDesk) -> None:
    order = placed()
    assert (await cashdesk.desk.deliver(record(order))).result == "waiting"
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.retry()
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_a_command_about_no_order_is_refused_after_two_minutes(cashdesk: CashDesk) -> None:
    command = record(placed())
    await cashdesk.desk.deliver(command)
    await cashdesk.desk.hub.pool.execute(
        "UPDATE msg.parked SET first_at = $1", datetime.now(UTC) - timedelta(minutes=3)
    )
    (event,) = [message for _, message in await cashdesk.desk.retry()]
    assert isinstance(event, CommandRejected)
    assert event.reasons[0].code == "unknown_order"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_minor = 1",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE attempt SET state = 'settled'",
        "DELETE FROM attempt",
    ],
)
async def test_the_books_are_append_only(cashdesk: CashDesk, statement: str) -> None:
    await cashdesk.desk.deliver(placed())
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await cashdesk.desk.hub.pool.execute(statement)


async def test_more_than_an_account_can_hold_is_refused_at_once(cashdesk: CashDesk) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order, 500))
    [refusal] = (await cashdesk.desk.deliver(record(order, 2**53 - 1))).messages_of(CommandRejected)
    assert [reason.code for reason in refusal.reasons] == ["amount_too_large"]


async def test_a_day_before_all_days_is_refused(cashdesk: CashDesk) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    [refusal] = (await cashdesk.desk.deliver(record(order, received_on=date.min))).messages_of(
        CommandRejected
    )
    assert [reason.code for reason in refusal.reasons] == ["received_long_ago"]
