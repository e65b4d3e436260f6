"""The merchant's guide: found, read, and followed step by step with the names of buttons that the guide shows."""

import re

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from tests.browser.conftest import PageContext
from tests.browser.customers import write_as_customer
from tests.browser.guide import an_order, open_order, read
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, FOUR_LOOKS, Look

pytestmark = pytest.mark.rows("A31")
LANGUAGES = pytest.mark.parametrize("lang", ["fr", "en"])


@LANGUAGES
async def test_a_cheque_is_received_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop, PaymentMethod.CHEQUE)
    visitor = await context("accountant", "/", lang=lang)
    guide = await read(visitor, "receive-payment")
    await guide.follow_link(1)
    await open_order(visitor.page, code)
    await guide.link(2).click()
    await expect(guide.field(3, 1, within="#payment").first).to_have_value(re.compile("25[,.]00"))
    await expect(guide.field(3, 2, within="#payment").first).not_to_have_value("")
    await guide.field(3, 4, within="#payment").first.fill("2026-12-24")
    await guide.button(4, within="#payment").first.click()
    await shop.until_order(order, payment_status="paid", balance_minor=0)


@LANGUAGES
async def test_an_order_is_packed_and_shipped_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop)
    visitor = await context("fulfilment", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "pack")
    await guide.follow_link(1)
    await open_order(page, code)
    await expect(page.locator("#parcels summary", has_text=str(guide.named(2)))).to_be_visible()
    await guide.field(2, 2, within="#parcels").check()
    for place in (1, 2, 3):
        await expect(guide.field(3, place, within="#parcels")).to_be_visible()
    await guide.button(4, within="#parcels").click()
    await shop.until_order(order, units_to_ship=2)
    guide = await read(visitor, "ship")
    await guide.follow_link(1)
    await open_order(page, code)
    await expect(page.locator("#shipments summary", has_text=str(guide.named(2)))).to_be_visible()
    carrier = guide.field(3, 1, within="#shipments").first
    if await carrier.evaluate("field => field.tagName") == "SELECT":
        await carrier.select_option(index=1)
    else:
        await carrier.fill("Colissimo")
    await guide.field(3, 2, within="#shipments").first.fill("8R 0042")
    await guide.field(4, within="#shipments").first.check()
    await guide.button(5, within="#shipments").click()
    await shop.until_order(order, fulfilment_status="shipped")


@LANGUAGES
async def test_an_order_is_refunded_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop)
    visitor = await context("manager", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "refund")
    await guide.follow_link(1)
    await open_order(page, code)
    await guide.button(2).click()
    await guide.link(2, 2, within="#order-actions").click()
    await page.get_by_text(str(guide.named(3, 1)), exact=True).click()
    await guide.button(3, 2).click()
    await page.get_by_text(str(guide.named(4)), exact=True).click()
    await guide.button(5).click()
    await guide.button(6).click()
    await shop.until_order(order, units_to_pack=0, flags=["refund_unconfirmed"])


@LANGUAGES
async def test_a_status_is_updated_with_a_mail_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop)
    visitor = await context("manager", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "update-status")
    await guide.follow_link(1)
    await open_order(page, code)
    await expect(page.locator("#status").get_by_role("heading", name=guide.named(2))).to_be_visible()
    await guide.field(2, 2, within="#status").select_option("processing")
    await guide.field(3, 1, within="#status").check()
    await guide.field(3, 2, within="#status").fill("Nous préparons tout.")
    await guide.button(4, within="#status").click()
    await expect(page.locator("#mail-preview")).to_contain_text("Nous préparons tout.")
    await guide.field(5, within="#status").fill("Client pressé")
    await guide.button(6, within="#status").click()
    await shop.until_order(order, state="processing")


@LANGUAGES
async def test_an_order_is_archived_and_taken_out_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop)
    await shop.ship(order, [await shop.pack(order, {1: 2})])
    shipment = str(
        (await shop.until_order(order, fulfilment_status="shipped"))["shipments"][0]["shipment_id"]
    )
    await shop.deliver(order, shipment)
    await shop.until_order(order, state="completed")
    visitor = await context("manager", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "archive")
    await guide.follow_link(1)
    await open_order(page, code)
    await guide.button(2, 1).click()
    await guide.button(2, 2, within="#order-actions").click()
    await guide.follow_link(3)
    await expect(page.locator("#order-tabs a[aria-current]")).to_contain_text(str(guide.named(3)))
    await open_order(page, code)
    await guide.button(2, 1).click()
    await guide.button(3, 2, within="#order-actions").click()
    await shop.until_searchable(code)
    await visitor.go(f"/orders?tab=all&q={code}")
    await open_order(page, code)


@LANGUAGES
async def test_a_customer_is_answered_as_the_guide_describes(
    context: PageContext, shop: OwnShop, lang: str
) -> None:
    order, code = await an_order(shop, PaymentMethod.CHEQUE)
    await write_as_customer(shop, order, "Où est mon colis ?")
    visitor = await context("fulfilment", "/", lang=lang)
    page = visitor.page
    guide = await read(visitor, "conversation")
    await guide.follow_link(1)
    await page.locator("main").get_by_role("link", name=code).click()
    await page.locator("#message-text").fill("Il part demain.")
    await guide.button(3).click()
    await expect(page.locator(".message.ours")).to_contain_text("Il part demain.")
    await guide.button(4).click()
    await expect(guide.button(4)).to_have_count(0)


@pytest.mark.parametrize("look", FOUR_LOOKS, ids=str)
async def test_the_guide_is_found_and_readable(context: PageContext, look: Look) -> None:
    visitor = await context("fulfilment", "/guide", look=look)
    page = visitor.page
    await visitor.axe()
    await visitor.screenshot("guide")
    await visitor.fits()
    await page.locator("main input[name=q]").fill("cheque")
    await page.locator("main input[name=q]").press("Enter")
    await visitor.axe()
    await visitor.screenshot("guide-found")
    await visitor.fits()
    await page.locator("main a[href='/guide/receive-payment']").click()
    await expect(page.locator(".guide-steps > li")).to_have_count(4)
    await expect(page.locator(".guide-task .notice")).to_be_visible()
    await expect(page.locator(".guide-picture img")).not_to_have_js_property("naturalWidth", 0)
    await visitor.axe()
    await visitor.screenshot("guide-task")
    await visitor.fits()


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_page_leads_to_its_task(context: PageContext, shop: OwnShop, look: Look) -> None:
    visitor = await context("owner", "/parcels", look=look)
    await visitor.page.locator(".help-link").click()
    await expect(visitor.page).to_have_url(re.compile("/guide/pack$"))
    await visitor.screenshot("guide-pack")
    await visitor.axe()
