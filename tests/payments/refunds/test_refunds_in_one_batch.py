"""Commands that meet in one batch see each other's refunds: no more goes back than came in."""

from collections.abc import Callable
from typing import Any

import pytest

from contracts.message import Message
from contracts.orders.changes import ChangeCause
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentUnmatched
from contracts.payments.refunds import GrantCredit, RefundCause, RefundMode
from tests.builders.envelopes import deliver, enveloped
from tests.builders.orders import deleted, edited
from tests.payments.builders import record, refund_order
from tests.payments.cashdesk import CashDesk
from tests.payments.refunds.test_refunding import paid, position


def _goodwill(order: OrderPlaced, amount_minor: int) -> GrantCredit:
    return GrantCredit(
        shop=order.shop,
        order_id=order.order_id,
        amount_minor=amount_minor,
        currency=order.currency,
        actor="marie",
        reason="Geste commercial",
    )


CASES: dict[str, Callable[[OrderPlaced], list[Message]]] = {
    "two full refunds": lambda order: [refund_order(order, 5000), refund_order(order, 5000)],
    "two partial refunds": lambda order: [refund_order(order, 3000), refund_order(order, 3000)],
    "refund and goodwill credit": lambda order: [refund_order(order, 5000), _goodwill(order, 5000)],
    "refund and cancellation": lambda order: [
        refund_order(order, 5000),
        edited(order, -5000, ChangeCause.CANCELLED),
    ],
}


async def _play(
    cashdesk: CashDesk, case: str, *, together: bool
) -> tuple[tuple[Any, ...], list[tuple[str, int]]]:
    order, _ = await paid(cashdesk)
    await deliver(cashdesk.desk, enveloped("payments", CASES[case](order)), together=together)
    return await position(cashdesk, order), await cashdesk.entries(order)


@pytest.mark.parametrize("case", CASES)
async def test_a_batch_is_as_one_by_one(cashdesk: CashDesk, case: str) -> None:
    alone = await _play(cashdesk, case, together=False)
    assert await _play(cashdesk, case, together=True) == alone


async def test_money_that_was_given_back_is_not_reported_as_nobodys(cashdesk: CashDesk) -> None:
    order, _ = await paid(cashdesk)
    batch = enveloped("payments", [refund_order(order, 5000), deleted(order)])
    outcomes = await deliver(cashdesk.desk, batch, together=True)
    assert [event.amount_minor for one in outcomes for event in one.messages_of(PaymentUnmatched)] == []


async def test_nothing_is_sent_beyond_what_is_left(cashdesk: CashDesk) -> None:
    """Card 50.00 and cheque 50.00 came in; 70.00 is recorded as given back, then 50.00 is to be sent to the card."""
    order, _ = await paid(cashdesk)
    await cashdesk.desk.deliver(record(order, 5000))
    commands = [
        refund_order(order, 7000, cause=RefundCause.OVERPAID),
        refund_order(order, 5000, mode=RefundMode.SENT, cause=RefundCause.OVERPAID),
    ]
    await deliver(cashdesk.desk, enveloped("payments", commands), together=True)
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.effect") == 0


async def test_sent_refunds_of_one_batch_see_each_other(cashdesk: CashDesk) -> None:
    order, _ = await paid(cashdesk)
    commands = [
        refund_order(order, 3000, mode=RefundMode.SENT),
        refund_order(order, 3000, mode=RefundMode.SENT),
        refund_order(order, 3000),
    ]
    await deliver(cashdesk.desk, enveloped("payments", commands), together=True)
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.effect") == 1
