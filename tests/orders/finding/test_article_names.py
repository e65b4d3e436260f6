"""What articles are called: the latest order says it, in whatever sequence orders are looked at."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.storefront import LineKind
from services.orders.finding.indexing import index, read_article_names
from tests.conftest import Desks
from tests.orders.builders import SHOP
from tests.orders.staff import place, sale

HOSTILE = "<b>\"'\u202e" + "W" * 300


async def _named(desk: Any, name: str, days: int, sku: str = "BOUGIE-01", shop: str = SHOP) -> Any:
    sold = sale(shop=shop)
    lines = [
        line.model_copy(update={"description": name, "sku": sku}) if line.kind is LineKind.SHIP else line
        for line in sold.lines
    ]
    at = sold.submitted_at - timedelta(days=days)
    return await place(desk, sale(shop=shop, lines=lines, submitted_at=at))


@pytest.mark.parametrize("sequence", permutations((0, 1, 2)))
async def test_the_latest_orders_name_stands(desks: Desks, sequence: tuple[int, ...]) -> None:
    desk = await desks("orders")
    orders = [await _named(desk, name, days) for name, days in (("Old", 9), ("Latest", 0), ("Older", 20))]
    async with desk.unit() as unit:
        for one in sequence:
            await index(unit.connection, [(SHOP, orders[one].order_id)])
        assert await read_article_names(unit.connection, SHOP, ["BOUGIE-01", "NONE"]) == {
            "BOUGIE-01": "Latest"
        }


async def test_a_batch_names_each_article_of_each_shop_once(desks: Desks) -> None:
    desk = await desks("orders")
    orders = [
        await _named(desk, HOSTILE, 1),
        await _named(desk, "Other", 0, sku="AUTRE"),
        await _named(desk, "Theirs", 0, shop="autre"),
    ]
    keys = [(order.shop, order.order_id) for order in orders]
    async with desk.unit() as unit:
        for _ in range(2):
            await index(unit.connection, keys)
        assert await read_article_names(unit.connection, SHOP, ["BOUGIE-01", "AUTRE"]) == {
            "BOUGIE-01": HOSTILE,
            "AUTRE": "Other",
        }
        assert await read_article_names(unit.connection, "autre", ["BOUGIE-01"]) == {"BOUGIE-01": "Theirs"}
        assert await read_article_names(unit.connection, SHOP, []) == {}
