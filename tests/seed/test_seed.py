"""A seeded system is one the services could have made: the auditor has nothing to say, and every order is found."""

import random
from pathlib import Path

import asyncpg
import pytest

from contracts.catalogue import SERVICES
from deploy.auditor.auditing import audit
from deploy.demo import addresses
from deploy.samples.habits import picks
from deploy.samples.merchants import TAGS
from deploy.seed import lives
from deploy.seed.seeding import FIRST_TABLE, bound, seed
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.listing.words import Tab
from services.orders.order.search.indexing import index
from tests.conftest import Desks, FreshDatabase
from tests.orders.listing.random_orders import PARIS, insert_rows, random_row

SHOP = "atelier-garance"
COUNT = 1200


@pytest.mark.timeout(240)
async def test_the_auditor_is_content_and_every_order_is_found(
    fresh_database: FreshDatabase, desks: Desks
) -> None:
    urls = {service: await fresh_database(service) for service in SERVICES}
    lines: list[str] = []
    await seed(urls, SHOP, COUNT, lines.append)
    assert any(line.startswith(f"orders: {COUNT:,} orders") for line in lines)
    assert await audit(urls, quiet_seconds=5) == []
    desk = await desks("orders", urls["orders"])
    assert await desk.fetchval("select count(*) from order_search_due") == 0
    async with desk.hub.acquire() as connection:
        finder = Finder()
        every = await finder.count(connection, SHOP, Filters(), PARIS)
        assert not every.is_exact
        for tab in set(Tab) - {Tab.PROBLEMS}:
            assert (await finder.count(connection, SHOP, Filters(tab=tab), PARIS)).number > 0, tab
        tags = [row["tag_id"] for row in await connection.fetch("select tag_id from tag")]
        assert len(tags) == len(TAGS)
        assert (await finder.count(connection, SHOP, Filters(tag=tags), PARIS)).number > COUNT // 40
        before = await connection.fetch("select * from order_search order by order_id")
        await index(connection, [(row["shop"], row["order_id"]) for row in before])
        assert await connection.fetch("select * from order_search order by order_id") == before
        await seed(urls, SHOP, 50, lines.append)
        await seed(urls, "second-shop", 60, lines.append)
    assert await desk.fetchval("select count(*) from orders") == COUNT + 50 + 60
    assert await audit(urls, quiet_seconds=5) == []


@pytest.mark.timeout(240)
async def test_a_system_at_work_is_seeded_and_its_checkouts_without_payment_method_stay(
    fresh_database: FreshDatabase,
) -> None:
    urls = {service: await fresh_database(service) for service in SERVICES}
    connection = await asyncpg.connect(urls["orders"])
    await insert_rows(connection, [{**random_row(random.Random(1), 1, SHOP), "payment_method": "card"}])
    await connection.execute(
        "update orders set stage = 'checkout', payment_method = null, state = 'in_checkout'"
    )
    await seed(urls, SHOP, 60, lambda _: None)
    assert await connection.fetchval("select count(*) from orders") == 61
    unknown = """select count(*) from orders o where not exists (
        select from order_kind k where k.shop = o.shop and k.kind_id = o.kind_id)"""
    assert await connection.fetchval(unknown) == 0
    by_hand = await connection.fetchval(
        "select count(*) from command where type = 'orders.payment.record.v1'"
    )
    assert by_hand > 0
    await connection.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("service", "table"), [("notifier", "mail"), ("orders", "order_kind")])
async def test_a_seed_that_fails_leaves_nothing_anywhere(
    fresh_database: FreshDatabase, service: str, table: str
) -> None:
    urls = {name: await fresh_database(name) for name in SERVICES}
    connections = {name: await asyncpg.connect(url) for name, url in urls.items()}
    await connections[service].execute(f"alter table {table} add constraint refused check (shop = '')")
    with pytest.raises(asyncpg.CheckViolationError):
        await seed(urls, SHOP, 60, lambda _: None)
    for name, connection in connections.items():
        assert await connection.fetchval(f"select count(*) from {FIRST_TABLE[name]}") == 0  # noqa: S608
        indexes = await connection.fetchval("select count(*) from pg_indexes where schemaname = 'public'")
        clean = await asyncpg.connect(await fresh_database(name))
        assert indexes == await clean.fetchval("select count(*) from pg_indexes where schemaname = 'public'")
        await clean.close()
        await connection.close()


def test_every_life_an_age_names_exists() -> None:
    names = {life.name for life in lives.LIVES}
    assert set(lives.SHARES) == set(lives.AGES)
    for shares in lives.SHARES.values():
        assert set(shares) <= names
        assert sum(shares.values()) <= 1000
        assert len(picks(shares, 1000)) == 1000


def test_names_in_a_statement_become_typed_places() -> None:
    sql, arguments = bound("select $shop, $count + $count, $days", {"shop": "a", "count": 3, "days": [0.5]})
    assert sql == "select $1::text, $2::bigint + $2::bigint, $3::float8[]"
    assert arguments == ["a", 3, [0.5]]


def test_addresses_are_there_as_long_as_the_system_is(tmp_path: Path) -> None:
    file = tmp_path / "up" / "databases.json"
    assert addresses.running(file) == {}
    with addresses.noted({"orders": "postgresql://x"}, file):
        assert addresses.running(file) == {"orders": "postgresql://x"}
        assert file.stat().st_mode & 0o077 == 0
    assert addresses.running(file) == {}
