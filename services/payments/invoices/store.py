"""The SQL of issued documents, their series and their PDFs.

Lock order of an issue: accounts, sales, then series, each sorted. A series' row is locked from the allocation of
its numbers to the commit, so that a rolled-back issue leaves no gap and no two documents share a number.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.invoices.numbering import Series

Key = tuple[str, UUID]


FIND_DUE = """
    SELECT d.shop, d.order_id
    FROM unnest($2::text[]) AS i (shop) CROSS JOIN LATERAL (
        SELECT s.shop, s.order_id, row_number() OVER (ORDER BY s.order_id) AS turn FROM (
            SELECT shop, order_id FROM sale WHERE shop = i.shop AND is_due ORDER BY order_id LIMIT $1) AS s
    ) AS d
    ORDER BY d.turn, d.shop LIMIT $1"""
"""The first sales due of each shop, by the index of those due: what is read grows with shops, not with backlogs."""


FIND_DUE_SHOPS = """
    WITH RECURSIVE due AS (
        SELECT min(shop) AS shop FROM sale WHERE is_due
        UNION ALL
        SELECT (SELECT min(s.shop) FROM sale s WHERE s.is_due AND s.shop > due.shop) FROM due WHERE shop IS NOT NULL)
    SELECT shop FROM due WHERE shop IS NOT NULL"""
"""The shops with sales due, each by one look into the index of those due; without any, one look."""


async def find_due_shops(connection: Connection) -> list[str]:
    """Return the shops that have sales to look at, sorted. Locks nothing."""
    return [row["shop"] for row in await connection.fetch(FIND_DUE_SHOPS)]


async def find_due(connection: Connection, limit: int, shops: Collection[str]) -> list[Key]:
    """Return sales to look at, of these shops in turn: no shop waits for another's backlog. Locks nothing."""
    if not shops:
        return []
    rows = await connection.fetch(FIND_DUE, limit, sorted(shops))
    return sorted((row["shop"], row["order_id"]) for row in rows)


_LOCK_DUE = Bulk(
    tuple[str, UUID],
    """SELECT s.* FROM sale s JOIN {rows} AS k (shop, order_id) USING (shop, order_id)
       WHERE s.is_due AND s.content IS NOT NULL ORDER BY s.shop, s.order_id FOR UPDATE OF s""",
)


