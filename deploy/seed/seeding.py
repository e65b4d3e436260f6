"""Putting very many orders into the services' databases: set by set, with progress, in minutes.

Invariant: what is there is what the messages of such lives would have left, as far as back office and auditor read it;
of messages themselves there are none, so nothing is sent, heard or done because of a seeded order. A database that was
empty has its secondary indexes made after the load, which takes a third of the time; others may work on meanwhile.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from deploy.samples.merchants import TAGS
from deploy.samples.people import BROWSERS
from deploy.seed import ledger_rows, orders_rows, other_rows, sales
from services.orders.order.shop.names import folded

DAYS = 3 * 365
CHUNK = 100_000
MERCHANT_MAIL = "commandes@garance.example.org"
_TAG_NAMES = UUID("5c1ed9f0-1d0c-4f60-9a53-0a7d6d1f4a11")
_EMPTY = 1000
_SESSION = {
    "synchronous_commit": "off",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "application_name": "comptoir-seed",
    "comptoir.bulk_load": "on",
}
"""The last: orders' triggers leave this session's rows to it."""
Report = Callable[[str], None]
STEPS: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "orders": ((ledger_rows.ENTRY, ledger_rows.MAILS), orders_rows.ROWS),
    "payments": ((ledger_rows.ENTRY,), other_rows.PAYMENTS),
    "fulfillment": ((other_rows.MOVED,), other_rows.FULFILLMENT),
    "notifier": ((ledger_rows.MAILS,), other_rows.NOTIFIER),
}
"""By service: temporary tables, then what is inserted."""
_IS_ALONE = """select not exists (select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend')"""
FIRST_TABLE = {
    "orders": "orders",
    "payments": "account",
    "fulfillment": "fulfilment_order",
    "notifier": "addressee",
}


@dataclass(frozen=True)
class Job:
    """What is to be seeded: `count` orders numbered from `before` + 1 on."""

    shop: str
    count: int
    until: datetime
    before: int
    services: frozenset[str]

    def values(self, first: int, last: int) -> dict[str, Any]:
        """Return what the statements' names stand for."""
        made = sales.settings(self.before, self.count, self.until, DAYS)
        tags = [uuid5(_TAG_NAMES, f"{self.shop}/{name}") for name, _ in TAGS]
        own = {
            "first": first,
            "last": last,
            "shop": self.shop,
            "browser": BROWSERS[0],
            "merchant": MERCHANT_MAIL,
        }
        return {**made, **own, "tags": tags}


async def seed(
    urls: Mapping[str, str], shop: str, count: int, report: Report, *, until: datetime | None = None
) -> None:
    """Add `count` orders to a shop, spread over the three years before `until` (today's midnight unless given).

    `urls`: database URL by service; one that is missing is left out, then the auditor has much to say. Orders that were
    seeded before are left alone: the numbers go on. When anything fails, no order is there in any of them.
    """
    until = until or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    job = Job(shop, count, until, await _seeded_before(urls, shop), frozenset(urls))
    began = time.monotonic()
    vocabulary = list(sales.vocabulary_rows(shop, until.date(), DAYS))
    async with AsyncExitStack() as stack:
        opened = {service: await _open(stack, urls[service]) for service in STEPS if service in urls}
        indexes: dict[str, list[str]] = {}
        try:
            for service, connection in opened.items():
                await _make_vocabulary(connection, vocabulary)
                was_empty = f"select count(*) < {_EMPTY} from {FIRST_TABLE[service]}"  # noqa: S608
                if await connection.fetchval(was_empty):
                    indexes[service] = await _drop_indexes(connection, service)
            await _load_all(opened, job, report)
        finally:
            for service, definitions in indexes.items():
                await _make_indexes(opened[service], definitions, service, report)
        for service, connection in opened.items():
            await connection.execute("vacuum (analyze)", timeout=3600)
            report(f"{service}: done, {time.monotonic() - began:.0f} s since the beginning")


async def _open(stack: AsyncExitStack, url: str) -> Any:
    connection = await asyncpg.connect(url, server_settings=_SESSION)
    stack.push_async_callback(connection.close)
    return connection


async def _load_all(opened: Mapping[str, Any], job: Job, report: Report) -> None:
    """Load every service in a transaction; all of them are committed at the end, or none is.

    The dictionary of kinds comes last: others who meet the same kind first wait for this transaction.
    """
    transactions = [connection.transaction() for connection in opened.values()]
    for transaction in transactions:
        await transaction.start()
    try:
        for service, connection in opened.items():
            await _load_service(connection, service, job, report)
        if "orders" in opened:
            await _execute(opened["orders"], orders_rows.KINDS, {"shop": job.shop})
    except BaseException:
        for transaction, connection in zip(transactions, opened.values(), strict=True):
            if not connection.is_closed():
                await transaction.rollback()
        raise
    for transaction in transactions:
        await transaction.commit()


async def _load_service(connection: Any, service: str, job: Job, report: Report) -> None:
    began, end = time.monotonic(), job.before + job.count
    for first in range(job.before + 1, end + 1, CHUNK):
        last = min(first + CHUNK - 1, end)
        await _load(connection, service, job, first, last)
        report(f"{service}: {last - job.before:,} orders, {time.monotonic() - began:.0f} s")


async def _seeded_before(urls: Mapping[str, str], shop: str) -> int:
    """Return the number of the last seeded order."""
    if "orders" not in urls:
        return 0
    connection = await asyncpg.connect(urls["orders"], server_settings=_SESSION)
    try:
        return await connection.fetchval(
            "select count(*) from orders where shop = $1 and idempotency_key like 'seed-%'", shop, timeout=600
        )
    finally:
        await connection.close()


async def _make_vocabulary(connection: Any, vocabulary: sales.Vocabulary) -> None:
    for name, columns in sales.TABLES.items():
        await connection.execute(f"create temp table {name} ({columns})")
    for name, rows in vocabulary:
        await connection.copy_records_to_table(name, records=rows)
    await connection.execute("analyze seed_line; analyze seed_outcome; analyze seed_basket")


async def _load(connection: Any, service: str, job: Job, first: int, last: int) -> None:
    values = job.values(first, last)
    temporary, inserts = STEPS[service]
    async with connection.transaction():
        if service == "orders" and first == job.before + 1:
            await _make_tags(connection, job, values["tags"])
        for statement in (sales.SALE, *temporary):
            await _execute(connection, statement, values)
        for name in ("sale", *(("entry",) if ledger_rows.ENTRY in temporary else ())):
            await connection.execute(f"analyze {name}")
        for table, statement in inserts.items():
            if (table, service) != ("mail", "orders") or "notifier" in job.services:
                await _execute(connection, statement, values)
        await connection.execute("drop table if exists sale, entry, letter, moved")


async def _make_tags(connection: Any, job: Job, tag_ids: Sequence[UUID]) -> None:
    await connection.executemany(
        """insert into tag (shop, tag_id, name, folded, colour, created_by, created_at)
           values ($1, $2, $3, $4, $5, 'demo', $6) on conflict do nothing""",
        [
            (job.shop, tag_id, name, folded(name), colour, job.until - timedelta(days=DAYS))
            for tag_id, (name, colour) in zip(tag_ids, TAGS, strict=True)
        ],
    )


async def _drop_indexes(connection: Any, service: str) -> list[str]:
    """Drop the secondary indexes of the tables to load; their definitions come back."""
    tables = [table.split(".")[-1] for table in STEPS[service][1]]
    rows = await connection.fetch(
        """select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
           from pg_index i join pg_class t on t.oid = i.indrelid
           where t.relname = any($1::text[]) and t.relnamespace in ('public'::regnamespace, 'msg'::regnamespace)
             and not i.indisunique
             and not exists (select from pg_constraint c where c.conindid = i.indexrelid)""",
        tables,
    )
    for row in rows:
        await connection.execute(f"drop index {row['name']}")
    return [row["definition"] for row in rows]


async def _make_indexes(connection: Any, definitions: Sequence[str], service: str, report: Report) -> None:
    is_alone = await connection.fetchval(_IS_ALONE)
    for definition in definitions:
        began = time.monotonic()
        if not is_alone:
            definition = definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
        await connection.execute(definition, timeout=3600)
        name = definition.split(" ON ", 1)[0].split()[-1]
        report(f"{service}: index {name} in {time.monotonic() - began:.0f} s")


async def _execute(connection: Any, statement: str, values: Mapping[str, Any]) -> None:
    sql, arguments = bound(statement, values)
    await connection.execute(sql, *arguments, timeout=3600)


def bound(statement: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return a statement with `$name` for its values, as PostgreSQL takes it: numbered and typed."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}::{_type(values[found[1]])}"

    return re.sub(r"\$([a-z_]+)", number, statement), [values[name] for name in names]


def _type(value: Any) -> str:
    if isinstance(value, list):
        return f"{_type(value[0])}[]"
    kinds = {str: "text", int: "bigint", float: "float8", datetime: "timestamptz", UUID: "uuid"}
    return kinds[type(value)]
