"""More tasks of the merchant's guide, followed step by step with the names of buttons that the guide shows."""

import re

import pytest
from playwright.async_api import expect

from contracts.sale import PaymentMethod
from services.orders.backoffice.access.permissions import Role
from tests.browser.conftest import PageContext
from tests.browser.guide import an_order, open_order, read
from tests.browser.running_system import OwnShop

pytestmark = pytest.mark.rows("A31")


async def test_a_new_tag_is_put_on_and_found_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    _, code = await an_order(shop)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "tags")
    await guide.follow_link(1)
    await page.locator(f"a.tag-open[href='/orders/{code}/tags']").click()
    editor = ".tag-editor"
    await guide.field(2, 2, within=editor).fill("Cadeau guide")
    await expect(page.locator(editor).get_by_role("group", name=guide.named(2, 3))).to_be_visible()
    await guide.button(2, 4, within=editor).click()
    await expect(page.locator(editor).get_by_role("button", name=re.compile("Cadeau guide"))).to_be_visible()
    await visitor.go("/orders?tab=all")
    await page.locator("#filters > summary").click()
    await expect(page.get_by_role("group", name=guide.named(3))).to_contain_text("Cadeau guide")


async def test_an_order_is_cancelled_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop)
    visitor = await context("manager", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "cancel")
    await guide.follow_link(1)
    await open_order(page, code)
    await guide.button(2).click()
    await page.locator("#order-actions").get_by_role("link", name=guide.named(2, 2)).click()
    await expect(page.get_by_role("heading", name=guide.named(3))).to_be_visible()
    await guide.field(3, 2).check()
    await guide.button(4).click()
    await shop.until_order(order, state="cancelled", balance_minor=-2500)
    await guide.follow_link(5)
    await open_order(page, code)
    await guide.link(5).first.click()
    await expect(page).to_have_url(re.compile("/refund$"))


async def test_a_bounced_cheque_is_taken_back_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order, code = await an_order(shop, PaymentMethod.CHEQUE)
    await shop.receive(order, PaymentMethod.CHEQUE, 2500)
    await shop.until_order(order, balance_minor=0)
    visitor = await context("accountant", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "take-back")
    await shop.until_searchable(code)
    await visitor.go(f"/orders?tab=all&q={code}")
    await open_order(page, code)
    await expect(
        page.locator("#payment").get_by_role("heading", name=guide.named(2), exact=True)
    ).to_be_visible()
    await page.locator("#payment").get_by_role("link", name=guide.named(2, 2)).click()
    await expect(page.get_by_text(str(guide.named(3)), exact=True)).to_be_visible()
    await guide.field(3, 2).fill("Chèque impayé")
    await guide.button(4).click()
    await shop.until_order(order, balance_minor=2500)


async def test_a_delivery_is_noted_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    order, code = await an_order(shop)
    await shop.ship(order, [await shop.pack(order, {1: 2})])
    await shop.until_order(order, fulfilment_status="shipped")
    visitor = await context("fulfilment", "/", lang="en")
    guide = await read(visitor, "delivery")
    await guide.follow_link(1)
    await open_order(visitor.page, code)
    shipments = visitor.page.locator("#shipments")
    await shipments.locator("summary", has_text=str(guide.named(2, 2))).click()
    await guide.field(3, 2, within="#shipments").select_option("signature")
    await guide.field(3, 3, within="#shipments").fill("Signé par le gardien")
    await guide.button(4, within="#shipments").click()
    await shop.until_order(order, state="completed")


async def test_a_recorded_refund_is_confirmed_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    order, code = await an_order(shop)
    visitor = await context("manager", "/", lang="fr")
    page = visitor.page
    refund, guide = await read(visitor, "refund"), await read(visitor, "external-refund")
    await guide.follow_link(1)
    await open_order(page, code)
    await guide.button(2, 2).click()
    await guide.link(2, 1, within="#order-actions").click()
    await page.get_by_text(str(refund.named(3, 3)), exact=True).click()
    await page.locator("#refund-amount").fill("5,00")
    await page.get_by_text(str(guide.named(2, 3)), exact=True).click()
    await refund.button(5).click()
    await refund.button(6).click()
    await shop.until_order(order, flags=["refund_unconfirmed"])
    await visitor.go(f"/orders/{code}")
    await page.locator("#payment summary", has_text=str(guide.named(4, 2))).click()
    await guide.field(4, 3, within="#payment").fill("VIR-2026-11")
    await guide.button(4, 4, within="#payment").click()
    await shop.until_order(order, flags=[])


async def test_the_list_is_filtered_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    _, code = await an_order(shop)
    visitor = await context("accountant", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "filters")
    await guide.follow_link(1)
    await page.locator("#filters > summary", has_text=str(guide.named(1))).click()
    await page.get_by_role("group", name=guide.named(2, 1), exact=True).get_by_label("New").check()
    await guide.field(3, 2).fill("2026-01-01")
    await guide.button(4).click()
    await expect(page.locator(".chips li").first).to_be_visible()
    await expect(page.locator("main").get_by_role("link", name=code, exact=True).first).to_be_visible()


async def test_a_status_of_the_shops_own_is_added_as_the_guide_describes(
    context: PageContext, shop: OwnShop
) -> None:
    visitor = await context(await shop.hire(Role.OWNER), "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "statuses")
    await guide.follow_link(1)
    await guide.field(2, 1).fill("Chez le graveur")
    await guide.field(2, 2).fill("At the engraver’s")
    await guide.field(2, 3).select_option(index=1)
    await page.locator("main form").get_by_role("radio").first.check(force=True)
    await guide.button(3).click()
    await expect(page.locator("table")).to_contain_text("Chez le graveur")
