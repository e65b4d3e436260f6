"""Stock pages: levels and movements as fulfillment tells them, adjusted once, counts that never undo a sale."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import pytest

from contracts.fulfillment.stock import AdjustStock, SetStockThreshold
from services.fulfillment.order.stock import Kind
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.stock.pages import KINDS, article_href
from services.orders.order.search.indexing import index_due
from tests.backoffice.browser import Backoffice, FormShown
from tests.backoffice.conftest import Backoffices
from tests.backoffice.warehouse import Warehouse, a_warehouse
from tests.builders.shipments import call_off, dispatch
from tests.conftest import Desks
from tests.orders.rest_client import sale, sent

SKU = "<b>\"&'/?#%\u202e" + "X" * 48
HOSTILE = "<script>alert(1)</script>" + "W" * 200
CANDLE = article_href("BOUGIE-01")


@pytest.fixture
async def warehouse(backoffices: Backoffices, desks: Desks) -> AsyncIterator[Warehouse]:
    """The back office and a fulfillment service with candles on one shelf."""
    async with a_warehouse(backoffices, desks) as opened:
        await opened.count(("BOUGIE-01", "Rayon A", 10), (SKU, "Cave", 2))
        yield opened


def _filled(form: FormShown, **typed: str) -> list[tuple[str, str]]:
    return [*(field for field in form.fields if field[0] not in typed), *typed.items()]


async def _on_hand(warehouse: Warehouse, sku: str = "BOUGIE-01") -> int:
    query = "select sum(on_hand)::int from stock_level where shop = 'maison' and sku = $1"
    return int(await warehouse.shelves.fetchval(query, sku) or 0)


async def test_articles_are_named_as_their_latest_order_named_them(warehouse: Warehouse) -> None:
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    assert "Bougie" not in (await browser.get("/stock")).words
    await warehouse.order(sale())
    assert await index_due(warehouse.backoffice.desk.hub) is False
    for path in ("/stock", CANDLE):
        shown = await browser.get(path)
        assert "Bougie" in shown.words
        assert "BOUGIE-01" in shown.words, "the number stays"
    assert SKU in (await browser.get("/stock")).words, "nothing named it"


async def test_levels_are_listed_filtered_and_paged(warehouse: Warehouse) -> None:
    await warehouse.order(sale())
    await warehouse.count(*((f"PAGE-{number:03}", "Réserve", 100 + number) for number in range(60)))
    browser = await warehouse.backoffice.signed_in(Role.ACCOUNTANT)
    first = await browser.get("/stock")
    assert first.text.count("<tr data-row>") == 50
    assert SKU in first.words
    assert "<b>" not in first.text
    assert "Running low" in first.words
    following = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = await browser.get(following)
    assert second.text.count("<tr data-row>") == 12
    back = second.text.split('rel="prev"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert (await browser.get(back)).text.count("<tr data-row>") == 50

    async def rows(query: str) -> int:
        return (await browser.get(f"/stock?{query}")).text.count("<tr data-row>")

    assert await rows("q=page-01") == 10
    assert await rows("location=Cave") == 1
    assert await rows("at_most=7") == 2, "three of the candles are reserved"
    assert await rows("sequence=sku&q=page") == 50
    shown = await browser.get("/stock?q=nothing-like-it")
    assert "No matching articles" in shown.words
    shown = await browser.get("/stock?at_most=many")
    assert "Enter a whole number" in shown.words
    assert ("at_most", "many") in shown.form("/stock").fields
    for path in ("/stock?after=nonsense", "/stock/article", article_href("NONE")):
        assert (await browser.get(path)).status == 404


async def test_an_article_is_low_at_its_threshold_and_without_one_at_the_default(
    warehouse: Warehouse,
) -> None:
    await warehouse.count(("RARE", "main", 6), ("PLENTY", "main", 4), ("PLENTY", "Cave", 90))
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)

    async def low() -> list[str]:
        listed = (await browser.get("/stock?low=true")).text
        assert listed.count("<tr data-row>") == listed.count("Running low")
        return [unescape(sku) for sku in re.findall(r'<a class="code said" href="[^"]*">([^<]+)</a>', listed)]

    assert await low() == [SKU], "of the others more than five are available, at all locations together"
    assert "Running low" not in (await browser.get(article_href("PLENTY"))).words
    for sku, threshold in (("RARE", 6), ("BOUGIE-01", 9), (SKU, 1)):
        actor = "staff:zoe"
        await warehouse.do(SetStockThreshold(shop="maison", sku=sku, threshold=threshold, actor=actor))
    assert await low() == ["RARE"]
    shown = await browser.get(article_href("RARE"))
    assert "Running low" in shown.words
    assert "If empty: shown as low at 5 or fewer, without a mail." in shown.words
    assert "Threshold: 9" in (await browser.get("/stock")).words
    assert "Choose an option from the list." in (await browser.get("/stock?low=perhaps")).words


async def test_movements_give_the_reason_and_lead_to_the_order(warehouse: Warehouse) -> None:
    order = await warehouse.order(sale())
    change = {"shop": "maison", "sku": "BOUGIE-01", "location": "Rayon A", "change": -1, "actor": "staff:zoe"}
    await warehouse.do(AdjustStock.model_validate({**change, "reason": HOSTILE}))
    browser = await warehouse.backoffice.signed_in(Role.ACCOUNTANT)
    shown = await browser.get(CANDLE)
    for text in ("Reserved", "Adjusted", "staff:zoe", HOSTILE, "+3", "−1", "+10", order.code):
        assert text in shown.words
    assert f'href="/orders/{order.code}"' in shown.text
    assert "<script>alert" not in shown.text
    assert CANDLE not in {form.action for form in shown.forms}, "an accountant only looks"
    assert (await browser.post(CANDLE, {"key": "key-12345678"})).status == 403
    assert (await browser.get("/stock/new")).status == 403
    stranger = await warehouse.backoffice.signed_in(shop="atelier")
    assert (await stranger.get(CANDLE)).status == 404
    assert "No stock yet" in (await stranger.get("/stock")).words


async def test_units_that_went_are_taken_off_once(warehouse: Warehouse) -> None:
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    form = (await browser.get(CANDLE)).form(CANDLE)
    fields = _filled(form, way="change", quantity="−3", reason="Casse")
    done = await warehouse.carry_out(browser.post(CANDLE, fields))
    assert (done.status, done.headers["location"]) == (303, CANDLE)
    assert (await browser.post(CANDLE, fields)).status == 303, "the back button"
    assert await _on_hand(warehouse) == 7
    assert len(await sent(warehouse.backoffice.desk)) == 1
    assert "Casse" in (await browser.get(CANDLE)).words


async def test_a_count_sets_the_level_and_never_undoes_what_came_between(warehouse: Warehouse) -> None:
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    form, late = [(await browser.get(CANDLE)).form(CANDLE) for _ in range(2)]
    fields = _filled(form, way="counted", quantity="8", reason="Inventaire")
    assert (await warehouse.carry_out(browser.post(CANDLE, fields))).status == 303
    assert await _on_hand(warehouse) == 8
    assert (await browser.post(CANDLE, fields)).status == 303, "sent again it is the same request"
    stale = await browser.post(CANDLE, _filled(late, way="counted", quantity="9", reason="Inventaire"))
    assert (stale.status, "it is 8 now" in stale.words) == (422, True)
    assert dict(stale.form(CANDLE).fields)["reason"] == "Inventaire"
    assert dict(stale.form(CANDLE).fields)["seen-Rayon A"] == "8", (
        "counting again compares with what is there"
    )
    assert await _on_hand(warehouse) == 8


@pytest.mark.parametrize(
    ("way", "quantity", "reason", "expected"),
    [
        ("change", "0", "Casse", "This changes nothing."),
        ("counted", "10", "Inventaire", "This changes nothing."),
        ("change", "some", "Casse", "Enter a whole number"),
        ("counted", "-1", "Inventaire", "Enter a whole number"),
        ("change", "", "Casse", "This field is required."),
        ("change", "2", "  ", "This field is required."),
    ],
)
async def test_what_can_not_be_meant_is_refused_beside_its_field(
    warehouse: Warehouse, way: str, quantity: str, reason: str, expected: str
) -> None:
    browser = await warehouse.backoffice.signed_in()
    form = (await browser.get(CANDLE)).form(CANDLE)
    shown = await browser.post(CANDLE, _filled(form, way=way, quantity=quantity, reason=reason))
    assert (shown.status, expected in shown.words) == (422, True)
    assert dict(shown.form(CANDLE).fields)["quantity"] == quantity
    assert await warehouse.backoffice.desk.fetchval("select count(*) from command") == 0


async def test_what_is_reserved_for_orders_stays(warehouse: Warehouse) -> None:
    await warehouse.order(sale())
    browser = await warehouse.backoffice.signed_in()
    form = (await browser.get(CANDLE)).form(CANDLE)
    refused = await warehouse.carry_out(
        browser.post(CANDLE, _filled(form, way="counted", quantity="2", reason="Inventaire"))
    )
    assert (refused.status, "Less than what is reserved for orders." in refused.words) == (422, True)
    assert await _on_hand(warehouse) == 10


async def test_a_new_article_is_counted_once_and_a_known_one_is_not_overwritten(warehouse: Warehouse) -> None:
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    form = (await browser.get("/stock/new")).form("/stock/new")
    fields = _filled(form, sku="Nouveau / 1", location="Rayon B", on_hand="12")
    done = await warehouse.carry_out(browser.post("/stock/new", fields))
    assert (done.status, done.headers["location"]) == (303, article_href("Nouveau / 1"))
    assert (await browser.post("/stock/new", fields)).status == 303
    assert await _on_hand(warehouse, "Nouveau / 1") == 12
    form = (await browser.get("/stock/new")).form("/stock/new")
    fields = _filled(form, sku="BOUGIE-01", location="Rayon A", on_hand="1")
    shown = await browser.post("/stock/new", fields)
    assert (shown.status, "already in stock at this location" in shown.words) == (422, True)
    assert (await browser.post("/stock/new", _filled(form, sku="", on_hand="x"))).status == 422
    assert await _on_hand(warehouse) == 10


async def test_without_fulfillment_the_pages_show_it(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    for path in ("/stock", CANDLE):
        shown = await browser.get(path)
        assert (shown.status, "not connected" in shown.words) == (200, True)
    form = (await browser.get("/stock/new")).form("/stock/new")
    shown = await browser.post("/stock/new", _filled(form, sku="A", on_hand="1"))
    assert (shown.status, "is unavailable right now" in shown.words) == (422, True)


async def test_every_kind_of_movement_that_fulfillment_stores_has_words(warehouse: Warehouse) -> None:
    rule = await warehouse.shelves.fetchval(
        """select pg_get_constraintdef(oid) from pg_constraint
           where conrelid = 'stock_movement'::regclass and conname = 'stock_movement_kind_check'"""
    )
    assert set(re.findall(r"'(\w+)'", rule)) == {kind.value for kind in Kind} == set(KINDS)
    order, parcel_id, shipment_id = await warehouse.order(sale()), uuid4(), uuid4()
    await warehouse.pack(order, parcel_id, {1: 1})
    await warehouse.do(dispatch(order, [parcel_id], shipment_id, shipped_on=datetime.now(UTC).date()))
    await warehouse.do(call_off(order, shipment_id))
    browser = await warehouse.backoffice.signed_in(Role.ACCOUNTANT, language="fr")
    assert "Expédition annulée" in (await browser.get(CANDLE)).words
