"""Tasks of the guide about finding, following and changing orders, each done as its sentences say."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from tests.browser.conftest import PageContext
from tests.browser.guide import an_order, open_order, read
from tests.browser.running_system import OwnShop

pytestmark = pytest.mark.rows("A31")


async def test_the_page_of_orders_is_used_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    _, code = await an_order(shop)
    visitor = await context("manager", "/", lang="en")
    page, tabs = visitor.page, visitor.page.locator("#order-tabs")
    guide = await read(visitor, "orders-page")
    await guide.follow_link(1)
    await expect(tabs.locator("a[aria-current]")).to_contain_text(str(guide.named(1)))
    for place in range(1, 6):
        await tabs.get_by_role("link").filter(has_text=str(guide.named(2, place))).click()
        await expect(tabs.locator("a[aria-current]")).to_contain_text(str(guide.named(2, place)))
    await guide.follow_link(1)
    row = page.locator("tbody tr").filter(has_text=code)
    await row.get_by_title(str(guide.named(3)), exact=True).click()
    await expect(page.locator("#drawer")).to_contain_text(code)
    await page.keyboard.press("Escape")
    await row.locator("[data-select]").check()
    for place in range(1, 6):
        await expect(guide.button(4, place, within="#bulk")).to_be_visible()


async def test_an_order_is_found_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    _, code = await an_order(shop)
    visitor = await context("fulfilment", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "search")
    await page.keyboard.press("/")
    field = page.get_by_label(str(guide.named(2)), exact=True).first
    await expect(field).to_be_focused()
    await field.fill(code.lower())
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(code)


async def test_an_order_is_followed_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    _, code = await an_order(shop)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "follow-order")
    await guide.follow_link(1)
    await open_order(page, code)
    for place in (1, 2, 3):
        named = page.locator("#order-summary").get_by_text(str(guide.named(2, place)), exact=True)
        await expect(named.first).to_be_visible()
    for place in range(1, 8):
        heading = page.get_by_role("heading", name=guide.named(3, place), exact=True)
        await expect(heading.first).to_be_visible()
    await guide.field(4, 3, within="#activity").fill("À rappeler avant midi")
    await guide.button(4, 2, within="#activity").click()
    await expect(page.locator("#activity .timeline")).to_contain_text("À rappeler avant midi")


async def test_the_buyer_is_looked_at_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop)
    await shop.pack(order, {1: 2})
    await shop.until_order(order, units_to_ship=2)
    visitor = await context("fulfilment", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "infos")
    await guide.follow_link(1)
    await page.locator("tbody tr").filter(has_text=code).get_by_title(str(guide.named(1))).click()
    drawer = page.locator("#drawer")
    for step, places in ((2, 4), (3, 3)):
        for place in range(1, places + 1):
            named = drawer.get_by_text(str(guide.named(step, place)), exact=True)
            await expect(named.first).to_be_visible()
    await guide.link(4, within="#drawer").click()
    await expect(page.locator("h1")).to_have_text(code)


async def test_a_view_is_saved_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    await an_order(shop)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide, filters = await read(visitor, "saved-views"), await read(visitor, "filters")
    await guide.follow_link(1)
    await page.locator("#filters > summary").click()
    await page.locator(".filter-form").get_by_label("Nouveau", exact=True).first.check()
    await filters.button(4).click()
    await expect(page.locator(".chips li")).to_have_count(1)
    await guide.button(2, 1).click()
    await guide.field(2, 2, within="#save-view").fill("Nouvelles du guide")
    await guide.button(2, 3, within="#save-view").click()
    await expect(page.locator("#order-tabs")).to_contain_text("Nouvelles du guide")
    await guide.link(3).click()
    await expect(page.locator(".view-list")).to_contain_text("Nouvelles du guide")


async def test_orders_are_exported_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    _, code = await an_order(shop)
    visitor = await context("accountant", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "export")
    await guide.follow_link(1)
    await guide.button(2).click()
    links = page.locator("#export a")
    await expect(links).to_have_count(2)
    amounts: set[str] = set()
    for link in await links.all():
        async with page.expect_download() as download:
            await link.click()
        exported: Path = await (await download.value).path()
        [row] = [line for line in exported.read_bytes().decode("utf-8-sig").splitlines() if code in line]
        amounts |= set(re.findall(r"\b25[.,]00\b", row))
    assert amounts == {"25,00", "25.00"}


async def test_an_order_is_edited_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop)
    visitor = await context("manager", "/", lang="en")
    guide = await read(visitor, "edit-order")
    await guide.follow_link(1)
    await open_order(visitor.page, code)
    await guide.button(2, 1).click()
    await guide.link(2, 2, within="#order-actions").click()
    await guide.field(3, 1).first.fill("3")
    for place in (2, 3):
        await expect(guide.field(3, place).first).to_be_visible()
    await expect(guide.button(3, 4)).to_be_visible()
    await guide.button(4).click()
    await guide.button(5).click()
    await shop.until_order(order, units_to_pack=3, balance_minor=1250)


async def test_an_order_is_deleted_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop, PaymentMethod.CHEQUE)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "delete")
    await visitor.go("/orders?tab=all")
    await open_order(page, code)
    await guide.button(2, 1).click()
    await page.locator("#order-actions").get_by_role("link", name=guide.named(2, 2)).click()
    await expect(page.get_by_role("heading", name=guide.named(3, 1))).to_be_visible()
    await guide.field(3, 2).fill("Commande d’essai")
    await guide.field(3, 3).fill(code)
    await guide.button(4).click()
    await expect(page.get_by_text(re.compile(f"{code} est supprimée"))).to_be_visible()
    assert (await shop.http.get(f"/v1/orders/{order}")).status_code == 404
