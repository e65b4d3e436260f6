"""SQL of held recaps, and of the shops whose invoices are issued and mailed at placement."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.notifier.mails.holding.hold import Hold

OrderKey = tuple[str, UUID]


class HoldRow(NamedTuple):
    shop: str
    order_id: UUID
    cause_id: UUID


class EndRow(NamedTuple):
    shop: str
    order_id: UUID
    invoice_id: UUID | None


class InvoicingRow(NamedTuple):
    shop: str
    version: Integer
    mails_at_placement: bool
    since: datetime | None
    stated_at: datetime


_LOCK = Bulk(
    tuple[str, UUID],
    """SELECT h.shop, h.order_id, h.cause_id, h.ended_at IS NULL AS is_open, h.invoice_id
       FROM recap_hold AS h JOIN {rows} AS wanted (shop, order_id) USING (shop, order_id)
       ORDER BY h.shop, h.order_id FOR UPDATE OF h""",
)
_INSERT = Bulk(HoldRow, "INSERT INTO recap_hold ({columns}) SELECT * FROM {rows} ON CONFLICT DO NOTHING")
_END = Bulk(
    EndRow,
    """UPDATE recap_hold AS h SET ended_at = now(), invoice_id = n.invoice_id FROM {rows} AS n ({columns})
       WHERE (h.shop, h.order_id) = (n.shop, n.order_id)""",
)
_WRITE_INVOICING = Bulk(
    InvoicingRow,
    """INSERT INTO shop_invoicing AS s ({columns}) SELECT * FROM {rows}
       ON CONFLICT (shop) DO UPDATE SET version = excluded.version, since = excluded.since,
           mails_at_placement = excluded.mails_at_placement, stated_at = excluded.stated_at
       WHERE (s.version, coalesce(s.stated_at, '-infinity')) < (excluded.version, excluded.stated_at)""",
)


async def lock_holds(connection: Connection, keys: Collection[OrderKey]) -> list[Hold]:
    """Return the held recaps of these orders, also those that went. Locks them by (shop, order)."""
    return [Hold(**row) for row in await _LOCK.fetch(connection, sorted(keys))]


async def insert_holds(writes: Writer, holds: Sequence[Hold]) -> None:
    """Write new holds; an existing one stays as it is."""
    rows = sorted(HoldRow(one.shop, one.order_id, one.cause_id) for one in holds)
    await _INSERT.execute(writes, rows)


async def end_holds(writes: Writer, holds: Sequence[Hold]) -> None:
    """Write that these recaps wait no longer, and with which invoice they go."""
    rows = sorted((EndRow(one.shop, one.order_id, one.invoice_id) for one in holds), key=lambda row: row[:2])
    await _END.execute(writes, rows)


async def note_alone(connection: Connection, shop: str, order_id: UUID | None) -> None:
    """Write that an order's recap is handed over without its invoice."""
    await connection.execute(
        "UPDATE recap_hold SET alone_at = now() WHERE (shop, order_id) = ($1, $2)", shop, order_id
    )


async def went_alone(connection: Connection, shop: str, order_id: UUID) -> bool:
    """Return whether an order's recap was ever handed over without its invoice."""
    found = await connection.fetchval(
        "SELECT alone_at FROM recap_hold WHERE (shop, order_id) = ($1, $2)", shop, order_id
    )
    return found is not None


async def read_invoiced(connection: Connection, shops: Collection[str]) -> dict[str, datetime | None]:
    """Return those of these shops whose invoices are issued and mailed at placement, with the time since when;
    None where it is unknown.
    """
    rows = await connection.fetch(
        "SELECT shop, since FROM shop_invoicing WHERE shop = ANY($1::text[]) AND mails_at_placement",
        sorted(shops),
    )
    return {row["shop"]: row["since"] for row in rows}


async def write_invoicing(writes: Writer, rows: Sequence[InvoicingRow]) -> None:
    """Write how shops invoice; of several events the highest version counts, then the latest."""
    await _WRITE_INVOICING.execute(writes, sorted(rows))
