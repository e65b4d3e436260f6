"""A SKU that falls to its threshold is published once, by what made it fall; rising and staying low are not."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.fulfillment.stock import SetStockThreshold, StockRanLow, StockThresholdSet
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk, Outcome
from services.fulfillment.api import store as list_store
from services.fulfillment.api.documents import show_stock
from services.fulfillment.api.list_documents import show_levels
from services.fulfillment.order.low_stock.thresholds import has_run_low, is_low
from services.fulfillment.order.unit import stock_store
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_at, stock_of


def threshold(shop: str, units: int | None, sku: str = "A") -> SetStockThreshold:
    return SetStockThreshold(shop=shop, sku=sku, threshold=units, actor="staff:zoe")


def warnings(outcome: Outcome) -> list[tuple[str, int, int]]:
    return [(one.sku, one.available, one.threshold) for one in outcome.messages_of(StockRanLow)]


async def a_desk(desks: Desks, on_hand: int, units: int | None) -> tuple[Desk, str]:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=on_hand, B=on_hand))
    if units is not None:
        await desk.deliver(threshold(shop, units))
    return desk, shop


async def test_an_order_that_takes_stock_to_the_threshold_warns_once(desks: Desks) -> None:
    desk, shop = await a_desk(desks, 10, 5)
    assert warnings(await desk.deliver(placed(shop, goods("A", 4), goods("B", 9)))) == []
    assert warnings(await desk.deliver(placed(shop, goods("A", 1)))) == [("A", 5, 5)]
    assert warnings(await desk.deliver(placed(shop, goods("A", 1)))) == [], "it was low already"
    assert warnings(await desk.deliver(stock_of(shop, A=20))) == [], "it rose"
    assert warnings(await desk.deliver(stock_of(shop, A=8))) == [("A", 2, 5)], "it fell again"


async def test_all_locations_count_together(desks: Desks) -> None:
    desk, shop = await a_desk(desks, 4, 5)
    await desk.deliver(stock_at(shop, ("A", "cave", 4)))
    assert warnings(await desk.deliver(stock_at(shop, ("A", "main", 1)))) == [("A", 5, 5)]


async def test_setting_a_threshold_warns_of_nothing_and_is_done_once(desks: Desks) -> None:
    desk, shop = await a_desk(desks, 3, None)
    set_ = await desk.deliver(threshold(shop, 5))
    assert [one.threshold for one in set_.messages_of(StockThresholdSet)] == [5]
    assert warnings(set_) == []
    assert len((await desk.deliver(threshold(shop, 5))).messages_of(CommandDone)) == 1
    assert [
        one.threshold for one in (await desk.deliver(threshold(shop, None))).messages_of(StockThresholdSet)
    ] == [None]
    assert await desk.fetchval("SELECT count(*) FROM stock_threshold") == 0
    await desk.deliver(stock_of(shop, A=20))
    assert warnings(await desk.deliver(stock_of(shop, A=1))) == []


async def test_a_threshold_of_what_was_never_counted_is_refused(desks: Desks) -> None:
    desk, shop = await a_desk(desks, 3, None)
    [refused] = (await desk.deliver(threshold(shop, 5, sku="C"))).messages_of(CommandRejected)
    assert [(one.code, one.field) for one in refused.reasons] == [("level_unknown", "sku")]


@pytest.mark.parametrize("units", [0, 1])
async def test_none_left_is_low_too(desks: Desks, units: int) -> None:
    desk, shop = await a_desk(desks, 2, units)
    assert warnings(await desk.deliver(placed(shop, goods("A", 2)))) == [("A", 0, units)]


@pytest.fixture
async def desk(desks: Desks) -> Desk:
    """One desk for all examples of a test; each has a shop of its own."""
    return await desks("fulfillment")


Stock = dict[str, tuple[int | None, dict[str, int]]]
"""By SKU: its threshold, and the units on hand by location."""
STOCKS: st.SearchStrategy[Stock] = st.dictionaries(
    st.sampled_from("ABCD"),
    st.tuples(
        st.none() | st.integers(0, 12),
        st.dictionaries(st.sampled_from(["main", "cave"]), st.integers(0, 12), min_size=1),
    ),
    min_size=1,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stock=STOCKS, taken=st.integers(0, 12))
async def test_list_filter_article_and_mail_follow_one_rule(desk: Desk, stock: Stock, taken: int) -> None:
    shop = a_shop()
    for sku, (units, levels) in stock.items():
        await desk.deliver(stock_at(shop, *((sku, place, count) for place, count in levels.items())))
        await desk.deliver(threshold(shop, units, sku))
    before = {sku: sum(levels.values()) for sku, (_, levels) in stock.items()}
    sold = {sku: min(taken, max(levels.values())) for sku, (_, levels) in stock.items()}
    lines = [goods(sku, units) for sku, units in sold.items() if units]
    warned = {one[0] for one in warnings(await desk.deliver(placed(shop, *lines)))} if lines else set()

    after = {sku: before[sku] - sold[sku] for sku in stock}
    low = {sku for sku, (units, _) in stock.items() if is_low(after[sku], units)}
    assert low == {sku for sku, (units, _) in stock.items() if after[sku] <= (5 if units is None else units)}
    shown, found = await _levels(desk, shop), await _levels(desk, shop, only_low=True)
    assert {sku for sku, is_shown_low in shown if is_shown_low} == low, "what the list shows"
    assert {sku for sku, _ in found} == low, "what the filter finds"
    assert set(await _low_by_article(desk, shop, stock)) == low, "what the article's page shows"
    fell = {sku for sku in low if stock[sku][0] is not None and not is_low(before[sku], stock[sku][0])}
    assert warned == fell, "what the shop gets a mail about"


async def _levels(desk: Desk, shop: str, *, only_low: bool = False) -> list[tuple[str, bool]]:
    sequence = list_store.Sequence.SKU if only_low else list_store.Sequence.AVAILABLE
    async with desk.hub.acquire() as connection:
        rows = await list_store.read_level_page(
            connection, shop, "", None, None, sequence, None, 50, only_low=only_low
        )
    return [(level.sku, level.is_low) for level in show_levels(rows, 49).levels]


async def _low_by_article(desk: Desk, shop: str, skus: Iterable[str]) -> list[str]:
    async with desk.hub.acquire() as connection:
        levels = await stock_store.read_levels(connection, shop, skus)
        thresholds = await stock_store.read_thresholds(connection, shop, skus)
    return show_stock(shop, levels, thresholds).low


@given(st.integers(0, 20), st.lists(st.integers(0, 40), min_size=2))
def test_between_two_warnings_stock_rose_above_the_threshold(limit: int, levels: list[int]) -> None:
    steps = list(itertools.pairwise(levels))
    warned = [number for number, (before, after) in enumerate(steps) if has_run_low(limit, before, after)]
    assert all(levels[number + 1] <= limit < levels[number] for number in warned)
    for first, second in itertools.pairwise(warned):
        assert max(levels[first + 1 : second + 1]) > limit
    if levels[0] > limit:
        assert bool(warned) is (min(levels) <= limit)
