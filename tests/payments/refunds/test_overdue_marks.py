"""A recorded refund that nothing confirms within seven days is published once; a confirmed one never."""

import json
from datetime import timedelta

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import ConfirmRefundMark, RefundMode
from services.chassis.testing import Outcome
from services.payments.accounts.unit.publication import MARK_TIMER
from services.payments.refunds.overdue import warn_of_mark
from tests.payments.builders import placed, record, refund_order
from tests.payments.cashdesk import CashDesk

_TIMERS = "SELECT key, payload, due_at FROM msg.timer WHERE kind = $1"
_REPORTED_AT = "SELECT count(*) FROM msg.event_log WHERE type = 'payments.refund_mark.overdue.v1'"


async def marked(cashdesk: CashDesk) -> tuple[OrderPlaced, Outcome]:
    """A paid order, 20.00 of which were recorded as refunded."""
    order = placed()
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order))
    return order, await cashdesk.desk.deliver(refund_order(order, 2000, mode=RefundMode.RECORDED))


async def fire(cashdesk: CashDesk) -> None:
    for timer in await cashdesk.desk.fetch(_TIMERS, MARK_TIMER):
        async with cashdesk.hub.unit() as unit:
            await warn_of_mark(unit, timer["key"], json.loads(timer["payload"]))


async def test_a_mark_is_reported_when_its_time_is_over(cashdesk: CashDesk) -> None:
    _, message = await marked(cashdesk)
    [timer] = await cashdesk.desk.fetch(_TIMERS, MARK_TIMER)
    refund = json.loads(timer["payload"])["refund_id"]
    assert timer["key"] == refund
    assert timer["due_at"] - message.envelope.time == timedelta(days=7)
    await fire(cashdesk)
    assert await cashdesk.desk.fetchval(_REPORTED_AT) == 1
    await cashdesk.check_ledger()


async def test_a_confirmed_mark_is_not_reported(cashdesk: CashDesk) -> None:
    order, _ = await marked(cashdesk)
    [timer] = await cashdesk.desk.fetch(_TIMERS, MARK_TIMER)
    confirmation = ConfirmRefundMark(
        shop=order.shop,
        order_id=order.order_id,
        refund_id=timer["key"],
        reference="VIR-2026-77",
        actor="staff:zoe",
    )
    await cashdesk.desk.deliver(confirmation)
    await fire(cashdesk)
    assert await cashdesk.desk.fetchval(_REPORTED_AT) == 0
