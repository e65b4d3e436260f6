"""Names of articles come from the latest order, in any order of processing."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.sale import LineKind
from services.orders.order.search.indexing import index, read_article_names
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.rest_client import place, sale

HOSTILE = "<b>\"'" + "W" * 300


async def _named(
    desk: Any, name: str, days: int, sku: str = "BOUGIE-01", shop: str = SHOP, locale: str = "fr"
) -> Any:
    sold = sale(shop=shop)
    lines = [
        line.model_copy(update={"description": name, "sku": sku}) if line.kind is LineKind.SHIP else line
        for line in sold.lines
    ]
    at = sold.submitted_at - timedelta(days=days)
    return await place(desk, sale(shop=shop, lines=lines, submitted_at=at, locale=locale))


@pytest.mark.parametrize("sequence", list(permutations((0, 1, 2))))
async def test_the_latest_orders_name_counts(desks: Desks, sequence: tuple[int, ...]) -> None:
    desk = await desks("orders")
    orders = [await _named(desk, name, days) for name, days in (("Old", 9), ("Latest", 0), ("Older", 20))]
    async with desk.unit() as unit:
        for one in sequence:
            await index(unit.connection, [(SHOP, orders[one].order_id)])
        assert await read_article_names(unit.connection, SHOP, ["BOUGIE-01", "NONE"], "fr") == {
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
        assert await read_article_names(unit.connection, SHOP, ["BOUGIE-01", "AUTRE"], "fr") == {
            "BOUGIE-01": HOSTILE,
            "AUTRE": "Other",
        }
        assert await read_article_names(unit.connection, "autre", ["BOUGIE-01"], "fr") == {
            "BOUGIE-01": "Theirs"
        }
        assert await read_article_names(unit.connection, SHOP, [], "fr") == {}


async def test_a_name_in_the_readers_language_comes_first(desks: Desks) -> None:
    desk = await desks("orders")
    orders = [await _named(desk, "Bougie", 3), await _named(desk, "Candle", 0, locale="en-GB")]
    async with desk.unit() as unit:
        await index(unit.connection, [(SHOP, order.order_id) for order in orders])
        names = {
            language: await read_article_names(unit.connection, SHOP, ["BOUGIE-01"], language)
            for language in ("fr", "en", "de")
        }
    assert [found["BOUGIE-01"] for found in names.values()] == ["Bougie", "Candle", "Candle"]
