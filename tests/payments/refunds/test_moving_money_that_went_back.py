"""What moves to another order is at most what the first one still holds."""

import pytest

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import ReassignPayment
from contracts.payments.refunds import RefundCause, RefundMode
from contracts.service import CommandRejected
from services.chassis.testing import Outcome
from tests.payments.builders import placed, record, refund_order
from tests.payments.cashdesk import CashDesk
from tests.payments.refunds.test_refunding import paid


async def _move(cashdesk: CashDesk, intent: str, to: OrderPlaced) -> Outcome:
    await cashdesk.desk.deliver(to)
    names = {"provider": "stripe", "provider_reference": intent}
    command = ReassignPayment(shop=to.shop, order_id=to.order_id, actor="marie", **names)
    return await cashdesk.desk.deliver(command)


@pytest.mark.parametrize(("went_back", "left"), [(100, 3000), (2500, 500), (4000, 1000), (4999, 1)])
async def test_what_went_back_does_not_move(cashdesk: CashDesk, went_back: int, left: int) -> None:
    """Card 30.00 and cheque 20.00 came in. What goes back is of the cheque, of the card, or of no single payment."""
    order, intent = await paid(cashdesk, 3000)
    await cashdesk.desk.deliver(record(order, 2000))
    await cashdesk.desk.deliver(refund_order(order, went_back, cause=RefundCause.OVERPAID))
    other = placed(3000)
    outcome = await _move(cashdesk, intent, other)
    first, second = await cashdesk.account(order), await cashdesk.account(other)
    assert first["received_minor"] >= first["refunded_minor"] + first["marked_minor"]
    assert second["received_minor"] == left
    assert not outcome.messages_of(CommandRejected)
    await cashdesk.check_ledger()


async def test_nothing_moves_when_all_went_back_or_is_about_to(cashdesk: CashDesk) -> None:
    order, intent = await paid(cashdesk, 3000)
    await cashdesk.desk.deliver(record(order, 2000))
    await cashdesk.desk.deliver(refund_order(order, 4000, cause=RefundCause.OVERPAID))
    sent = refund_order(order, 1000, cause=RefundCause.OVERPAID, mode=RefundMode.SENT)
    await cashdesk.desk.deliver(sent)
    (refused,) = (await _move(cashdesk, intent, placed(3000))).messages_of(CommandRejected)
    assert [reason.code for reason in refused.reasons] == ["nothing_left_to_move"]
