"""Payment on site: the order can be prepared unpaid, and the merchant sees the amount still to be collected."""

from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop

CASH = PaymentMethod.CASH


async def test_cash_is_collected_when_the_goods_are_handed_over(shop: Shop) -> None:
    [order] = await shop.order(a_sale(method=CASH))
    fresh = await shop.until_order(order, state="ready", payment_status="unpaid", units_to_pack=2)
    assert fresh["flags"] == []

    parcel = await shop.pack(order, {1: 2})
    packed = await shop.until_order(order, fulfilment_status="packed")
    assert packed["flags"] == ["to_collect"]

    await shop.deliver(order, await shop.ship(order, [parcel]))
    handed_over = await shop.until_order(order, fulfilment_status="delivered")
    assert (handed_over["state"], handed_over["flags"]) == ("processing", ["to_collect"])

    await shop.receive(order, CASH, 2500)
    done = await shop.until_order(order, state="completed", payment_status="paid")
    assert done["flags"] == []
    assert done["status"] == "done"
