"""Orders without goods to ship need no parcel and are in no packing queue."""

from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale, engraving, notebooks
from tests.journeys.shop import Shop


async def test_a_service_is_paid_and_needs_no_parcel(shop: Shop) -> None:
    [order] = await shop.order(a_sale(engraving(), method=PaymentMethod.TRANSFER, shipping_address=None))
    waiting = await shop.until_order(order, state="awaiting_payment", fulfilment_status="not_required")
    assert (waiting["units_to_pack"], waiting["units_to_ship"]) == (0, 0)
    await shop.receive(order, PaymentMethod.TRANSFER, 1800)
    await shop.until_order(order, state="ready", payment_status="paid", fulfilment_status="not_required")

    refused = await shop.ask(f"/orders/{order}/parcels", {"lines": [{"line": 1, "quantity": 1}]})
    assert refused.status_code == 422
    assert [reason["code"] for reason in refused.json()["errors"]] == ["not_shippable"]


async def test_beside_a_service_only_the_goods_are_packed(shop: Shop) -> None:
    sale = a_sale(notebooks(1), engraving())
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready", units_to_pack=1)
    await shop.deliver(order, await shop.ship(order, [await shop.pack(order, {1: 1})]))
    await shop.until_order(order, state="processing", fulfilment_status="delivered", units_to_pack=0)
