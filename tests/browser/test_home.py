"""Home in a browser: pending work, today's figures, the latest activity."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import Look
from tests.journeys.sales import notebooks

seen: dict[str, str] = {}


async def _an_order(shop: OwnShop) -> str:
    """Return the code of one order, shared by the read-only tests."""
    if shop.name not in seen:
        [order] = await shop.order(shop.sale(notebooks(2)))
        seen[shop.name] = (await shop.shown(order))["code"]
    return seen[shop.name]


@pytest.mark.parametrize("look", [Look("fr", "light", "phone"), Look("en", "dark", "desk")], ids=str)
async def test_home_shows_the_order_of_today(context: PageContext, shop: OwnShop, look: Look) -> None:
    code = await _an_order(shop)
    visitor = await context("owner", "/", look=look)
    await expect(visitor.page.get_by_role("link", name=code).first).to_be_visible()
    await expect(visitor.page.locator(".figure-value").first).to_have_text("1")
    await visitor.axe()
    await visitor.screenshot("home")


async def test_home_keeps_itself_up_to_date(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", "/", lang="en")
    figure = visitor.page.locator(".figure-value").first
    await expect(visitor.page.locator("#live")).to_have_attribute("data-state", "on")
    before = int(await figure.inner_text())
    [order] = await shop.order(shop.sale(notebooks(1)))
    await expect(figure).to_have_text(str(before + 1), timeout=30_000)
    code = (await shop.shown(order))["code"]
    await expect(visitor.page.get_by_role("link", name=code).first).to_be_visible(timeout=30_000)
