"""SQL of an erasure: rows about orders in any table, and messages about them in the schema `msg`.

Tables are found by their columns: every table with `shop` and `order_id` has rows about orders, so a table
added later is erased too.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.chassis.messaging.erasure.redacting import Person, redact
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

TIMER = "erasure"
"""Kind of the timer that carries out an erasure; its key is the erasure's id, its payload names the orders."""
OrderKey = tuple[str, UUID]
_JSON = ("json", "jsonb")


class ErasedRow(NamedTuple):
    shop: str
    order_id: UUID


_MARK = Bulk(
    ErasedRow,
    """INSERT INTO msg.erased (shop, order_id, erasure_id, erased_at)
       SELECT shop, order_id, {erasure_id}, {now} FROM {rows} AS r ({columns}) ORDER BY 1, 2
       ON CONFLICT DO NOTHING""",
)


async def mark(connection: Writer, erasure_id: UUID, keys: Sequence[OrderKey], now: datetime) -> None:
    """Mark orders as erased; one that was keeps its first mark."""
    await _MARK.execute(connection, [ErasedRow(*key) for key in keys], erasure_id=erasure_id, now=now)


_REPEAT = Bulk(
    ErasedRow,
    """INSERT INTO msg.timer (kind, key, due_at, payload)
       SELECT DISTINCT 'erasure', e.erasure_id::text, {now}::timestamptz,
              jsonb_build_object('shop', e.shop, 'pauses', 0)
       FROM msg.erased AS e JOIN {rows} AS r ({columns}) USING (shop, order_id)
       ON CONFLICT (kind, key) DO UPDATE SET due_at = least(msg.timer.due_at, excluded.due_at)""",
)


async def repeat(connection: Writer, keys: Collection[OrderKey], now: datetime) -> None:
    """Have the erasures of those of these orders that were erased carried out again now."""
    await _REPEAT.execute(connection, [ErasedRow(*key) for key in sorted(keys)], now=now)


async def orders_of(connection: Connection, erasure_id: UUID) -> list[UUID]:
    """Return the orders that this erasure marked, by id."""
    rows = await connection.fetch(
        "SELECT order_id FROM msg.erased WHERE erasure_id = $1 ORDER BY order_id", erasure_id
    )
    return [row["order_id"] for row in rows]


async def tables_about_orders(connection: Connection) -> list[str]:
    """Return the names of the service's tables with rows about orders."""
    rows = await connection.fetch(
        """SELECT c.relname FROM pg_class AS c
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
             AND 2 = (SELECT count(*) FROM pg_attribute AS a
                      WHERE a.attrelid = c.oid AND a.attname IN ('shop', 'order_id') AND NOT a.attisdropped)
           ORDER BY c.relname"""
    )
    return [row["relname"] for row in rows]


class _Column(NamedTuple):
    name: str
    type: str
    is_compulsory: bool


async def _texts_of(connection: Connection, table: str) -> list[_Column]:
    """Return the table's own columns that hold text or JSON."""
    rows = await connection.fetch(
        """SELECT attname, format_type(atttypid, NULL) AS type, attnotnull FROM pg_attribute
           WHERE attrelid = ('public.' || quote_ident($1))::regclass AND attnum > 0 AND NOT attisdropped
             AND attgenerated = '' AND format_type(atttypid, NULL) IN ('text', 'json', 'jsonb')
           ORDER BY attnum""",
        table,
    )
    return [_Column(*row) for row in rows]


