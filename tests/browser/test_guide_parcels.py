"""Tasks of the guide about parcels, tracking and stock, each done as its sentences say."""

import re

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from tests.browser.conftest import PageContext
from tests.browser.guide import an_order, open_order, read
from tests.browser.running_system import OwnShop

pytestmark = pytest.mark.rows("A31")
LANGUAGES = pytest.mark.parametrize("lang", ["fr", "en"])


async def test_many_orders_are_packed_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop)
    _, unpaid = await an_order(shop, PaymentMethod.CHEQUE)
    visitor = await context("fulfilment", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "bulk")
    await guide.follow_link(1)
    await page.locator("#order-tabs a[href*='tab=all']").click()
    for one in (code, unpaid):
        await page.get_by_label(f"Select order {one}", exact=True).check()
    await guide.button(2, 1, within="#bulk").click()
    left_out = page.get_by_role("heading", name=re.compile(f"^{guide.named(3)}"))
    await expect(left_out).to_be_visible()
    await page.locator(".run-head button.primary").click()
    await shop.until_order(order, units_to_ship=2)
    assert (await shop.shown(unpaid))["units_to_ship"] == 0


@LANGUAGES
async def test_a_tracking_number_is_entered_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop)
    await shop.ship(order, [await shop.pack(order, {1: 2})], tracking_number=None)
    await shop.until_order(order, fulfilment_status="shipped")
    visitor = await context("fulfilment", "/", lang=lang)
    page, shipments = visitor.page, visitor.page.locator("#shipments")
    guide = await read(visitor, "tracking")
    await guide.follow_link(1)
    await open_order(page, code)
    await expect(shipments.get_by_role("heading", name=guide.named(2, 1), exact=True)).to_be_visible()
    await shipments.locator("summary", has_text=str(guide.named(2, 2))).click()
    for place in (2, 3):
        await expect(guide.field(3, place, within="#shipments").first).to_be_visible()
    await guide.field(3, 1, within="#shipments").first.fill("8R 0077")
    await guide.field(4, 1, within="#shipments").first.check()
    await guide.button(4, 2, within="#shipments").click()
    await expect(shipments).to_contain_text("8R 0077")
    assert (await shop.shown(order))["shipments"][0]["tracking_number"] == "8R 0077"


@LANGUAGES
async def test_the_stock_is_counted_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    sku = f"COUNTED-{lang.upper()}"
    await shop.count_stock({sku: 9})
    visitor = await context("fulfilment", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "stock")
    await guide.follow_link(1)
    await page.get_by_role("link", name=f"{guide.named(1)} {sku}", exact=True).click()
    await guide.field(2, 1, within="#adjust").check()
    await page.locator("#adjust").get_by_label(str(guide.named(3, 1)), exact=True).fill("7")
    await guide.field(3, 2, within="#adjust").fill("Inventaire")
    await guide.button(4, within="#adjust").click()
    await expect(page.locator(".stock-moves")).to_contain_text("Inventaire")
    answer = await shop.http.get("/v1/stock", params={"sku": sku})
    assert answer.json()["articles"][0]["available"] == 7


@LANGUAGES
async def test_a_threshold_is_set_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    low, other = f"LOW-{lang.upper()}", f"ENOUGH-{lang.upper()}"
    await shop.count_stock({low: 12, other: 12})
    visitor = await context("fulfilment", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "low-stock")
    await guide.follow_link(1)
    await page.locator("main").get_by_role("link", name=low, exact=True).click()
    threshold = page.locator("#threshold")
    await expect(threshold.get_by_role("heading", name=guide.named(2, 1))).to_be_visible()
    await guide.field(2, 2, within="#threshold").fill("12")
    await guide.button(3, within="#threshold").click()
    await expect(guide.field(2, 2, within="#threshold")).to_have_value("12")
    await guide.follow_link(4)
    await guide.field(4, 2).select_option(label=str(guide.named(4, 1)))
    await guide.button(4, 3).click()
    await expect(page.get_by_role("link", name=low, exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=other, exact=True)).to_have_count(0)
    answer = await shop.http.get("/v1/stock", params={"sku": [low, other]})
    assert [one["is_low"] for one in answer.json()["articles"]] == [True, False]
