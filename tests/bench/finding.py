"""The orders list at a million orders: any filter, counts, search and export, on a database of its own.

Times are those of the engine in the service's process: its statements with the service's own connection settings, and
the reading of the page's rows. Nothing is cached but what PostgreSQL and the engine keep between requests anyway.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from deploy.databases import create_databases, drop_databases
from deploy.local.system import ROOT
from deploy.seed.seeding import seed
from services.chassis.storage.database import open_pool
from services.chassis.storage.migrating import migrate
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.listing.finder.rows import read_rows
from tests.bench.finding_queries import Requested, list_queries, search_queries
from tests.bench.harness import Harness
from tests.bench.row import Row, percentile

SHOP = "atelier-garance"
ZONE = ZoneInfo("Europe/Paris")
PAGE = 50
SHOWN_PLANS = 3
GOAL_LIST_MS, GOAL_SEARCH_MS = 50, 150
GOAL_EXPORT_PER_SECOND, GOAL_EXPORT_MIB = 20_000, 150


@dataclass
class Watched:
    """A connection that remembers what each statement took."""

    connection: Any
    seen: list[tuple[float, str, tuple[Any, ...]]] = field(default_factory=list)

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        return await self._timed(self.connection.fetch, sql, arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self._timed(self.connection.fetchval, sql, arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        return await self._timed(self.connection.fetchrow, sql, arguments)

    async def _timed(self, call: Any, sql: str, arguments: tuple[Any, ...]) -> Any:
        began = time.perf_counter()
        try:
            return await call(sql, *arguments)
        finally:
            self.seen.append((time.perf_counter() - began, sql, arguments))


@dataclass(frozen=True)
class Timed:
    """What one request took, in milliseconds, with its statements."""

    requested: Requested
    ms: float
    seen: Sequence[tuple[float, str, tuple[Any, ...]]]


async def measure(harness: Harness) -> list[Row]:
    """Pages and counts of lists, searches, and the export of everything."""
    async with _million(harness) as url:
        pool = await open_pool(url, 2, "bench")
        try:
            async with pool.acquire() as connection:
                return await measure_on(connection, url, harness.scale.list_queries, harness.notes)
        finally:
            await pool.close()


async def measure_on(connection: Any, url: str, queries: int, notes: list[str]) -> list[Row]:
    """The figures of a database that is there."""
    newest = await connection.fetchval("select max(placed_at) from orders")
    finder = Finder()
    await finder.count(connection, SHOP, Filters(), ZONE)
    tags = [row["tag_id"] for row in await connection.fetch("select tag_id from tag")]
    lists = list_queries(queries, newest, tags)
    pages = [await _page(finder, connection, query) for query in lists]
    counts = [await _count(finder, connection, query) for query in lists]
    words = await search_queries(connection, queries // 2, newest)
    found = [await _page(finder, connection, query) for query in words]
    found += [await _count(finder, connection, query) for query in words[: len(words) // 4]]
    for name, timed in (("list", pages), ("list count", counts), ("search", found)):
        notes += await _slowest(connection, name, timed)
    orders = await connection.fetchval("select count(*) from orders")
    notes.append(f"list: {orders:,} orders of one shop, {len(lists)} lists and counts, {len(found)} searches")
    return [
        _milliseconds("list p95", pages, GOAL_LIST_MS),
        _milliseconds("list count p95", counts, GOAL_LIST_MS),
        _milliseconds("search p95", found, GOAL_SEARCH_MS),
        *await _export(url),
    ]


def _milliseconds(name: str, timed: Sequence[Timed], goal: float) -> Row:
    return Row(name, percentile([one.ms for one in timed], 95), "ms", goal=goal, less_is_better=True)


@asynccontextmanager
async def _million(harness: Harness) -> AsyncIterator[str]:
    suffix = f"_{secrets.token_hex(4)}"
    urls = await create_databases(harness.parts.postgres.admin_url, suffix)
    try:
        await asyncio.to_thread(migrate, urls["orders"], ROOT / "services/orders/order/migrations")
        began = time.monotonic()
        await seed({"orders": urls["orders"]}, SHOP, harness.scale.list_orders, harness.progress.report)
        harness.notes.append(f"list: seeded in {time.monotonic() - began:.0f} s")
        yield urls["orders"]
    finally:
        await drop_databases(harness.parts.postgres.admin_url, suffix)


async def _page(finder: Finder, connection: Any, requested: Requested) -> Timed:
    watched = Watched(connection)
    began = time.perf_counter()
    page = await finder.page(watched, SHOP, requested.filters, ZONE, limit=PAGE, after=requested.after)
    if page.order_ids:
        await read_rows(watched, SHOP, page.order_ids)
    return Timed(requested, (time.perf_counter() - began) * 1000, watched.seen)


async def _count(finder: Finder, connection: Any, requested: Requested) -> Timed:
    watched = Watched(connection)
    began = time.perf_counter()
    await finder.count(watched, SHOP, requested.filters, ZONE)
    return Timed(requested, (time.perf_counter() - began) * 1000, watched.seen)


async def _slowest(connection: Any, name: str, timed: Sequence[Timed]) -> list[str]:
    """The slowest requests with the plan of their slowest statement, and how all of them are spread."""
    every = [one.ms for one in timed]
    spread = ", ".join(f"p{percent} {percentile(every, percent):.1f}" for percent in (50, 90, 95, 99))
    lines = [f"{name}: {spread}, most {max(every):.1f} ms"]
    for one in sorted(timed, key=lambda one: -one.ms)[:SHOWN_PLANS]:
        steps = " + ".join(f"{seconds * 1000:.0f}" for seconds, _, _ in one.seen)
        lines.append(
            f"{name}: {one.ms:.0f} ms ({steps}) ?{one.requested.filters.url()} after={one.requested.after}"
        )
        _, sql, arguments = max(one.seen, key=lambda seen: seen[0])
        plan = await connection.fetch(f"explain (analyze, buffers, costs off) {sql}", *arguments)
        lines += [f"    {row[0][:170]}" for row in plan]
    return lines


async def _export(url: str) -> list[Row]:
    """Rows a second and the most memory of a process that exports everything."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.finding_export", url, SHOP),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the export failed")
    rows, seconds, mebibytes = map(float, output.split())
    return [
        Row("export", rows / seconds, "rows/s", goal=GOAL_EXPORT_PER_SECOND),
        Row("export memory", mebibytes, "MiB", goal=GOAL_EXPORT_MIB, less_is_better=True),
    ]