async def read_rows(
    connection: Connection, table: str, shop: str, orders: Sequence[UUID]
) -> list[dict[str, Any]]:
    """Return the texts and JSON of the rows about these orders, with each row's `ctid`. Locks them."""
    names = "".join(f', "{column.name}"' for column in await _texts_of(connection, table))
    rows = await connection.fetch(
        f'SELECT ctid::text AS "ctid"{names} FROM "{table}" WHERE shop = $1 AND order_id = ANY($2) FOR UPDATE',  # noqa: S608
        shop,
        orders,
    )
    types = {column.name: column.type for column in await _texts_of(connection, table)}
    return [
        {
            name: json.loads(value) if types.get(name) in _JSON and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]


async def redact_rows(
    connection: Connection, table: str, rows: Sequence[Mapping[str, Any]], person: Person
) -> int:
    """Write those rows back that change by redaction. Return their number."""
    columns = {column.name: column for column in await _texts_of(connection, table)}
    changed = 0
    for row in rows:
        left = redact({name: row[name] for name in columns}, person)
        new = {name: left.get(name) for name in columns if left.get(name) != row[name]}
        new = {n: "" if v is None and columns[n].is_compulsory else v for n, v in new.items()}
        new = {name: value for name, value in new.items() if value != row[name]}
        if new:
            changed += 1
            await _update(
                connection, table, row["ctid"], {columns[name]: value for name, value in new.items()}
            )
    return changed


async def _update(connection: Connection, table: str, ctid: str, values: Mapping[_Column, Any]) -> None:
    sets = ", ".join(f'"{column.name}" = ${n}::{column.type}' for n, column in enumerate(values, 2))
    arguments = [
        json.dumps(value, ensure_ascii=False) if column.type in _JSON and value is not None else value
        for column, value in values.items()
    ]
    await connection.execute(f'UPDATE "{table}" SET {sets} WHERE ctid = $1::text::tid', ctid, *arguments)  # noqa: S608


async def read_bodies(connection: Connection, shop: str, orders: Sequence[UUID]) -> list[tuple[UUID, bytes]]:
    """Return the logged messages about these orders, and those about several orders that name one of them."""
    ids = [str(order_id) for order_id in orders]
    rows = await connection.fetch(
        """SELECT id, body FROM msg.event_log WHERE shop = $1 AND subject = ANY($2)
           UNION ALL
           SELECT id, body FROM msg.event_log
           WHERE (shop = $1 OR shop IS NULL) AND subject IS NULL
             AND EXISTS (SELECT FROM unnest($3::bytea[]) AS one (id) WHERE position(one.id IN body) > 0)""",
        shop,
        ids,
        [one.encode() for one in ids],
    )
    return [(row["id"], row["body"]) for row in rows]


async def read_named(
    connection: Connection, shop: str, addresses: Collection[str]
) -> list[tuple[UUID, bytes]]:
    """Return the logged messages about no order that have one of these mail addresses, in lower or upper
    case.
    """
    needles = sorted({json.dumps(one, ensure_ascii=False)[1:-1].lower().encode() for one in addresses})
    rows = await connection.fetch(
        """SELECT id, body FROM msg.event_log
           WHERE (shop = $1 OR shop IS NULL) AND subject IS NULL
             AND EXISTS (SELECT FROM unnest($2::bytea[]) AS one (text)
                         WHERE position(lower(encode(one.text, 'escape')) IN lower(encode(body, 'escape'))) > 0)""",
        shop,
        needles,
    )
    return [(row["id"], row["body"]) for row in rows]


async def write_bodies(connection: Connection, bodies: Sequence[tuple[UUID, bytes]]) -> None:
    """Replace the bodies of logged messages."""
    await connection.executemany("UPDATE msg.event_log SET body = $2 WHERE id = $1", bodies)


async def read_unsent(connection: Connection, orders: Sequence[UUID]) -> list[tuple[UUID, bytes]]:
    """Return outbox rows that have a body of their own and name one of these orders. Locks them."""
    rows = await connection.fetch(
        """SELECT id, body FROM msg.dispatch WHERE body IS NOT NULL
             AND EXISTS (SELECT FROM unnest($1::bytea[]) AS one (id) WHERE position(one.id IN body) > 0)
           FOR UPDATE""",
        [str(order_id).encode() for order_id in orders],
    )
    return [(row["id"], row["body"]) for row in rows]


async def write_unsent(connection: Connection, bodies: Sequence[tuple[UUID, bytes]]) -> None:
    """Replace the bodies of outbox rows."""
    await connection.executemany("UPDATE msg.dispatch SET body = $2 WHERE id = $1", bodies)


class ParkedTexts(NamedTuple):
    id: int
    body: bytes
    detail: str
    note: str | None


async def read_parked(
    connection: Connection, shop: str, orders: Sequence[UUID], texts: Collection[str]
) -> list[ParkedTexts]:
    """Return the parked messages about these orders, or with one of these texts in their bodies. Locks them."""
    ids = [str(order_id) for order_id in orders]
    rows = await connection.fetch(
        """SELECT id, body, detail, note FROM msg.parked
           WHERE (shop = $1 AND subject = ANY($2))
              OR EXISTS (SELECT FROM unnest($3::bytea[]) AS one (text) WHERE position(one.text IN body) > 0)
           ORDER BY id FOR UPDATE""",
        shop,
        ids,
        [one.encode() for one in (*ids, *sorted(texts))],
    )
    return [ParkedTexts(*row) for row in rows]


async def write_parked(connection: Connection, rows: Sequence[ParkedTexts]) -> None:
    """Replace bodies and explanations of parked messages."""
    await connection.executemany(
        "UPDATE msg.parked SET body = $2, detail = $3, note = $4 WHERE id = $1", [tuple(row) for row in rows]
    )
