"""All SQL by which the messages' handlers read and write this service's tables; one function a statement.

Everything is set-based: a batch of a hundred messages costs the same few statements as one. Rows come as tuples in
the columns' sequence and travel as one array per column. Look-ups are lateral subqueries, and those of one order
compare `shop || ''`: so each key is a probe of its unique index, whatever the planner believes about a table
that was empty when it last looked. Written plainly they read the whole shop for every order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Row = Mapping[str, Any]
OrderKey = tuple[str, UUID]
SEPARATOR = "\x1f"
"""Between the flags of one order on their way into an array."""


def _columns(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


async def claim_keys(
    connection: Connection, rows: Sequence[Sequence[Any]], now: datetime
) -> set[tuple[str, str, str]]:
    """Claim idempotency keys; those that were free come back.

    Rows: shop, module, key, submission id, content hash, body, checkout id. Waits for another transaction that
    claims the same key; callers sort by key so that two batches cannot wait for each other.
    """
    found = await connection.fetch(
        """INSERT INTO submission
               (shop, module, idempotency_key, submission_id, content_hash, body, checkout_id, received_at)
           SELECT *, $8::timestamptz
           FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::json[], $7::uuid[])
           ON CONFLICT DO NOTHING RETURNING shop, module, idempotency_key""",
        *_columns(rows),
        now,
    )
    return {(row[0], row[1], row[2]) for row in found}


async def free_keys(connection: Writer, keys: Sequence[tuple[str, str, str]]) -> None:
    """Give back keys claimed in this transaction, with which nothing was placed."""
    await connection.execute(
        """DELETE FROM submission AS s USING unnest($1::text[], $2::text[], $3::text[]) AS k (shop, module, key)
           WHERE (s.shop, s.module, s.idempotency_key) = (k.shop, k.module, k.key)""",
        *_columns(keys),
    )


async def free_refused_keys(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
    """Free keys of refused sales, which a process of an earlier version leaves claimed without an order.

    Keys of orders, deleted ones too, stay claimed. Waits for locks on such rows.
    """
    await connection.execute(
        """DELETE FROM submission AS s USING unnest($1::text[], $2::text[], $3::text[]) AS k (shop, module, key)
           WHERE (s.shop, s.module, s.idempotency_key) = (k.shop, k.module, k.key)
             AND NOT EXISTS (SELECT FROM orders AS o
                             WHERE o.order_id = coalesce(s.checkout_id, s.submission_id) AND o.shop = s.shop
                               AND (o.stage, o.module, o.idempotency_key) = ('placed', s.module, s.idempotency_key))
             AND NOT EXISTS (SELECT FROM deleted_order AS d
                             WHERE (d.shop, d.order_id) = (s.shop, coalesce(s.checkout_id, s.submission_id)))
             AND EXISTS (SELECT FROM refusal AS r
                         WHERE (r.shop, r.module, r.idempotency_key) = (s.shop, s.module, s.idempotency_key)
                           AND r.submission_id = s.submission_id AND r.refused_at <= s.received_at)""",
        *_columns(keys),
    )


async def hand_keys(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Write the sales that were placed with keys claimed in this transaction; rows as `claim_keys` takes them."""
    await connection.execute(
        """UPDATE submission AS s
           SET submission_id = r.submission_id, content_hash = r.content_hash, body = r.body,
               checkout_id = r.checkout_id
           FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::json[], $7::uuid[])
                AS r (shop, module, key, submission_id, content_hash, body, checkout_id)
           WHERE (s.shop, s.module, s.idempotency_key) = (r.shop, r.module, r.key)""",
        *_columns(rows),
    )


