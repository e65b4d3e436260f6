"""All SQL on checkouts, and on orders while they are checkouts; one function a statement, rows as tuples."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import OrderKey, Row


def _columns(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


async def lock_checkouts(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Lock checkouts, known or not, until the end of the transaction, in one fixed order.

    Two of them may share a lock (64-bit hash): they then wait for each other for nothing, no more.
    """
    await connection.execute(
        """SELECT pg_advisory_xact_lock(h) FROM (
               SELECT DISTINCT hashtextextended('checkout ' || shop || ' ' || id, 0) AS h
               FROM unnest($1::text[], $2::uuid[]) AS k (shop, id) ORDER BY h) AS sorted""",
        *_columns(keys),
    )


async def read_checkouts(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """What is known of these checkouts, which are locked."""
    return await connection.fetch(
        """SELECT c.* FROM unnest($1::text[], $2::uuid[]) AS k (shop, checkout_id)
           JOIN checkout AS c USING (shop, checkout_id)""",
        *_columns(keys),
    )


async def write_checkouts(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Write checkouts that are locked, whole."""
    await connection.execute(
        """INSERT INTO checkout (shop, checkout_id, module, opened_at, snapshot_id, body, dropped_at,
                                 timed_out_at, paid_at)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::json[],
                                $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
           ON CONFLICT (shop, checkout_id) DO UPDATE SET
               module = excluded.module, opened_at = excluded.opened_at, snapshot_id = excluded.snapshot_id,
               body = excluded.body, dropped_at = excluded.dropped_at,
               timed_out_at = excluded.timed_out_at, paid_at = excluded.paid_at""",
        *_columns(rows),
    )


async def write_orders(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Write orders that are checkouts, as their customers told them last: nothing is due, no unit is ordered."""
    await connection.execute(
        """INSERT INTO orders
               (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
                customer_name, customer_email, customer_phone, payment_method, currency, total_minor,
                state, label, automatic_state, payment_status, fulfilment_status, stage, payment_flags, flags,
                payment_version, due_minor, balance_minor, fulfilment_version, ship_ordered, other_ordered,
                ship_needed, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
           SELECT shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
                  customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state,
                  label, automatic_state, payment_status, fulfilment_status, stage,
                  string_to_array(payment_flags, E'\\x1f'), string_to_array(flags, E'\\x1f'),
                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $24, $24
           FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
                       $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
                       $21::text[], $22::text[], $23::text[])
                AS r (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
                      customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state,
                      label, automatic_state, payment_status, fulfilment_status, stage, payment_flags, flags)
           ON CONFLICT (order_id, shop) DO UPDATE SET
               module = excluded.module, idempotency_key = excluded.idempotency_key,
               source_reference = excluded.source_reference, locale = excluded.locale,
               placed_at = excluded.placed_at, customer_name = excluded.customer_name,
               customer_email = excluded.customer_email, customer_phone = excluded.customer_phone,
               payment_method = excluded.payment_method, currency = excluded.currency,
               total_minor = excluded.total_minor, stage = excluded.stage
           WHERE orders.stage <> 'placed'""",
        *_columns(rows),
        now,
    )


async def place_orders(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Make orders of checkouts that are locked: rows as `store.insert_orders` takes them, then the revision.

    What staff chose for the checkout (to archive it, a state) was not meant for the order.
    """
    await connection.execute(
        """UPDATE orders AS o SET
               stage = 'placed', sequence = r.sequence, module = r.module, idempotency_key = r.idempotency_key,
               source_reference = r.source_reference, locale = r.locale, placed_at = r.placed_at,
               customer_name = r.customer_name, customer_email = r.customer_email,
               customer_phone = r.customer_phone, payment_method = r.payment_method, currency = r.currency,
               total_minor = r.total_minor, state = r.state, label = r.label, automatic_state = r.automatic_state,
               payment_status = r.payment_status, fulfilment_status = r.fulfilment_status, flags = '{}',
               payment_flags = '{}', hand_state = NULL, hand_label = NULL, hand_over = NULL,
               due_minor = r.total_minor, balance_minor = r.total_minor, ship_ordered = r.goods,
               ship_needed = r.goods, other_ordered = r.others, other_needed = r.others, units_to_pack = r.goods,
               archived_at = NULL, revision = r.revision, changed_at = $24
           FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
                       $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
                       $21::integer[], $22::integer[], $23::integer[])
                AS r (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
                      customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state,
                      label, automatic_state, payment_status, fulfilment_status, goods, others, revision)
           WHERE o.order_id = r.order_id AND o.shop = r.shop""",
        *_columns(rows),
        now,
    )


async def delete_lines(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Forget the lines that these checkouts had."""
    await connection.execute(
        """DELETE FROM order_line AS l USING unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
           WHERE l.shop = k.shop AND l.order_id = k.order_id""",
        *_columns(keys),
    )
