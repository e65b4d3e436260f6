"""A shop with more orders than anybody counts: the first page stays light, counts stop at a thousand, pages turn."""

import pytest
from playwright.async_api import expect

from deploy.seed.seeding import seed
from tests.browser.conftest import PageContext
from tests.browser.house import House, OwnShop

ORDERS = 1250
MOST_BYTES = 60 * 1024
RECEIVED = "performance.getEntriesByType('navigation')[0].transferSize"


@pytest.mark.rows("C13", "B05", "B19")
async def test_the_first_page_is_light_and_pages_turn(
    context: PageContext, shop: OwnShop, house: House
) -> None:
    await seed({"orders": house.system.databases["orders"]}, shop.name, ORDERS, lambda _: None)
    visitor = await context("owner", "/orders?tab=all", lang="fr")
    page, rows = visitor.page, visitor.page.locator("tbody tr[id^=order-]")
    assert 0 < await page.evaluate(RECEIVED) <= MOST_BYTES
    await expect(page.locator("#order-tabs")).to_contain_text("1\u202f000+")
    seen = [await rows.nth(number).get_attribute("id") for number in range(await rows.count())]
    await page.get_by_role("link", name="Suivant").click()
    await expect(rows.first).not_to_have_attribute("id", str(seen[0]))
    assert await rows.first.get_attribute("id") not in seen
    await page.get_by_role("link", name="Précédent").click()
    await expect(rows.first).to_have_attribute("id", str(seen[0]))
    await visitor.axe()
