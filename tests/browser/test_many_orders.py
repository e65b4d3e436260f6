"""A shop with very many orders: the first page stays light, counts stop at a thousand, paging works."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import expect

from deploy.seed.seeding import seed
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop, RunningSystem

ORDERS = 1250
MOST_BYTES = 60 * 1024
TABLES_OF_SHOPS = """
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'shop' AND NOT a.attisdropped
      AND c.relnamespace::regnamespace::text IN ('public', 'msg')"""
RECEIVED = "performance.getEntriesByType('navigation')[0].transferSize"


@pytest_asyncio.fixture(loop_scope="session")
async def crowded(running: RunningSystem, shop: OwnShop) -> AsyncIterator[OwnShop]:
    """Yield the shop with orders that only the orders service has, removed at the end: other files audit the system."""
    await seed({"orders": running.system.databases["orders"]}, shop.name, ORDERS, lambda _: None)
    yield shop
    database = urlsplit(running.system.databases["orders"]).path
    admin = urlsplit(running.system.postgres.admin_url)
    connection = await asyncpg.connect(admin._replace(path=database).geturl())
    try:
        await connection.execute("SET session_replication_role = replica")
        for table in await connection.fetch(TABLES_OF_SHOPS):
            await connection.execute(f"DELETE FROM {table['name']} WHERE shop = $1", shop.name)  # noqa: S608
    finally:
        await connection.close()


@pytest.mark.rows("C13", "B05", "B19")
@pytest.mark.usefixtures("crowded")
async def test_the_first_page_is_light_and_pages_turn(context: PageContext) -> None:
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
