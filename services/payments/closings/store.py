"""All SQL on the day's closings and on entries without a hash."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection

PREFETCH = 1000


async def lock_unchained(connection: Connection, limit: int) -> list[tuple[str, UUID]]:
    """Lock accounts that have entries without a hash, and return them; those locked by others are skipped."""
    rows = await connection.fetch(
        """SELECT a.shop, a.order_id FROM account a
           WHERE (a.shop, a.order_id) IN (
               SELECT shop, order_id FROM ledger_entry WHERE hash IS NULL ORDER BY shop, order_id LIMIT $1)
           ORDER BY a.shop, a.order_id FOR UPDATE SKIP LOCKED""",
        limit,
    )
    return [(row["shop"], row["order_id"]) for row in rows]


_ENTRIES = Bulk(
    tuple[str, UUID],
    """SELECT e.* FROM ledger_entry e JOIN {rows} AS k (shop, order_id) USING (shop, order_id)
       ORDER BY e.shop, e.order_id, e.number""",
)


async def read_entries(connection: Connection, accounts: Sequence[tuple[str, UUID]]) -> list[asyncpg.Record]:
    """Return the entries of these accounts, account by account in their order."""
    return await _ENTRIES.fetch(connection, accounts)


class HashRow(NamedTuple):
    shop: str
    order_id: UUID
    number: Integer
    hash: bytes


_FILL_IN = Bulk(
    HashRow,
    """UPDATE ledger_entry e SET hash = n.hash FROM {rows} AS n ({columns})
       WHERE (e.shop, e.order_id, e.number) = (n.shop, n.order_id, n.number) AND e.hash IS NULL""",
)


async def fill_in_hashes(connection: Connection, rows: Sequence[HashRow]) -> None:
    """Fill in missing hashes of locked accounts."""
    await _FILL_IN.execute(connection, rows)


async def is_shop_known(connection: Connection, shop: str) -> bool:
    """Return whether the shop has an account, an entry or a closing."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT FROM account WHERE shop = $1)
                   OR EXISTS (SELECT FROM ledger_entry WHERE shop = $1)
                   OR EXISTS (SELECT FROM ledger_closing WHERE shop = $1)""",
            shop,
        )
    )


async def has_unchained(connection: Connection, shop: str) -> bool:
    """Return whether an entry of the shop has no hash yet."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM ledger_entry WHERE shop = $1 AND hash IS NULL)", shop
    )
    return found


async def read_shops(connection: Connection) -> list[str]:
    """Return the shops that have accounts."""
    rows = await connection.fetch(
        """WITH RECURSIVE found AS (
               (SELECT shop FROM account ORDER BY shop LIMIT 1)
               UNION ALL
               SELECT (SELECT a.shop FROM account a WHERE a.shop > found.shop ORDER BY a.shop LIMIT 1) FROM found
               WHERE found.shop IS NOT NULL)
           SELECT shop FROM found WHERE shop IS NOT NULL"""
    )
    return [row["shop"] for row in rows]


async def lock_shop(connection: Connection, shop: str) -> bool:
    """Lock a shop's closings until the end of the transaction; return False when another process has them."""
    locked: bool = await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('payments closing ' || $1, 0))", shop
    )
    return locked


async def read_last(connection: Connection, shop: str) -> asyncpg.Record | None:
    """Return the shop's latest closing."""
    return await connection.fetchrow(
        "SELECT * FROM ledger_closing WHERE shop = $1 ORDER BY day DESC LIMIT 1", shop
    )


async def first_recording(connection: Connection, shop: str) -> datetime | None:
    """Return when the shop's first entry was recorded."""
    found: datetime | None = await connection.fetchval(
        "SELECT recorded_at FROM ledger_entry WHERE shop = $1 ORDER BY recorded_at LIMIT 1", shop
    )
    return found


