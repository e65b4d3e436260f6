"""Tasks of the guide about setting up the shop, each done as its sentences say."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.guide import read
from tests.browser.running_system import OwnShop

pytestmark = pytest.mark.rows("A31")


async def test_support_and_habits_are_set_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "shop-settings")
    await guide.follow_link(1)
    await page.locator("[name=support_email]").fill(f"aide@{shop.name}.example.org")
    await page.locator("[name=support_phone]").fill("02 40 11 22 33")
    await page.locator("[name=opening_hours]").fill("Mon–Sat 9 am–7 pm")
    await expect(guide.field(2, 1)).to_be_visible()
    await guide.button(2, 2).click()
    frame = page.frame_locator("iframe[name=mail-preview-frame]")
    await expect(frame.get_by_text("02 40 11 22 33").first).to_be_visible()
    await guide.button(2, 3).click()
    await expect(page.locator(".side")).to_contain_text("02 40 11 22 33")
    await guide.follow_link(3)
    await page.locator("[name=checkout_minutes]").fill("7")
    await guide.button(4).click()
    await expect(page.locator("#flashes .toast").first).to_be_visible()
    await visitor.go("/settings")
    await expect(page.locator("[name=checkout_minutes]")).to_have_value("7")


async def test_a_provider_is_set_up_as_the_guide_describes(context: PageContext) -> None:
    visitor = await context("owner", "/", lang="fr")
    page = visitor.page
    guide = await read(visitor, "payment-methods")
    await guide.follow_link(1)
    await page.get_by_role("link", name="Stripe", exact=True).click()
    await guide.field(2, 1).fill("comme-le-guide-le-dit")
    await page.get_by_label("Secret de signature", exact=True).fill("whsec_typed-as-the-guide-says-01")
    await guide.button(3).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Stripe")
    await guide.button(4, within="#provider-test").click()
    await expect(page.locator("#provider-test .notice")).to_be_visible()


async def test_somebody_is_invited_as_the_guide_describes(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", "/", lang="en")
    page = visitor.page
    guide = await read(visitor, "staff")
    await guide.follow_link(1)
    await expect(page.get_by_role("heading", name=guide.named(2, 1))).to_be_visible()
    await guide.field(2, 2).fill("Léa Moreau")
    await guide.field(2, 3).fill(f"lea.guide@{shop.name}.example.org")
    await guide.field(2, 4).select_option("fulfilment")
    await guide.button(3).click()
    await expect(page.locator(".one-time-link")).to_contain_text("/invitation/")
