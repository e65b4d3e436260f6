"""A storefront may name the provider's payment after its order was placed."""

from contracts.orders.lifecycle import OrderPlaced, PaymentReferenced
from contracts.payments.accounts import PaymentSettled
from tests.builders.orders import deleted
from tests.payments.builders import intent_id, of_kind, placed, succeeded
from tests.payments.cashdesk import CashDesk


def referenced(order: OrderPlaced, reference: str) -> PaymentReferenced:
    """The payment of an order, named later."""
    about = {"shop": order.shop, "order_id": order.order_id, "code": order.code}
    return PaymentReferenced(**about, provider="stripe", provider_reference=reference)


async def test_money_that_waits_for_a_payments_order_joins_it(cashdesk: CashDesk) -> None:
    order, payment = placed(5000), intent_id()
    money = succeeded(payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(money)
    assert await cashdesk.end_of(money) == ("waiting", "order_unknown")
    await cashdesk.desk.deliver(referenced(order, payment))
    emitted = await cashdesk.apply()
    assert [settled.balance_minor for settled in of_kind(emitted, PaymentSettled)] == [0]


async def test_it_waits_for_its_order(cashdesk: CashDesk) -> None:
    order, payment = placed(5000), intent_id()
    assert (await cashdesk.desk.deliver(referenced(order, payment))).result == "waiting"
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.retry()
    assert await cashdesk.desk.fetchval("SELECT order_id FROM provider_object") == order.order_id


async def test_a_payment_of_another_order_stays_there(cashdesk: CashDesk) -> None:
    payment = intent_id()
    first, other = placed(5000, reference=payment), placed(5000)
    for order in (first, other):
        await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(referenced(other, payment))
    assert await cashdesk.desk.fetchval("SELECT order_id FROM provider_object") == first.order_id


async def test_a_deleted_order_claims_no_payment(cashdesk: CashDesk) -> None:
    order = placed(5000)
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(deleted(order))
    assert (await cashdesk.desk.deliver(referenced(order, intent_id()))).result == "handled"
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM provider_object") == 0