async def read_claims(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> list[Row]:
    """Who owns these keys, the submission as stored, and the order placed, if it still exists. Locks nothing."""
    return await connection.fetch(
        """SELECT s.shop, s.module, s.idempotency_key, s.submission_id, s.content_hash, s.body, s.checkout_id,
                  o.order_id, o.code, o.source_reference, o.total_minor, o.currency
           FROM unnest($1::text[], $2::text[], $3::text[]) AS k (shop, module, idempotency_key)
           CROSS JOIN LATERAL (SELECT * FROM submission AS s
                               WHERE (s.shop, s.module, s.idempotency_key) = (k.shop, k.module, k.idempotency_key)
                               OFFSET 0) AS s
           LEFT JOIN LATERAL (SELECT * FROM orders AS o
                              WHERE o.order_id = coalesce(s.checkout_id, s.submission_id) AND o.shop || '' = s.shop
                                AND (o.stage, o.module, o.idempotency_key)
                                    = ('placed', s.module, s.idempotency_key) OFFSET 0) AS o ON true""",
        *_columns(keys),
    )


async def join_references(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Add to placed orders what their storefronts named later: shop, module, key, order id, source reference, provider
    and its reference. What is stored already stays."""
    columns = _columns(rows)
    await connection.execute(
        """UPDATE orders AS o SET source_reference = r.source_reference
           FROM unnest($1::text[], $2::uuid[], $3::text[]) AS r (shop, order_id, source_reference)
           WHERE o.order_id = r.order_id AND o.shop || '' = r.shop
             AND o.source_reference IS NULL AND r.source_reference IS NOT NULL""",
        columns[0],
        columns[3],
        columns[4],
    )
    await connection.execute(
        """UPDATE submission AS s
           SET body = ((jsonb_strip_nulls(jsonb_build_object('source_reference', r.source_reference)) || s.body::jsonb)
                       || CASE WHEN r.provider_reference IS NULL
                                    OR s.body::jsonb #> '{payment,provider_reference}' IS NOT NULL THEN '{}'
                               ELSE jsonb_build_object('payment', s.body::jsonb -> 'payment' || jsonb_strip_nulls(
                                   jsonb_build_object('provider', r.provider,
                                                      'provider_reference', r.provider_reference))) END)::json
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
                AS r (shop, module, key, source_reference, provider, provider_reference)
           WHERE (s.shop, s.module, s.idempotency_key) = (r.shop, r.module, r.key)""",
        *columns[:3],
        *columns[4:],
    )


async def find_taken(connection: Connection, rows: Sequence[tuple[str, UUID, str]]) -> list[Row]:
    """Which of these orders' ids and codes another order has: shop, order_id, id_taken, code_taken."""
    return await connection.fetch(
        """SELECT k.shop, k.order_id,
                  EXISTS (SELECT 1 FROM orders AS o
                          WHERE o.order_id = k.order_id AND o.shop || '' = k.shop OFFSET 0) AS id_taken,
                  EXISTS (SELECT 1 FROM orders AS o
                          WHERE o.code = k.code AND o.shop || '' = k.shop OFFSET 0) AS code_taken
           FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (shop, order_id, code)""",
        *_columns(rows),
    )


async def insert_orders(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Insert placed orders, before anything is known of their money and goods."""
    await connection.execute(
        """INSERT INTO orders
               (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
                customer_name, customer_email, customer_phone, payment_method, currency, total_minor,
                state, label, automatic_state, payment_status, fulfilment_status, ship_ordered, other_ordered,
                flags, payment_version, due_minor, balance_minor,
                fulfilment_version, ship_needed, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
           SELECT r.*, '{}', 0, total_minor, total_minor, 0, goods, others, goods, 0, $23, $23
           FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
                       $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
                       $21::integer[], $22::integer[])
                AS r (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
                      customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state,
                      label, automatic_state, payment_status, fulfilment_status, goods, others)""",
        *_columns(rows),
        now,
    )


async def insert_lines(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Insert the lines of placed orders, the most numerous rows of all: COPY takes a third of unnest's time."""
    await connection.copy_records_to_table(
        "order_line",
        columns=(
            "shop",
            "order_id",
            "line",
            "kind",
            "description",
            "sku",
            "quantity",
            "unit_price_minor",
            "discount_minor",
            "total_minor",
            "vat_rate",
            "resource",
            "starts_at",
            "ends_at",
            "options",
            "unit_price_exact",
            "tax_minor",
            "taxes",
        ),
        records=rows,
    )


async def insert_refusals(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Keep refused submissions: shop, id, module, key, source reference, reasons, body, content hash. One sent again
    under its key stays one row, with the last id, reasons and time."""
    await connection.execute(
        """INSERT INTO refusal AS r
               (shop, submission_id, module, idempotency_key, source_reference, reasons, body, content_hash,
                refused_at)
           SELECT *, $9::timestamptz
           FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::json[],
                       $8::bytea[])
           ON CONFLICT (shop, module, coalesce(idempotency_key, submission_id::text), content_hash) DO UPDATE SET
               submission_id = excluded.submission_id, source_reference = excluded.source_reference,
               reasons = excluded.reasons, body = excluded.body, refused_at = excluded.refused_at""",
        *_columns(rows),
        now,
    )


async def lock_orders(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """The orders with these keys, locked in the keys' sequence until the transaction ends. Unknown ones are missing."""
    return await connection.fetch(
        """SELECT o.*
           FROM unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
           CROSS JOIN LATERAL (
               SELECT shop, order_id, code, stage, sequence, revision, archived_at, payment_method, state, label,
                      automatic_state, hand_state, hand_label, hand_over, payment_version, due_minor, credited_minor,
                      received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor,
                      authorised_minor, balance_minor, attempt, payment_flags, fulfilment_version, stock,
                      ship_ordered, ship_needed, ship_packed, ship_lost, ship_shipped, ship_delivered,
                      ship_returned, other_ordered, other_needed, other_finished, carriers, refunds_pending_minor
               FROM orders WHERE orders.order_id = k.order_id AND orders.shop || '' = k.shop FOR UPDATE) AS o""",
        *_columns(keys),
    )


async def update_orders(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Write back orders locked before. Line positions that are null stay as they are."""
    await connection.execute(
        """UPDATE orders AS o
           SET sequence = r.sequence, state = r.state, label = r.label, automatic_state = r.automatic_state,
               payment_status = r.payment_status, fulfilment_status = r.fulfilment_status,
               flags = string_to_array(r.flags, E'\\x1f'), hand_state = r.hand_state, hand_label = r.hand_label,
               hand_over = r.hand_over, payment_version = r.payment_version, due_minor = r.due,
               credited_minor = r.credited, received_minor = r.received, received_by_hand_minor = r.by_hand,
               refunded_minor = r.refunded, marked_minor = r.marked, disputed_minor = r.disputed,
               authorised_minor = r.authorised, balance_minor = r.balance, attempt = r.attempt,
               payment_flags = string_to_array(r.payment_flags, E'\\x1f'),
               fulfilment_version = r.fulfilment_version, stock = r.stock,
               line_positions = coalesce(r.line_positions, o.line_positions),
               ship_ordered = r.ship_ordered, ship_needed = r.ship_needed, ship_packed = r.packed,
               ship_lost = r.lost, ship_shipped = r.shipped, ship_delivered = r.delivered,
               ship_returned = r.returned, other_ordered = r.other_ordered, other_needed = r.other_needed,
               other_finished = r.other_finished, units_to_pack = r.to_pack, units_to_ship = r.to_ship,
               revision = r.revision, archived_at = r.archived_at, carriers = string_to_array(r.carriers, E'\\x1f'),
               refunds_pending_minor = r.refunds_pending, changed_at = $44
           FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::integer[],
                       $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[],
                       $20::bigint[], $21::bigint[], $22::bigint[], $23::text[], $24::text[], $25::integer[],
                       $26::text[], $27::jsonb[], $28::integer[], $29::integer[], $30::integer[], $31::integer[],
                       $32::integer[], $33::integer[], $34::integer[], $35::integer[], $36::integer[],
                       $37::integer[], $38::integer[], $39::integer[], $40::integer[], $41::timestamptz[],
                       $42::text[], $43::bigint[])
                AS r (shop, order_id, sequence, state, label, automatic_state, payment_status, fulfilment_status,
                      flags, hand_state, hand_label, hand_over, payment_version, due, credited, received,
                      by_hand, refunded, marked, disputed, authorised, balance, attempt, payment_flags,
                      fulfilment_version, stock, line_positions, ship_ordered, ship_needed, packed, lost,
                      shipped, delivered, returned, other_ordered, other_needed, other_finished, to_pack,
                      to_ship, revision, archived_at, carriers, refunds_pending)
           WHERE o.shop = r.shop AND o.order_id = r.order_id""",
        *_columns(rows),
        now,
    )


async def insert_state_changes(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Append to the history of shown states."""
    await connection.execute(
        """INSERT INTO state_change (shop, order_id, sequence, previous_state, state, previous_label, label,
                                     cause_id, cause_type, actor, revision, changed_at)
           SELECT *, $12::timestamptz
           FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                       $8::uuid[], $9::text[], $10::text[], $11::integer[])""",
        *_columns(rows),
        now,
    )


async def insert_activity(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Note what happened; what is noted already stays as it is, and a deleted order gets no history."""
    await connection.execute(
        """INSERT INTO activity (shop, order_id, kind, item, happened_at, actor, cause_id, data, revision)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[],
                                $7::uuid[], $8::jsonb[], $9::integer[])
                AS r (shop, order_id, kind, item, happened_at, actor, cause_id, data, revision)
           WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
           ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def insert_ledger_entries(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy ledger entries; one already there stays as it is."""
    await connection.execute(
        """INSERT INTO ledger_entry (shop, order_id, entry_id, number, kind, method, amount_minor, currency, provider,
                                     provider_reference, reference, received_on, clearing_on, note, recorded_by,
                                     balance_minor, occurred_at, recorded_at, payment_entry_id)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::text[],
                                $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::date[],
                                $13::date[], $14::text[], $15::text[], $16::bigint[], $17::timestamptz[],
                                $18::timestamptz[], $19::uuid[])
           ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def write_refunds(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy refunds; a row that a newer word wrote stays as it is."""
    await connection.execute(
        """INSERT INTO refund AS r (shop, order_id, refund_id, version, mode, state, amount_minor, confirmed_minor,
                   currency, provider, payment_reference, provider_reference, reference, lines, cause, reason, actor,
                   asked_at, detail)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::text[],
                                $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[],
                                $13::text[], $14::jsonb[], $15::text[], $16::text[], $17::text[],
                                $18::timestamptz[], $19::text[])
           ON CONFLICT (shop, order_id, refund_id) DO UPDATE SET
               version = excluded.version, state = excluded.state, confirmed_minor = excluded.confirmed_minor,
               provider_reference = excluded.provider_reference, reference = excluded.reference,
               detail = excluded.detail
           WHERE r.version < excluded.version""",
        *_columns(rows),
    )


async def insert_assigned_payments(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Note payments a person gave to an order; one already noted stays as it is."""
    await connection.execute(
        """INSERT INTO assigned_payment (shop, provider, provider_reference, order_id)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def insert_unmatched_payments(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Note money no order claims. One already noted stays as it is, but for its amount, which may grow."""
    await connection.execute(
        """INSERT INTO unmatched_payment AS u
               (shop, provider, provider_reference, amount_minor, currency, received_at, reason, event_id, order_id)
           SELECT DISTINCT ON (shop, provider, reference, currency) n.*
           FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[],
                       $7::text[], $8::uuid[], $9::uuid[])
             AS n (shop, provider, reference, amount, currency, received_at, reason, event_id, order_id)
           ORDER BY shop, provider, reference, currency, amount DESC, event_id
           ON CONFLICT (shop, provider, provider_reference) DO UPDATE SET amount_minor = excluded.amount_minor
               WHERE u.currency = excluded.currency AND u.amount_minor < excluded.amount_minor""",
        *_columns(rows),
    )


async def insert_parcels(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy packed parcels; one already there stays as it is."""
    await connection.execute(
        """INSERT INTO parcel (shop, order_id, parcel_id, number, kind, weight_grams, lines, packed_at, packed_by)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::integer[],
                                $7::jsonb[], $8::timestamptz[], $9::text[])
           ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def insert_unpackings(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy that parcels were taken apart; one already there stays as it is."""
    await connection.execute(
        """INSERT INTO unpacking (shop, order_id, parcel_id, unpacked_at, unpacked_by)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[])
           ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def insert_shipments(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy shipments, each once; one known in as high a version stays as it is. Parcel ids come as array literals."""
    await connection.execute(
        """INSERT INTO shipment AS known (
               shop, order_id, shipment_id, parcel_ids, lines, carrier, tracking_number, tracking_url, shipped_on,
               expected_on, notify_customer, dispatched_at, dispatched_by, version, cancelled_at, cancelled_by,
               cancel_reason)
           SELECT shop, order_id, shipment_id, parcel_ids::uuid[], lines, carrier, tracking_number, tracking_url,
                  shipped_on, expected_on, notify_customer, dispatched_at, dispatched_by, version, cancelled_at,
                  cancelled_by, cancel_reason
           FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[], $7::text[],
                       $8::text[], $9::date[], $10::date[], $11::boolean[], $12::timestamptz[], $13::text[],
                       $14::integer[], $15::timestamptz[], $16::text[], $17::text[])
                AS s (shop, order_id, shipment_id, parcel_ids, lines, carrier, tracking_number, tracking_url,
                      shipped_on, expected_on, notify_customer, dispatched_at, dispatched_by, version, cancelled_at,
                      cancelled_by, cancel_reason)
           ON CONFLICT (shop, order_id, shipment_id) DO UPDATE SET
               carrier = excluded.carrier, tracking_number = excluded.tracking_number,
               tracking_url = excluded.tracking_url, shipped_on = excluded.shipped_on,
               expected_on = excluded.expected_on, version = excluded.version, cancelled_at = excluded.cancelled_at,
               cancelled_by = excluded.cancelled_by, cancel_reason = excluded.cancel_reason
           WHERE known.version < excluded.version""",
        *_columns(rows),
    )


async def insert_losses(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy that parcels were lost; one already there stays as it is."""
    await connection.execute(
        """INSERT INTO lost_parcel (shop, order_id, parcel_id, lost_at, lost_by, lost_reason)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
           ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def read_carried(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Who carries the shipments of orders: shop, order_id, shipment_id, version, carrier, stands."""
    return await connection.fetch(
        """SELECT shop, order_id, shipment_id, version, carrier, cancelled_at IS NULL AS stands
           FROM shipment JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id) USING (shop, order_id)""",
        *_columns(keys),
    )


async def insert_deliveries(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy deliveries; one already there stays as it is. Parcel ids come as array literals."""
    await connection.execute(
        """INSERT INTO delivery
               (shop, order_id, shipment_id, parcel_ids, delivered_at, proof, proof_reference, recorded_by)
           SELECT shop, order_id, shipment_id, parcel_ids::uuid[], delivered_at, proof, proof_reference, recorded_by
           FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                       $8::text[])
                AS d (shop, order_id, shipment_id, parcel_ids, delivered_at, proof, proof_reference, recorded_by)
           ON CONFLICT DO NOTHING""",
        *_columns(rows),
    )


async def upsert_mails(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Copy what became of mails, one row a mail. A sent mail outranks all else, then the later report counts.
    Those about a deleted order are left out.
    """
    await connection.execute(
        """INSERT INTO mail (shop, mail_id, order_id, template, recipient, cause_id, state, at, detail)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[],
                                $7::text[], $8::timestamptz[], $9::text[])
                AS r (shop, mail_id, order_id, template, recipient, cause_id, state, at, detail)
           WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
           ON CONFLICT (shop, mail_id) DO UPDATE
           SET state = excluded.state, at = excluded.at, detail = excluded.detail
           WHERE (excluded.state = 'sent', excluded.at, excluded.state) > (mail.state = 'sent', mail.at, mail.state)""",
        *_columns(rows),
    )


async def lock_commands(connection: Connection, ids: Sequence[UUID]) -> list[Row]:
    """Which of these ids are commands of ours that may still be settled, or that a person ended, locked in the ids'
    sequence."""
    return await connection.fetch(
        """SELECT c.* FROM unnest($1::uuid[]) AS k (command_id)
           CROSS JOIN LATERAL (SELECT command_id, shop, order_id, type, actor, state FROM command
                               WHERE command.command_id = k.command_id
                                 AND (command.state IN ('pending', 'parked')
                                      OR command.outcome ->> 'type' = 'orders.command.ended')
                               FOR UPDATE) AS c""",
        ids,
    )


async def settle_commands(connection: Writer, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Write the outcome of commands locked before: id, state, outcome."""
    await connection.execute(
        """UPDATE command AS c SET state = r.state, outcome = r.outcome, settled_at = $4
           FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS r (command_id, state, outcome)
           WHERE c.command_id = r.command_id""",
        *_columns(rows),
        now,
    )


async def read_history(connection: Connection, shop: str, order_id: UUID, since: int | None) -> list[Row]:
    """Activity and changes of state of an order, the latest first, or only what led to a later revision than `since`:
    kind, at, actor, revision, data (with the text of a comment), item, cause_id, cause_type."""
    return await connection.fetch(
        """SELECT a.kind, a.happened_at AS at, a.actor, a.revision, a.item, a.cause_id, NULL AS cause_type,
                  CASE WHEN c.text IS NULL THEN a.data ELSE a.data || jsonb_build_object('comment', c.text) END AS data
           FROM activity AS a
           LEFT JOIN comment AS c ON c.shop = a.shop AND c.order_id = a.order_id
                                 AND c.comment_id = (a.data ->> 'comment_id')::uuid
           WHERE a.shop = $1 AND a.order_id = $2 AND ($3::integer IS NULL OR a.revision > $3)
           UNION ALL
           SELECT 'state_changed', changed_at, actor, revision, NULL, cause_id, cause_type,
                  jsonb_build_object('previous_state', previous_state, 'state', state,
                                     'previous_label', previous_label, 'label', label)
           FROM state_change
           WHERE shop = $1 AND order_id = $2 AND ($3::integer IS NULL OR revision > $3)
           ORDER BY at DESC, revision DESC NULLS LAST, kind""",
        shop,
        order_id,
        since,
    )