async def lock_due(connection: Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Return the sales among these that are still to be looked at, locked FOR UPDATE."""
    return await _LOCK_DUE.fetch(connection, keys)


_READ_OF_ORDERS = Bulk(
    tuple[str, UUID],
    """SELECT i.shop, i.order_id, i.content, i.issued_at
       FROM invoice i JOIN {rows} AS k (shop, order_id) USING (shop, order_id)
       ORDER BY i.issued_at, i.id""",
)


async def read_of_orders(connection: Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """Return the contents of the documents of these orders, the first issued first."""
    return await _READ_OF_ORDERS.fetch(connection, keys)


async def allocate(connection: Connection, series: Series, count: int, day: date) -> tuple[int, date]:
    """Take the next numbers of a series; return the first of them and the date of all. Locks the series."""
    row = await connection.fetchrow(
        """INSERT INTO invoice_series AS s (shop, kind, year, last, last_on) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (shop, kind, year)
           DO UPDATE SET last = s.last + $4, last_on = greatest(s.last_on, $5)
           RETURNING last, last_on""",
        series.shop,
        series.kind.value,
        series.year,
        count,
        day,
    )
    assert row is not None
    return row["last"] - count + 1, row["last_on"]


class DocumentRow(NamedTuple):
    id: UUID
    shop: str
    order_id: UUID
    kind: str
    year: Integer
    position: Integer
    number: str
    corrects: str | None
    issued_on: date
    issued_at: datetime
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    content: str
    digest: str


_INSERT = Bulk(
    DocumentRow,
    """INSERT INTO invoice ({columns})
       SELECT * FROM {rows}""",
)


async def insert(connection: Writer, rows: Sequence[DocumentRow]) -> None:
    """Insert issued documents."""
    await _INSERT.execute(connection, rows)


class SeenRow(NamedTuple):
    shop: str
    order_id: UUID
    entries_seen: Integer | None


_SETTLE = Bulk(
    SeenRow,
    """UPDATE sale s SET is_due = false, wish = NULL, failure = NULL, failed_at = NULL,
           entries_seen = coalesce(n.entries_seen, s.entries_seen)
       FROM {rows} AS n ({columns}) WHERE s.shop = n.shop AND s.order_id = n.order_id""",
)


async def settle(connection: Writer, rows: Sequence[SeenRow]) -> None:
    """Record that sales were looked at, and how many ledger entries their documents account for, if they have any."""
    await _SETTLE.execute(connection, rows)


async def set_aside(connection: Connection, key: Key, failure: str, now: datetime) -> asyncpg.Record | None:
    """Store why a sale's documents can't be issued; it is looked at again when somebody asks for it, or when its
    account changes. Return the sale with the wish that it had; None if it is not due any more.
    """
    return await connection.fetchrow(
        """UPDATE sale s SET is_due = false, wish = NULL, failure = $3, failed_at = $4
           FROM (SELECT shop, order_id, wish FROM sale WHERE shop = $1 AND order_id = $2 AND is_due FOR UPDATE) AS b
           WHERE s.shop = b.shop AND s.order_id = b.order_id RETURNING s.shop, s.order_id, b.wish""",
        *key,
        failure,
        now,
    )


async def retry_failed(connection: Connection, shop: str) -> int:
    """Have the worker look again at a shop's sales that were set aside; return how many."""
    rows = await connection.fetch(
        """UPDATE sale SET is_due = true, failure = NULL, failed_at = NULL
           WHERE shop = $1 AND failure IS NOT NULL RETURNING order_id""",
        shop,
    )
    return len(rows)


async def lock_failed_pdfs(connection: Connection, shop: str) -> list[str]:
    """Return the keys of the effects of a shop whose PDFs failed, sorted. Locks them."""
    rows = await connection.fetch(
        """SELECT key FROM msg.effect WHERE kind = 'invoice_pdf' AND state = 'failed' AND payload ->> 'shop' = $1
           ORDER BY key FOR UPDATE""",
        shop,
    )
    return [row["key"] for row in rows]


async def read_document(connection: Connection, shop: str, identifier: UUID) -> asyncpg.Record | None:
    """Return one document's frozen content with its hash."""
    return await connection.fetchrow(
        "SELECT content, digest FROM invoice WHERE shop = $1 AND id = $2", shop, identifier
    )


async def read_pdf(connection: Connection, shop: str, identifier: UUID) -> asyncpg.Record | None:
    """Return one document's number and its PDF if that is made, else the state of the effect that makes it."""
    return await connection.fetchrow(
        """SELECT i.number, p.content AS pdf, p.sha256, e.state, e.detail
           FROM invoice i LEFT JOIN invoice_pdf p ON p.invoice_id = i.id
           LEFT JOIN msg.effect e ON p.invoice_id IS NULL AND e.key = i.id::text
           WHERE i.shop = $1 AND i.id = $2""",
        shop,
        identifier,
    )


async def read_content(connection: Connection, identifier: UUID) -> str | None:
    """Return a document's frozen content."""
    text: str | None = await connection.fetchval("SELECT content FROM invoice WHERE id = $1", identifier)
    return text


async def read_logo(connection: Connection, sha256: str) -> bytes | None:
    """Return a logo's bytes."""
    found: bytes | None = await connection.fetchval(
        "SELECT content FROM invoice_logo WHERE sha256 = $1", sha256
    )
    return found


class PdfRow(NamedTuple):
    invoice_id: UUID
    content: bytes
    sha256: str


_INSERT_PDFS = Bulk(
    PdfRow,
    """INSERT INTO invoice_pdf ({columns}, made_at)
       SELECT n.*, {now} FROM {rows} AS n ON CONFLICT DO NOTHING""",
)


async def insert_pdfs(connection: Writer, rows: Sequence[PdfRow], now: datetime) -> None:
    """Store PDFs; one that is stored already is the same."""
    await _INSERT_PDFS.execute(connection, rows, now=now)
