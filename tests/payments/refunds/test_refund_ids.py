"""A refund's id belongs to one order; the same id for another one is refused in words."""

import pytest

from contracts.envelope import uuid7
from contracts.payments.refunds import RefundMode
from contracts.service import CommandRejected
from tests.payments.builders import refund_order
from tests.payments.cashdesk import CashDesk
from tests.payments.refunds.test_refunding import paid
from tests.payments.refunds.test_sending_refunds import Till, provider, send, till

__all__ = ["provider", "till"]


async def test_a_sent_refund_keeps_its_row_when_its_id_is_used_again(till: Till) -> None:
    cashdesk, refund_id = till.cashdesk, uuid7()
    await cashdesk.desk.deliver(refund_order(till.order, 2000, mode=RefundMode.SENT, refund_id=refund_id))
    await send(cashdesk)
    other, _ = await paid(cashdesk)
    command = refund_order(other, 1000, mode=RefundMode.SENT, refund_id=refund_id)
    assert (await cashdesk.desk.deliver(command)).messages_of(CommandRejected)
    (row,) = await cashdesk.desk.fetch("SELECT order_id, is_sent FROM refund WHERE refund_id = $1", refund_id)
    assert tuple(row) == (till.order.order_id, True)


async def test_a_recorded_refund_under_a_used_id_is_refused(cashdesk: CashDesk) -> None:
    refund_id = uuid7()
    one, _ = await paid(cashdesk)
    other, _ = await paid(cashdesk)
    await cashdesk.desk.deliver(refund_order(one, 2000, refund_id=refund_id))
    outcome = await cashdesk.desk.deliver(refund_order(other, 1000, refund_id=refund_id))
    assert outcome.result == "handled"
    assert outcome.messages_of(CommandRejected)


@pytest.mark.parametrize(("amount_minor", "mode"), [(1000, RefundMode.RECORDED), (2000, RefundMode.SENT)])
async def test_another_refund_of_the_same_order_under_a_used_id_is_refused(
    cashdesk: CashDesk, amount_minor: int, mode: RefundMode
) -> None:
    order, _ = await paid(cashdesk)
    refund_id = uuid7()
    await cashdesk.desk.deliver(refund_order(order, 2000, refund_id=refund_id))
    command = refund_order(order, amount_minor, refund_id=refund_id, mode=mode)
    (refused,) = (await cashdesk.desk.deliver(command)).messages_of(CommandRejected)
    assert [reason.code for reason in refused.reasons] == ["refund_id_used"]
    assert (await cashdesk.account(order))["marked_minor"] == 2000
