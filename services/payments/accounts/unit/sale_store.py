"""The SQL of sales as accounts keep them for invoices. Accounts are locked before (see store.py)."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Key = tuple[str, UUID]


class SaleRow(NamedTuple):
    shop: str
    order_id: UUID
    placed_at: datetime
    content: Json


_INSERT_SALES = Bulk(
    SaleRow,
    """INSERT INTO sale ({columns})
       SELECT * FROM {rows}""",
)


async def insert_sales(connection: Writer, rows: Sequence[SaleRow]) -> None:
    """Insert the sales of orders placed in this transaction."""
    await _INSERT_SALES.execute(connection, rows)


class EditRow(NamedTuple):
    shop: str
    order_id: UUID
    revision: Integer
    edit: Json
    cancelled: Json


_UPDATE_SALES = Bulk(
    EditRow,
    """UPDATE sale s SET revision = greatest(s.revision, n.revision), cancelled = s.cancelled || n.cancelled,
           edit = CASE WHEN n.revision > s.revision THEN n.edit ELSE s.edit END, is_due = true,
           failure = NULL, failed_at = NULL
       FROM {rows} AS n ({columns})
       WHERE s.shop = n.shop AND s.order_id = n.order_id AND s.content IS NOT NULL""",
)


async def update_sales(connection: Writer, edits: Sequence[EditRow]) -> None:
    """Store an order's last edit, unless a later one is stored, and the units that all of its edits cancelled."""
    last: dict[Key, EditRow] = {}
    for one in edits:
        before = last.get((one.shop, one.order_id), one)
        cancelled = json.dumps({**json.loads(before.cancelled), **json.loads(one.cancelled)})
        later = max(before, one, key=lambda edit: edit.revision)
        last[one.shop, one.order_id] = later._replace(cancelled=cancelled)
    await _UPDATE_SALES.execute(connection, [last[key] for key in sorted(last)])


_MARK_DUE = Bulk(
    tuple[str, UUID],
    """UPDATE sale s SET is_due = true, failure = NULL, failed_at = NULL FROM {rows} AS k (shop, order_id)
       WHERE s.shop = k.shop AND s.order_id = k.order_id AND NOT s.is_due AND s.content IS NOT NULL""",
)


async def mark_due(connection: Writer, keys: Sequence[Key]) -> None:
    """Mark sales whose accounts changed: a document may have to be issued."""
    await _MARK_DUE.execute(connection, keys)


async def mark_placed_since(connection: Writer, shop: str, since: datetime) -> None:
    """Mark the sales without an invoice of orders placed since then: they were looked at before the settings changed.

    Locks them FOR UPDATE by shop and order, like all others.
    """
    await connection.execute(
        """UPDATE sale s SET is_due = true FROM (
               SELECT shop, order_id FROM sale x
               WHERE shop = $1 AND placed_at >= $2 AND NOT is_due AND content IS NOT NULL
                 AND NOT EXISTS (SELECT FROM invoice i WHERE (i.shop, i.order_id) = (x.shop, x.order_id))
               ORDER BY shop, order_id FOR UPDATE) AS k
           WHERE (s.shop, s.order_id) = (k.shop, k.order_id)""",
        shop,
        since,
    )


class WishRow(NamedTuple):
    shop: str
    order_id: UUID
    wish: Json


_STORE_WISHES = Bulk(
    WishRow,
    """UPDATE sale s SET wish = n.wish, is_due = true, failure = NULL, failed_at = NULL FROM {rows} AS n ({columns})
       WHERE s.shop = n.shop AND s.order_id = n.order_id""",
)


async def store_wishes(connection: Writer, rows: Sequence[WishRow]) -> None:
    """Store that staff requested invoices."""
    await _STORE_WISHES.execute(connection, rows)


async def take_wishes(connection: Connection, orders: Sequence[Key], shops: Sequence[str]) -> list[WishRow]:
    """Delete and return the requests for invoices of these orders, and all of these shops."""
    rows = await connection.fetch(
        """UPDATE sale s SET wish = NULL FROM (
               SELECT shop, order_id, wish FROM sale
               WHERE is_due AND wish IS NOT NULL AND (shop = ANY($3) OR (shop, order_id) IN (
                   SELECT * FROM unnest($1::text[], $2::uuid[])))
               ORDER BY shop, order_id FOR UPDATE) AS b
           WHERE (s.shop, s.order_id) = (b.shop, b.order_id) RETURNING b.shop, b.order_id, b.wish""",
        [shop for shop, _ in orders],
        [order_id for _, order_id in orders],
        shops,
    )
    return [WishRow(*row) for row in rows]


_ERASE = Bulk(
    tuple[str, UUID],
    """UPDATE sale s SET content = NULL, edit = NULL, cancelled = jsonb_build_object(), is_due = false,
           failure = NULL, failed_at = NULL
       FROM {rows} AS k (shop, order_id)
       WHERE s.shop = k.shop AND s.order_id = k.order_id
         AND NOT EXISTS (SELECT FROM invoice i WHERE i.shop = s.shop AND i.order_id = s.order_id)""",
)


async def erase_sales(connection: Writer, keys: Sequence[Key]) -> None:
    """Erase the sales of deleted orders; what an issued invoice needs for its credit notes stays."""
    await _ERASE.execute(connection, keys)


_READ_REQUESTED = Bulk(
    tuple[str, UUID],
    """SELECT s.shop, s.order_id, s.content IS NOT NULL AS is_kept, s.wish IS NOT NULL AS is_asked
       FROM sale s JOIN {rows} AS k (shop, order_id) USING (shop, order_id)""",
)


async def read_askable(connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[bool, bool]]:
    """Return which sales are kept, and for which staff have already requested an invoice."""
    rows = await _READ_REQUESTED.fetch(connection, keys)
    return {(row["shop"], row["order_id"]): (row["is_kept"], row["is_asked"]) for row in rows}


async def read_contents(connection: Connection, keys: Sequence[Key]) -> list[str]:
    """Return the contents and last edits of the sales of these orders that are kept, as JSON."""
    rows = await connection.fetch(
        """SELECT one FROM sale s JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id) USING (shop, order_id),
                LATERAL (VALUES (s.content), (s.edit)) AS v (one)
           WHERE one IS NOT NULL""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
    return [row["one"] for row in rows]


async def count_erasable(connection: Connection, keys: Sequence[Key]) -> int:
    """Return the number of sales that `erase_sales` would erase."""
    found: int = await connection.fetchval(
        """SELECT count(*) FROM sale s JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id) USING (shop, order_id)
           WHERE s.content IS NOT NULL
             AND NOT EXISTS (SELECT FROM invoice i WHERE i.shop = s.shop AND i.order_id = s.order_id)""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
    return found
