"""Insufficient stock: the order is flagged, and the oldest order gets new stock first."""

import secrets

from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale, inks, notebooks
from tests.journeys.shop import Shop

CASH = PaymentMethod.CASH


async def test_the_oldest_order_gets_what_comes(shop: Shop) -> None:
    sku = f"RARE-{secrets.token_hex(4)}"
    await shop.count_stock({sku: 3})
    [served] = await shop.order(a_sale(notebooks(3, sku), method=CASH))
    await shop.until_order(served, stock="reserved")
    [first] = await shop.order(a_sale(notebooks(2, sku), method=CASH))
    await shop.until_order(first, stock="missing", flags=["stock_missing"])
    [second] = await shop.order(a_sale(notebooks(2, sku), method=CASH))
    await shop.until_order(second, stock="missing", flags=["stock_missing"])

    refused = await shop.ask(f"/orders/{first}/parcels", {"lines": [{"line": 1, "quantity": 1}]})
    assert refused.status_code == 422
    [reason] = refused.json()["errors"]
    assert "stock" in reason["code"]
    assert reason["message"]

    await shop.count_stock({sku: 5})
    await shop.until_order(first, stock="reserved", flags=[])
    assert (await shop.shown(second))["flags"] == ["stock_missing"]
    await shop.pack(first, {1: 2})

    await shop.count_stock({sku: 7})
    await shop.until_order(second, stock="reserved", flags=[])
    await shop.pack(second, {1: 2})


async def test_an_order_reserves_all_of_its_goods_or_none(shop: Shop) -> None:
    sku = f"RARE-{secrets.token_hex(4)}"
    await shop.count_stock({sku: 1})
    [greedy] = await shop.order(a_sale(inks(1), notebooks(2, sku), method=CASH))
    await shop.until_order(greedy, stock="missing")
    assert await _available(shop, sku) == 1
    [modest] = await shop.order(a_sale(notebooks(1, sku), method=CASH))
    await shop.until_order(modest, stock="reserved")
    assert await _available(shop, sku) == 0


async def _available(shop: Shop, sku: str) -> int:
    async with shop.client("fulfillment") as http:
        answer = await http.get("/internal/stock", params={"shop": shop.name, "sku": sku})
    [level] = answer.json()["levels"]
    return int(level["available"])
