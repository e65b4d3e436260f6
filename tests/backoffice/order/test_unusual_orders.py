"""Pages of orders that are not like most: abandoned carts, text from right to left, countries, no goods."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest

from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice, Browser
from tests.builders.submissions import a_checkout, a_line, a_sale, dropped
from tests.orders.builders import a_life
from tests.orders.rest_client import place, sale

LOGIN = "storefront.maison.shop"
ARABIC = "دفتر A5 - 144 صفحة"
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "path", "source", "track", "wbr", "circle"}
PLAIN = {"option", "script", "style", "textarea", "title"}
"""Elements whose text is laid out by itself, or not at all."""


class Runs(HTMLParser):
    """Collects the texts from right to left, each with whether an element isolates it from what stands around it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, tag == "bdi" or ("dir", "auto") in attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            while self.open and self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if any("\u0590" <= char <= "\u08ff" for char in data) and not PLAIN & {tag for tag, _ in self.open}:
            self.found.append((data.strip(), any(isolates for _, isolates in self.open)))


async def test_an_abandoned_cart_is_neither_placed_nor_settled(backoffice: Backoffice) -> None:
    opened = a_checkout()
    await backoffice.desk.deliver(opened, user_id=LOGIN)
    gone = dropped(opened, opened.opened_at + timedelta(minutes=1))
    await backoffice.desk.deliver(gone, user_id=LOGIN)
    browser = await backoffice.signed_in()
    code = await backoffice.desk.fetchval("select code from orders")
    for path in (f"/orders/{code}", f"/orders/{code}/print", f"/orders/{code}/infos", "/orders?tab=all"):
        words = (await browser.get(path)).words
        assert "Settled" not in words, path
        assert "Still to pay" not in words, path
    for path in (f"/orders/{code}", f"/orders/{code}/print"):
        words = (await browser.get(path)).words
        assert ("Opened on" in words, "Placed" in words) == (True, False), path


async def test_text_from_right_to_left_keeps_its_sequence(backoffice: Backoffice) -> None:
    address = {"name": ARABIC, "street": ARABIC, "postal_code": "20000", "city": ARABIC, "country": "MA"}
    life = await a_life(
        backoffice.desk,
        a_line(description=ARABIC, options={ARABIC: ARABIC}),
        shop="maison",
        customer={"name": ARABIC, "email": "zoe@example.org", "company": ARABIC},
        shipping_address=address,
        shipping={"label": ARABIC, "amount_minor": 500},
        note=ARABIC,
    )
    paid = life.paid()
    entries = [entry.model_copy(update={"note": ARABIC}) for entry in paid.entries]
    for message in (paid.model_copy(update={"entries": entries}), life.reserved()):
        await backoffice.desk.deliver(message)
    browser, page = await backoffice.signed_in(), f"/orders/{life.code}"
    paths = [
        page,
        *(f"{page}/{part}" for part in ("print?notes=yes", "infos", "edit", "refund", "cancellation")),
    ]
    await look_at(browser, *paths, "/orders?tab=all", "/customers", f"/customers/{life.code}", "/parcels")
    await backoffice.desk.deliver(life.packed())
    await look_at(browser, page, "/parcels/to-ship", f"/parcels/ship/{life.code}")


async def look_at(browser: Browser, *paths: str) -> None:
    """Assert that each text from right to left is there and isolated."""
    for path in paths:
        runs = Runs()
        runs.feed((await browser.get(path)).text)
        assert runs.found, path
        assert [text for text, is_isolated in runs.found if not is_isolated] == [], path


@pytest.mark.parametrize(("code", "shown"), [("XK", "Kosovo"), ("GB", "United Kingdom"), ("QX", "QX")])
async def test_a_country_is_shown_by_its_name_and_an_unknown_one_by_its_code(
    backoffice: Backoffice, code: str, shown: str
) -> None:
    whole = sale().shipping_address
    assert whole is not None
    order = sale(shipping_address=whole.model_copy(update={"country": code}))
    placed = await place(backoffice.desk, order)
    browser = await backoffice.signed_in(Role.FULFILMENT)
    for path in (f"/orders/{placed.code}", f"/orders/{placed.code}/print", f"/orders/{placed.code}/infos"):
        assert shown in (await browser.get(path)).words, path


async def test_an_order_without_goods_has_no_parcels(backoffice: Backoffice) -> None:
    table = a_line(kind="booking", sku=None, description="Table", starts_at="2026-12-01T18:00:00Z")
    placed = await place(backoffice.desk, a_sale(table, shop="maison", shipping=None, shipping_address=None))
    browser = await backoffice.signed_in()
    for path in (f"/orders/{placed.code}", f"/orders/{placed.code}/infos"):
        shown = await browser.get(path)
        assert "Table" in shown.words
        assert "/parcels" not in shown.text.partition("<main")[2], path
        assert "Delivery" not in shown.words, path
