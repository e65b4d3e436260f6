"""Stock in the back office: levels, their movements, and a manual change that counts once."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, Look
from tests.journeys.sales import INK, NOTEBOOK, notebooks

LONG = "<b>CARNET</b>-" + "W" * 50
seen: dict[str, str] = {}


async def a_moved_article(shop: OwnShop) -> str:
    """Return the code of an order that shipped notebooks; an article with a long name is sold out."""
    if shop.name not in seen:
        await shop.count_stock({LONG: 0, "PAPIER-A4": 3})
        [order] = await shop.order(shop.sale(notebooks(2)))
        seen[shop.name] = str((await shop.until_order(order, stock="reserved"))["code"])
        change = {"sku": NOTEBOOK, "change": -1, "reason": "Couverture abîmée à la livraison"}
        await shop.do("/stock/adjustments", change)
    return seen[shop.name]


@pytest.mark.rows("C11")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_levels_and_movements_are_shown(context: PageContext, shop: OwnShop, look: Look) -> None:
    code = await a_moved_article(shop)
    visitor = await context("owner", "/stock", look=look)
    await expect(visitor.page.locator("tbody th").first).to_contain_text("CARNET")
    await visitor.axe()
    await visitor.screenshot("stock")
    await visitor.fits()
    await visitor.page.locator("tbody tr", has_text=NOTEBOOK).first.locator("th a").click()
    await expect(visitor.page.get_by_role("link", name=code)).to_be_visible()
    await visitor.axe()
    await visitor.screenshot("stock-article")
    await visitor.fits()
    await visitor.go("/stock/new")
    await visitor.axe()
    await visitor.screenshot("stock-new")


@pytest.mark.rows("C05", "C11")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_change_by_hand_counts_once(context: PageContext, shop: OwnShop, script: bool) -> None:
    await a_moved_article(shop)
    visitor = await context("fulfilment", f"/stock?q={INK}", lang="fr", script=script)
    page = visitor.page
    await page.get_by_label(f"Ajuster {INK}").click()
    before = await page.locator('input[name="seen-main"]').input_value()
    await page.get_by_label("Unités", exact=True).fill("-4")
    await page.get_by_label("Motif").fill("Flacons cassés")
    await page.get_by_role("button", name="Ajuster le stock").dblclick()
    await expect(page.get_by_text("Le stock est ajusté.")).to_be_visible()
    assert int(await page.locator('input[name="seen-main"]').input_value()) == int(before) - 4
    await expect(page.get_by_text("Flacons cassés").first).to_be_visible()


@pytest.mark.rows("C09")
async def test_an_unavailable_fulfillment_is_shown_and_the_queues_stay(
    context: PageContext, shop: OwnShop
) -> None:
    code = await a_moved_article(shop)
    await shop.system.supervisor.stop("fulfillment")
    try:
        visitor = await context("owner", "/stock", lang="en")
        await expect(visitor.page.locator(".owner-down")).to_be_visible()
        await visitor.axe()
        await visitor.go("/parcels/pick-list")
        await expect(visitor.page.get_by_role("heading", name="Pick list")).to_be_visible()
        await visitor.go(f"/orders/{code}")
        await expect(visitor.page.get_by_role("heading", name=code)).to_be_visible()
    finally:
        await shop.system.start("fulfillment")
