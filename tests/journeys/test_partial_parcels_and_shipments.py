"""An order is shipped in several parcels and shipments; its statuses follow each step."""

from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale, inks, notebooks
from tests.journeys.shop import Shop


async def test_from_the_first_parcel_to_the_last_delivery(shop: Shop) -> None:
    sale = a_sale(notebooks(3), inks(2), method=PaymentMethod.CARD)
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready", fulfilment_status="unfulfilled", units_to_pack=5)

    first = await shop.pack(order, {1: 2})
    await shop.until_order(order, fulfilment_status="partially_packed", units_to_pack=3, units_to_ship=2)
    early = await shop.ship(order, [first])
    await shop.until_order(order, state="processing", fulfilment_status="partially_shipped", units_to_ship=0)
    await shop.deliver(order, early)
    await shop.until_order(order, state="processing", fulfilment_status="partially_delivered")

    second = await shop.pack(order, {1: 1, 2: 1})
    third = await shop.pack(order, {2: 1})
    await shop.until_order(order, units_to_pack=0, units_to_ship=3)
    late = await shop.ship(order, [second, third])
    await shop.until_order(order, state="processing", units_to_ship=0)
    await shop.deliver(order, late)

    done = await shop.until_order(order, state="completed", fulfilment_status="delivered")
    assert [parcel["number"] for parcel in sorted(done["parcels"], key=lambda one: one["number"])] == [
        1,
        2,
        3,
    ]
    assert {shipment["shipment_id"] for shipment in done["shipments"]} == {early, late}
    assert {delivery["proof"] for delivery in done["deliveries"]} == {"signature"}
    for number, units in ((0, 3), (1, 2)):
        position = done["lines"][number]["position"]
        assert [position[stage] for stage in ("packed", "shipped", "delivered")] == [units] * 3


async def test_two_people_pack_the_last_unit_and_one_is_refused(shop: Shop) -> None:
    sale = a_sale(notebooks(1))
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready")
    await shop.pack(order, {1: 1})
    late = await shop.ask(f"/orders/{order}/parcels", {"lines": [{"line": 1, "quantity": 1}]})
    assert late.status_code == 422
    [reason] = late.json()["errors"]
    assert reason["code"] == "quantity_above_left"
    assert "1 to pack, 0 left to pack" in reason["message"]
