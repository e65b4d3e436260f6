"""Free orders: ready at once; the method `free` is rejected for an order with a price."""

from contracts.sale import LineKind, PaymentMethod
from contracts.storefront import OrderRefused
from deploy.samples.submissions import line
from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale, notebooks, open_day
from tests.journeys.shop import Shop, receipts

FREE = PaymentMethod.FREE


async def test_a_free_ticket_is_ready_without_a_payment(shop: Shop) -> None:
    sale = a_sale(open_day(), method=FREE, module="events")
    [order] = await shop.order(sale)
    free = await shop.until_order(
        order, state="ready", payment_status="paid", fulfilment_status="not_required"
    )
    assert (free["total_minor"], receipts(free)) == (0, [])
    [recap] = await shop.mails_to(sale.recipient)
    assert "Il n’y a rien à payer." in text_of(recap)


async def test_free_goods_are_packed_shipped_and_completed(shop: Shop) -> None:
    gift = line(LineKind.SHIP, "Carnet offert", 1, 1250, discount_minor=1250, sku="JOURNEY-NOTEBOOK")
    [order] = await shop.order(a_sale(gift, method=FREE))
    await shop.until_order(order, state="ready")
    shipment = await shop.ship(order, [await shop.pack(order, {1: 1})])
    await shop.deliver(order, shipment)
    await shop.until_order(order, state="completed", payment_status="paid", fulfilment_status="delivered")


async def test_what_has_a_price_is_not_free(shop: Shop) -> None:
    sale = a_sale(notebooks(1), method=FREE)
    await shop.submit(sale)
    answer = await shop.answer(sale)
    assert isinstance(answer, OrderRefused)
    assert [reason.code for reason in answer.reasons] == ["free_above_zero"]
