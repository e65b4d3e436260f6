"""A deleted order's account is closed: what money it has or gets is reported as nobody's."""

from contracts.payments.accounts import BalanceChanged, PaymentUnmatched
from contracts.service import CommandRejected
from tests.builders.orders import deleted
from tests.payments.builders import event, intent, intent_id, names, of_kind, placed, record, succeeded
from tests.payments.cashdesk import CashDesk


async def test_a_late_webhook_waits_nowhere_and_its_money_is_reported(cashdesk: CashDesk) -> None:
    order, payment = placed(5000), intent_id()
    for message in (order, deleted(order)):
        await cashdesk.desk.deliver(message)
    late = succeeded(payment, **names(order))
    (report,) = of_kind(await cashdesk.pay(late), PaymentUnmatched)
    assert (report.reason, report.amount_minor, report.provider_reference) == ("order_deleted", 5000, payment)
    assert await cashdesk.end_of(late) == ("parked", "order_deleted")
    assert await cashdesk.entries(order) == [("order_total", 5000)]
    news = event("payment_intent.processing", intent(payment, **names(order)), 3)
    assert await cashdesk.pay(news) == []
    assert await cashdesk.end_of(news) == ("irrelevant", "order_deleted")


async def test_money_that_came_before_the_deletion_was_known_is_reported(cashdesk: CashDesk) -> None:
    order = placed(5000)
    for message in (order, record(order, 2000)):
        await cashdesk.desk.deliver(message)
    outcome = await cashdesk.desk.deliver(deleted(order))
    (report,) = outcome.messages_of(PaymentUnmatched)
    assert (report.provider, report.provider_reference, report.amount_minor) == ("manual", "0001234", 2000)
    assert outcome.messages_of(BalanceChanged) == []
    assert (await cashdesk.desk.deliver(deleted(order))).emitted == []


async def test_nothing_more_is_recorded_by_hand(cashdesk: CashDesk) -> None:
    order = placed(5000)
    for message in (order, deleted(order)):
        await cashdesk.desk.deliver(message)
    (answer,) = (await cashdesk.desk.deliver(record(order))).messages_of(CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["order_deleted"]


async def test_a_deletion_before_its_order_waits(cashdesk: CashDesk) -> None:
    order = placed(5000)
    assert (await cashdesk.desk.deliver(deleted(order))).result == "waiting"
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.retry()
    assert (await cashdesk.account(order))["closed_at"] is not None