async def read_totals(
    connection: Connection, shop: str, since: datetime, until: datetime
) -> list[asyncpg.Record]:
    """Return what was recorded in a shop in this time: currency, kind, entries, amount_minor."""
    return await connection.fetch(
        """SELECT currency, kind, count(*) AS entries, sum(amount_minor)::bigint AS amount_minor
           FROM ledger_entry WHERE shop = $1 AND recorded_at >= $2 AND recorded_at < $3
           GROUP BY currency, kind ORDER BY currency COLLATE "C", kind COLLATE "C" """,
        shop,
        since,
        until,
    )


async def iterate_heads(
    connection: Connection, shop: str, since: datetime, until: datetime
) -> AsyncIterator[asyncpg.Record]:
    """Yield the last entry recorded in this time of each account: order_id, number, hash. Within a transaction."""
    cursor = connection.cursor(
        """SELECT DISTINCT ON (order_id) order_id, number, hash FROM ledger_entry
           WHERE shop = $1 AND recorded_at >= $2 AND recorded_at < $3 ORDER BY order_id, number DESC""",
        shop,
        since,
        until,
        prefetch=PREFETCH,
    )
    async for row in cursor:
        yield row


class ClosingRow(NamedTuple):
    shop: str
    day: date
    accounts: int
    entries: int
    totals: str
    heads: bytes
    hash: bytes
    closed_at: datetime


async def add_closing(connection: Connection, row: ClosingRow) -> None:
    """Insert a closing. Raises UniqueViolationError when the day has one."""
    await connection.execute(
        """INSERT INTO ledger_closing (shop, day, accounts, entries, totals, heads, hash, closed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *row,
    )


async def read_closings(connection: Connection, shop: str, since: date, until: date) -> list[asyncpg.Record]:
    """Return the shop's closings of these days, both included, the latest first."""
    return await connection.fetch(
        "SELECT * FROM ledger_closing WHERE shop = $1 AND day BETWEEN $2 AND $3 ORDER BY day DESC",
        shop,
        since,
        until,
    )


async def iterate_entries(connection: Connection, shop: str | None) -> AsyncIterator[asyncpg.Record]:
    """Yield the entries of a shop or of all, account by account in their order. Within a transaction."""
    cursor = connection.cursor(
        """SELECT * FROM ledger_entry WHERE $1::text IS NULL OR shop = $1
           ORDER BY shop, order_id, number""",
        shop,
        prefetch=PREFETCH,
    )
    async for row in cursor:
        yield row


async def find_unequal_account(
    connection: Connection, shop: str | None, raising: Sequence[str], lowering: Sequence[str]
) -> asyncpg.Record | None:
    """Return the first account whose balance is not that of its entries: shop, order_id, balance_minor, found.

    `raising` and `lowering` are the kinds of entry that raise and lower a balance.
    """
    return await connection.fetchrow(
        """SELECT a.shop, a.order_id, a.balance_minor, coalesce(e.found, 0) AS found FROM account a
           LEFT JOIN (SELECT shop, order_id, sum(amount_minor * CASE WHEN kind = ANY($2) THEN 1
                          WHEN kind = ANY($3) THEN -1 ELSE 0 END)::bigint AS found
                      FROM ledger_entry GROUP BY shop, order_id) AS e USING (shop, order_id)
           WHERE ($1::text IS NULL OR a.shop = $1) AND a.balance_minor <> coalesce(e.found, 0)
           ORDER BY a.shop, a.order_id LIMIT 1""",
        shop,
        raising,
        lowering,
    )


async def iterate_closings(connection: Connection, shop: str | None) -> AsyncIterator[asyncpg.Record]:
    """Yield the closings of a shop or of all, shop by shop in the order of days. Within a transaction."""
    cursor = connection.cursor(
        "SELECT * FROM ledger_closing WHERE $1::text IS NULL OR shop = $1 ORDER BY shop, day",
        shop,
        prefetch=PREFETCH,
    )
    async for row in cursor:
        yield row
