"""Keeping `order_search` up: a worker writes anew the words of orders that changed, about a second behind.

Invariant: whatever changes an order's words leaves a row in `order_search_due` in the same transaction; the worker
takes it away in the transaction that writes the words, so none is forgotten when the process dies. One process works at
a time: two could write an older state over a newer one.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.hub import Hub
from services.chassis.working import Worker
from services.orders.finding.folding import document, fold

BATCH = 500
IDLE_SECONDS = 0.5
_ONE_AT_A_TIME = 0x6F7264657273


def indexer() -> Worker:
    """The worker that writes the words of changed orders."""
    return Worker("order search", index_due, idle_seconds=IDLE_SECONDS)


async def index_due(hub: Hub) -> bool:
    """Write the words of some orders that changed. Whether there may be more."""
    async with hub.acquire() as connection, connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _ONE_AT_A_TIME):
            return False
        due = await take_due(connection, BATCH)
        if due:
            await index(connection, [(row["shop"], row["order_id"]) for row in due])
    return len(due) == BATCH


async def index(connection: Connection, orders: Sequence[tuple[str, UUID]]) -> None:
    """Write the words of these orders, and put right what a merge of tags may have left."""
    keys = sorted(set(orders))
    rows = [_searched(row) for row in await read_words(connection, keys)]
    if rows:
        await write_words(connection, rows)
    await renew_facets(connection, keys)


async def note_changed(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> None:
    """Have the words of these orders written anew: for changes that no trigger sees (lines of an edited order)."""
    await connection.execute(
        "insert into order_search_due (shop, order_id) select $1, unnest($2::uuid[])", shop, list(order_ids)
    )


def _searched(row: Mapping[str, Any]) -> tuple[Any, ...]:
    words = (
        row["customer_name"],
        row["customer_email"],
        row["source_reference"],
        row["submitted_reference"],
        *row["skus"],
        *row["tracking_numbers"],
        *row["provider_references"],
    )
    text = document(row["code"], words, row["customer_phone"])
    return row["shop"], row["order_id"], row["placed_at"], fold(row["customer_email"]), text


async def take_due(connection: Connection, most: int) -> list[Mapping[str, Any]]:
    """Take some of the orders to look at: shop, order_id. They are gone when the transaction commits."""
    return await connection.fetch(
        """delete from order_search_due where ctid = any(array(select ctid from order_search_due limit $1))
           returning shop, order_id""",
        most,
    )


async def read_words(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> list[Mapping[str, Any]]:
    """All that is searched of these orders; one that is gone is missing."""
    return await connection.fetch(
        """select o.shop, o.order_id, o.placed_at, o.code, o.customer_name, o.customer_phone,
               coalesce(o.customer_email, '') as customer_email,
               o.source_reference,
               (select s.body -> 'payment' ->> 'provider_reference' from submission s
                where s.shop = o.shop and s.module = o.module and s.idempotency_key = o.idempotency_key
               ) as submitted_reference,
               array(select l.sku from order_line l where l.shop = o.shop and l.order_id = o.order_id
                     and l.sku is not null order by l.line) as skus,
               array(select x.tracking_number from shipment x where x.shop = o.shop and x.order_id = o.order_id
                     and x.tracking_number is not null order by x.dispatched_at) as tracking_numbers,
               array(select e.provider_reference from ledger_entry e where e.shop = o.shop
                     and e.order_id = o.order_id and e.provider_reference is not null
                     order by e.recorded_at) as provider_references
           from unnest($1::text[], $2::uuid[]) as k (shop, order_id)
           cross join lateral (select * from orders o where o.order_id = k.order_id and o.shop || '' = k.shop) o""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )


async def write_words(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write shop, order, moment placed, mail, document; what is the same stays untouched."""
    await connection.execute(
        """insert into order_search as s (shop, order_id, placed_at, mail, document)
           select * from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[])
           on conflict (order_id, shop) do update
           set placed_at = excluded.placed_at, mail = excluded.mail, document = excluded.document
           where (s.placed_at, s.mail, s.document) is distinct from
                 (excluded.placed_at, excluded.mail, excluded.document)""",
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def renew_facets(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> None:
    """Give the facets of these orders the orders' own kind."""
    await connection.execute(
        """update order_facet f set kind_id = o.kind_id, placed_at = o.placed_at
           from unnest($1::text[], $2::uuid[]) as k (shop, order_id)
           cross join lateral (select x.shop, x.order_id, x.kind_id, x.placed_at from orders x
                               where x.order_id = k.order_id and x.shop || '' = k.shop
                                 and exists (select from order_facet g
                                             where g.order_id = x.order_id and g.shop = x.shop)
                               for share) o
           where f.order_id = o.order_id and f.shop = o.shop
             and (f.kind_id, f.placed_at) is distinct from (o.kind_id, o.placed_at)""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
