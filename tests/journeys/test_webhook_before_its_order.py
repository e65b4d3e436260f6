"""A payment that Stripe reports before its order is received is stored, and matched later."""

import asyncio

from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop, receipts


async def test_a_payment_waits_for_the_order_it_belongs_to(shop: Shop) -> None:
    sale = a_sale()
    await shop.report(sale)
    assert await _waits(shop, sale.provider_reference)

    [order] = await shop.order(sale)

    paid = await shop.until_order(order, state="ready", payment_status="paid")
    assert paid["label"]["fr"] == "Commande en cours"
    assert [entry["amount_minor"] for entry in receipts(paid)] == [2500]


async def test_payment_and_order_arrive_at_the_same_time(shop: Shop) -> None:
    sales = [a_sale() for _ in range(25)]
    await asyncio.gather(*(shop.report(sale) for sale in sales), shop.submit(*sales))
    for sale in sales:
        paid = await shop.until_order(str(sale.event_id), state="ready", payment_status="paid")
        assert len(receipts(paid)) == 1


async def _waits(shop: Shop, intent: str) -> bool:
    async def found() -> bool | None:
        async with shop.client("payments") as http:
            rows = (await http.get("/internal/webhooks", params={"state": "waiting"})).json()["webhooks"]
        return any(intent in str(row) for row in rows) or None

    return await shop.until(f"waiting webhook of {intent}", found)
