"""The SQL of changes of placed orders. The orders are locked before (`store.lock_orders`); nothing here locks more."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import OrderKey, Row
from services.orders.order.unit.edit import Edit

KEPT = frozenset({"submission", "deleted_order", "command", "refusal", "unmatched_payment"})
"""Tables whose rows about a deleted order stay: its claim (without content), its tombstone, its last command, and money
that now is nobody's."""


async def read_contents(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """What these orders hold: the submission's body, its amendment, the lines, customer and quantities, as JSON."""
    return await connection.fetch(
        """SELECT o.shop, o.order_id, o.code, o.currency, o.payment_method, o.total_minor, o.customer_name,
                  o.customer_email, o.customer_phone, o.line_positions, o.fulfilment_version,
                  s.body AS submission, a.content AS amendment,
                  (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(l) - 'shop' - 'order_id') ORDER BY l.line)
                   FROM order_line l WHERE l.shop = o.shop AND l.order_id = o.order_id) AS lines
           FROM unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
           CROSS JOIN LATERAL (SELECT * FROM orders AS o
                               WHERE o.order_id = k.order_id AND o.shop || '' = k.shop OFFSET 0) AS o
           LEFT JOIN submission s ON (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
           LEFT JOIN amendment a ON (a.shop, a.order_id) = (o.shop, o.order_id)""",
        *_columns(keys),
    )


async def read_edits(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """All changes of these orders, open ones and those that ended, in the sequence in which they were asked for."""
    return await connection.fetch(
        """SELECT e.* FROM order_edit e JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)
           ORDER BY e.requested_at, e.edit_id""",
        *_columns(keys),
    )


async def read_questioned(connection: Connection, questions: Sequence[UUID]) -> set[OrderKey]:
    """The orders with an open change that asked fulfillment by one of these messages."""
    rows = await connection.fetch(
        """SELECT shop, order_id FROM order_edit
           WHERE question_id = ANY($1::uuid[]) AND state IN ('reducing', 'adding')""",
        questions,
    )
    return {(row["shop"], row["order_id"]) for row in rows}


async def write_edits(connection: Writer, edits: Sequence[Edit]) -> None:
    """Insert new changes, write back known ones. UniqueViolationError for a second open change of an order."""
    await connection.execute(
        """INSERT INTO order_edit (shop, order_id, edit_id, cause, state, actor, reason, forced, wanted, asked_off,
                                   asked_on, stopped, not_stopped, missing, number, due_change_minor,
                                   total_before_minor, total_after_minor, undone_by, requested_at, settled_at,
                                   question_id, notify_customer, public_comment)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                                $8::boolean[], $9::json[], $10::jsonb[], $11::jsonb[], $12::jsonb[], $13::jsonb[],
                                $14::jsonb[], $15::integer[], $16::bigint[], $17::bigint[], $18::bigint[],
                                $19::uuid[], $20::timestamptz[], $21::timestamptz[], $22::uuid[],
                                $23::boolean[], $24::text[])
           ON CONFLICT (shop, order_id, edit_id) DO UPDATE
           SET state = excluded.state, asked_on = excluded.asked_on, stopped = excluded.stopped,
               not_stopped = excluded.not_stopped, missing = excluded.missing, number = excluded.number,
               cause = excluded.cause, due_change_minor = excluded.due_change_minor,
               total_after_minor = excluded.total_after_minor, undone_by = excluded.undone_by,
               settled_at = excluded.settled_at, question_id = excluded.question_id""",
        *_columns([_edit_row(edit) for edit in edits]),
    )


def _edit_row(edit: Edit) -> tuple[Any, ...]:
    units = (edit.asked_off, edit.asked_on, edit.stopped, edit.not_stopped, edit.missing)
    return (
        *(edit.shop, edit.order_id, edit.id, edit.cause.value, edit.state.value, edit.actor, edit.reason),
        edit.forced,
        edit.wanted.model_dump_json() if edit.wanted else None,
        *(json.dumps(one) for one in units),
        *(edit.number, edit.due_change_minor, edit.total_before_minor, edit.total_after_minor),
        *(edit.undone_by, edit.requested_at, edit.settled_at, edit.question_id),
        *(edit.notify_customer, edit.public_comment),
    )


async def write_lines(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Insert lines that an edit added, write back those it changed."""
    await connection.execute(
        """INSERT INTO order_line (shop, order_id, line, kind, description, sku, quantity, unit_price_minor,
                                   discount_minor, total_minor, vat_rate, resource, starts_at, ends_at, options,
                                   reduced, unit_price_exact, tax_minor, taxes)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[],
                                $7::integer[], $8::bigint[], $9::bigint[], $10::bigint[], $11::integer[], $12::text[],
                                $13::timestamptz[], $14::timestamptz[], $15::json[], $16::integer[], $17::text[],
                                $18::bigint[], $19::json[])
           ON CONFLICT (shop, order_id, line) DO UPDATE
           SET description = excluded.description, quantity = excluded.quantity,
               unit_price_minor = excluded.unit_price_minor, discount_minor = excluded.discount_minor,
               total_minor = excluded.total_minor, vat_rate = excluded.vat_rate, starts_at = excluded.starts_at,
               ends_at = excluded.ends_at, options = excluded.options, reduced = excluded.reduced,
               unit_price_exact = excluded.unit_price_exact, tax_minor = excluded.tax_minor, taxes = excluded.taxes""",
        *_columns(rows),
    )


async def write_amendments(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Write what replaces submissions' own words: shop, order id, content as JSON."""
    await connection.execute(
        """INSERT INTO amendment (shop, order_id, content)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::json[])
           ON CONFLICT (shop, order_id) DO UPDATE SET content = excluded.content""",
        *_columns(rows),
    )


async def write_heads(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Write what lists show of a content: shop, order id, total, the customer's name, mail and phone."""
    await connection.execute(
        """UPDATE orders AS o
           SET total_minor = r.total, customer_name = r.name, customer_email = r.email, customer_phone = r.phone
           FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[])
                AS r (shop, order_id, total, name, email, phone)
           WHERE o.shop = r.shop AND o.order_id = r.order_id""",
        *_columns(rows),
    )


async def read_deleted(connection: Connection, keys: Sequence[OrderKey]) -> set[OrderKey]:
    """Those of these orders that were deleted."""
    rows = await connection.fetch(
        """SELECT shop, order_id FROM deleted_order JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        *_columns(keys),
    )
    return {(row["shop"], row["order_id"]) for row in rows}


async def read_standing(connection: Connection, shop: str, order_id: UUID) -> list[Row]:
    """An order's packed parcels that have neither left nor been taken apart, the latest first."""
    return await connection.fetch(
        """SELECT parcel_id, number, lines FROM parcel p
           WHERE shop = $1 AND order_id = $2
             AND NOT EXISTS (SELECT FROM unpacking u
                             WHERE (u.shop, u.order_id, u.parcel_id) = (p.shop, p.order_id, p.parcel_id))
             AND NOT EXISTS (SELECT FROM shipment s
                             WHERE s.shop = p.shop AND s.order_id = p.order_id AND s.cancelled_at IS NULL
                               AND p.parcel_id = ANY (s.parcel_ids))
           ORDER BY number DESC, parcel_id DESC""",
        shop,
        order_id,
    )


async def has_tracking(connection: Connection, shop: str, order_id: UUID) -> bool:
    """Whether any shipment of the order has a tracking number."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM shipment
                          WHERE shop = $1 AND order_id = $2 AND tracking_number IS NOT NULL
                            AND cancelled_at IS NULL)""",
        shop,
        order_id,
    )
    return found


async def has_money(connection: Connection, shop: str, order_id: UUID) -> bool:
    """Whether the order's ledger ever held money that came or went, though it may add up to nothing now."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM ledger_entry
                          WHERE shop = $1 AND order_id = $2
                            AND kind IN ('payment_received', 'refund_paid', 'refund_marked', 'transfer_in'))""",
        shop,
        order_id,
    )
    return found


async def erase(
    connection: Connection, key: OrderKey, command_id: UUID, tombstone: tuple[str, str, str, datetime]
) -> None:
    """Delete every row about an order (locked before) in whatever table has a shop and an order id, but for `KEPT`.

    The claim on its idempotency key stays without its content, so that the sale sent again is not a new order; of its
    commands the one that deletes it stays. The tombstone is code, actor, reason and when.
    """
    await connection.execute(
        """UPDATE submission AS s SET body = '{}' FROM orders AS o
           WHERE o.shop = $1 AND o.order_id = $2
             AND (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)""",
        *key,
    )
    heard = await connection.fetchval(
        """SELECT coalesce(array_agg(cause_id), '{}') FROM activity
           WHERE shop = $1 AND order_id = $2 AND kind IN ('checkout_opened', 'checkout_dropped')""",
        *key,
    )
    for table in await _tables_about_orders(connection):
        await connection.execute(f'DELETE FROM "{table}" WHERE shop = $1 AND order_id = $2', *key)  # noqa: S608
    await connection.execute(
        "DELETE FROM command WHERE shop = $1 AND order_id = $2 AND command_id <> $3", *key, command_id
    )
    await connection.execute(
        """INSERT INTO deleted_order (shop, order_id, code, actor, reason, deleted_at, heard)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *key,
        *tombstone,
        heard,
    )


async def erase_unplaced(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Delete every row about checkouts (their orders' rows are locked) that were never placed."""
    of_orders = [shop for shop, _ in keys], [order_id for _, order_id in keys]
    gone = "unnest($1::text[], $2::uuid[]) AS gone (shop, id)"
    for table in await _tables_about_orders(connection) if keys else ():
        await connection.execute(
            f'DELETE FROM "{table}" AS t USING {gone} WHERE t.shop = gone.shop AND t.order_id = gone.id',  # noqa: S608
            *of_orders,
        )
    await connection.execute(
        f"DELETE FROM checkout AS c USING {gone} WHERE c.shop = gone.shop AND c.checkout_id = gone.id",  # noqa: S608
        *of_orders,
    )


async def _tables_about_orders(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        """SELECT c.relname FROM pg_class c
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
             AND 2 = (SELECT count(*) FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attname IN ('shop', 'order_id') AND NOT a.attisdropped)
           ORDER BY c.relname"""
    )
    return [row["relname"] for row in rows if row["relname"] not in KEPT]


def _columns(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
