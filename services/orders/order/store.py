"""SQL by which message handlers read and write this service's tables; one function per statement.

All statements are set-based: a batch of a hundred messages takes the same few statements as one. Lookups are
lateral subqueries, and those of one order compare `shop || ''`, so each key is a probe of its unique index,
whatever the planner's statistics of a table that was empty when last analyzed. Plain joins read the whole
shop for every order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json, JsonText
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Row = Mapping[str, Any]
OrderKey = tuple[str, UUID]
SEPARATOR = "\x1f"
"""Separator of one order's flags when passed to an array."""


class SubmissionRow(NamedTuple):
    shop: str
    module: str
    key: str
    submission_id: UUID
    content_hash: bytes
    body: JsonText
    checkout_id: UUID | None


_CLAIM_KEYS = Bulk(
    SubmissionRow,
    """INSERT INTO submission
           (shop, module, idempotency_key, submission_id, content_hash, body, checkout_id, received_at)
       SELECT *, {now}::timestamptz FROM {rows}
       ON CONFLICT DO NOTHING RETURNING shop, module, idempotency_key""",
)


async def claim_keys(
    connection: Connection, rows: Sequence[SubmissionRow], now: datetime
) -> set[tuple[str, str, str]]:
    """Claim idempotency keys and return those that were free.

    Waits for another transaction that claims the same key; callers sort by key so that two batches cannot
    deadlock.
    """
    found = await _CLAIM_KEYS.fetch(connection, rows, now=now)
    return {(row[0], row[1], row[2]) for row in found}


_FREE_KEYS = Bulk(
    tuple[str, str, str],
    """DELETE FROM submission AS s USING {rows} AS k (shop, module, key)
       WHERE (s.shop, s.module, s.idempotency_key) = (k.shop, k.module, k.key)""",
)


async def free_keys(connection: Writer, keys: Sequence[tuple[str, str, str]]) -> None:
    """Release keys claimed in this transaction with which no order was placed."""
    await _FREE_KEYS.execute(connection, keys)


_FREE_REFUSED_KEYS = Bulk(
    tuple[str, str, str],
    """DELETE FROM submission AS s USING {rows} AS k (shop, module, key)
       WHERE (s.shop, s.module, s.idempotency_key) = (k.shop, k.module, k.key)
         AND NOT EXISTS (SELECT FROM orders AS o
                         WHERE o.order_id = coalesce(s.checkout_id, s.submission_id) AND o.shop = s.shop
                           AND (o.stage, o.module, o.idempotency_key) = ('placed', s.module, s.idempotency_key))
         AND NOT EXISTS (SELECT FROM deleted_order AS d
                         WHERE (d.shop, d.order_id) = (s.shop, coalesce(s.checkout_id, s.submission_id)))
         AND EXISTS (SELECT FROM refusal AS r
                     WHERE (r.shop, r.module, r.idempotency_key) = (s.shop, s.module, s.idempotency_key)
                       AND r.submission_id = s.submission_id AND r.refused_at <= s.received_at)""",
)


async def free_refused_keys(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
    """Release keys of refused sales, which a process of an earlier version leaves claimed without an order.

    Keys of orders, including deleted ones, stay claimed. Waits for locks on such rows.
    """
    await _FREE_REFUSED_KEYS.execute(connection, keys)


_HAND_KEYS = Bulk(
    SubmissionRow,
    """UPDATE submission AS s
       SET submission_id = r.submission_id, content_hash = r.content_hash, body = r.body,
           checkout_id = r.checkout_id
       FROM {rows} AS r ({columns})
       WHERE (s.shop, s.module, s.idempotency_key) = (r.shop, r.module, r.key)""",
)


async def hand_keys(connection: Writer, rows: Sequence[SubmissionRow]) -> None:
    """Write the sales that were placed with keys claimed in this transaction."""
    await _HAND_KEYS.execute(connection, rows)


_READ_CLAIMS = Bulk(
    tuple[str, str, str],
    """SELECT s.shop, s.module, s.idempotency_key, s.submission_id, s.content_hash, s.body, s.checkout_id,
              o.order_id, o.code, o.source_reference, o.total_minor, o.currency
       FROM {rows} AS k (shop, module, idempotency_key)
       CROSS JOIN LATERAL (SELECT * FROM submission AS s
                           WHERE (s.shop, s.module, s.idempotency_key) = (k.shop, k.module, k.idempotency_key)
                           OFFSET 0) AS s
       LEFT JOIN LATERAL (SELECT * FROM orders AS o
                          WHERE o.order_id = coalesce(s.checkout_id, s.submission_id) AND o.shop || '' = s.shop
                            AND (o.stage, o.module, o.idempotency_key)
                                = ('placed', s.module, s.idempotency_key) OFFSET 0) AS o ON true""",
)


async def read_claims(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> list[Row]:
    """Return the owners of these keys, the submission as stored, and the order placed, if it still exists.

    Locks no rows.
    """
    return await _READ_CLAIMS.fetch(connection, keys)


class ReferenceRow(NamedTuple):
    """References that a storefront sent later for the sale with this key."""

    shop: str
    module: str
    key: str
    source_reference: str | None
    provider: str | None
    provider_reference: str | None


_JOIN_SOURCE_REFERENCES = Bulk(
    tuple[str, UUID, str | None],
    """UPDATE orders AS o SET source_reference = r.source_reference
       FROM {rows} AS r (shop, order_id, source_reference)
       WHERE o.order_id = r.order_id AND o.shop || '' = r.shop
         AND o.source_reference IS NULL AND r.source_reference IS NOT NULL""",
)
_JOIN_SUBMISSIONS = Bulk(
    ReferenceRow,
    """UPDATE submission AS s
       SET body = ((jsonb_strip_nulls(jsonb_build_object('source_reference', r.source_reference)) || s.body::jsonb)
                   || CASE WHEN r.provider_reference IS NULL
                                OR s.body::jsonb #> '{payment,provider_reference}' IS NOT NULL THEN '{}'
                           ELSE jsonb_build_object('payment', s.body::jsonb -> 'payment' || jsonb_strip_nulls(
                               jsonb_build_object('provider', r.provider,
                                                  'provider_reference', r.provider_reference))) END)::json
       FROM {rows} AS r ({columns})
       WHERE (s.shop, s.module, s.idempotency_key) = (r.shop, r.module, r.key)""",
)


async def join_references(connection: Writer, rows: Mapping[OrderKey, ReferenceRow]) -> None:
    """Add references that storefronts sent later to placed orders. Stored references are left unchanged."""
    orders = [(*key, row.source_reference) for key, row in rows.items()]
    await _JOIN_SOURCE_REFERENCES.execute(connection, orders)
    await _JOIN_SUBMISSIONS.execute(connection, list(rows.values()))


class NewOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str


_FIND_TAKEN = Bulk(
    NewOrderRow,
    """SELECT k.shop, k.order_id,
              EXISTS (SELECT 1 FROM orders AS o
                      WHERE o.order_id = k.order_id AND o.shop || '' = k.shop OFFSET 0) AS id_taken,
              EXISTS (SELECT 1 FROM orders AS o
                      WHERE o.code = k.code AND o.shop || '' = k.shop OFFSET 0) AS code_taken
       FROM {rows} AS k ({columns})""",
)


async def find_taken(connection: Connection, rows: Sequence[NewOrderRow]) -> list[Row]:
    """Return the orders whose id or code another order has: shop, order_id, id_taken, code_taken."""
    return await _FIND_TAKEN.fetch(connection, rows)


class PlacedOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str
    sequence: int
    module: str
    idempotency_key: str
    source_reference: str | None
    locale: str | None
    placed_at: datetime
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    payment_method: str | None
    currency: str
    total_minor: int
    state: str | None
    label: str
    automatic_state: str | None
    payment_status: str
    fulfilment_status: str
    goods: Integer
    others: Integer


_INSERT_ORDERS = Bulk(
    PlacedOrderRow,
    """INSERT INTO orders
           (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
            customer_name, customer_email, customer_phone, payment_method, currency, total_minor,
            state, label, automatic_state, payment_status, fulfilment_status, ship_ordered, other_ordered,
            flags, payment_version, due_minor, balance_minor,
            fulfilment_version, ship_needed, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
       SELECT r.*, '{}', 0, total_minor, total_minor, 0, goods, others, goods, 0, {now}, {now}
       FROM {rows} AS r ({columns})""",
)


async def insert_orders(connection: Writer, rows: Sequence[PlacedOrderRow], now: datetime) -> None:
    """Insert placed orders, whose payments and goods are not known yet."""
    await _INSERT_ORDERS.execute(connection, rows, now=now)


class LineRow(NamedTuple):
    shop: str
    order_id: UUID
    line: Integer
    kind: str
    description: str
    sku: str | None
    quantity: Integer
    unit_price_minor: int
    discount_minor: int
    total_minor: int
    vat_rate: Integer | None
    resource: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    options: JsonText | None
    unit_price_exact: str | None
    tax_minor: int | None
    taxes: JsonText | None


async def insert_lines(connection: Connection, rows: Sequence[LineRow]) -> None:
    """Insert the lines of placed orders, the most numerous rows of all: COPY takes a third of the time of
    unnest.
    """
    await connection.copy_records_to_table("order_line", columns=LineRow._fields, records=rows)


class RefusalRow(NamedTuple):
    shop: str
    submission_id: UUID
    module: str | None
    idempotency_key: str | None
    source_reference: str | None
    reasons: Json
    body: JsonText
    content_hash: bytes


_INSERT_REFUSALS = Bulk(
    RefusalRow,
    """INSERT INTO refusal AS r ({columns}, refused_at)
       SELECT *, {now}::timestamptz FROM {rows}
       ON CONFLICT (shop, module, coalesce(idempotency_key, submission_id::text), content_hash) DO UPDATE SET
           submission_id = excluded.submission_id, source_reference = excluded.source_reference,
           reasons = excluded.reasons, body = excluded.body, refused_at = excluded.refused_at""",
)


async def insert_refusals(connection: Writer, rows: Sequence[RefusalRow], now: datetime) -> None:
    """Insert refused submissions.

    A repeat under the same key updates the row with the last id, reasons and time.
    """
    await _INSERT_REFUSALS.execute(connection, rows, now=now)


_LOCK_ORDERS = Bulk(
    tuple[str, UUID],
    """SELECT o.*
       FROM {rows} AS k (shop, order_id)
       CROSS JOIN LATERAL (
           SELECT shop, order_id, code, stage, sequence, revision, archived_at, payment_method, state, label,
                  automatic_state, hand_state, hand_label, hand_over, payment_version, due_minor, credited_minor,
                  received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor,
                  authorised_minor, balance_minor, attempt, payment_flags, fulfilment_version, stock,
                  ship_ordered, ship_needed, ship_packed, ship_lost, ship_shipped, ship_delivered,
                  ship_returned, other_ordered, other_needed, other_finished, carriers, refunds_pending_minor
           FROM orders WHERE orders.order_id = k.order_id AND orders.shop || '' = k.shop FOR UPDATE) AS o""",
)


async def lock_orders(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Lock the orders with these keys, in the order of the keys, until the transaction ends, and return them.

    Unknown ones are missing.
    """
    return await _LOCK_ORDERS.fetch(connection, keys)


class ChangedOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    sequence: int
    state: str | None
    label: str
    automatic_state: str | None
    payment_status: str
    fulfilment_status: str
    flags: str
    hand_state: str | None
    hand_label: str | None
    hand_over: str | None
    payment_version: Integer
    due: int
    credited: int
    received: int
    by_hand: int
    refunded: int
    marked: int
    disputed: int
    authorised: int
    balance: int
    attempt: str
    payment_flags: str
    fulfilment_version: Integer
    stock: str
    line_positions: Json | None
    ship_ordered: Integer
    ship_needed: Integer
    packed: Integer
    lost: Integer
    shipped: Integer
    delivered: Integer
    returned: Integer
    other_ordered: Integer
    other_needed: Integer
    other_finished: Integer
    to_pack: Integer
    to_ship: Integer
    revision: Integer
    archived_at: datetime | None
    carriers: str
    refunds_pending: int


_UPDATE_ORDERS = Bulk(
    ChangedOrderRow,
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
           refunds_pending_minor = r.refunds_pending, changed_at = {now}
       FROM {rows} AS r ({columns})
       WHERE o.shop = r.shop AND o.order_id = r.order_id""",
)


async def update_orders(connection: Writer, rows: Sequence[ChangedOrderRow], now: datetime) -> None:
    """Write back locked orders. Line positions that are null are left unchanged."""
    await _UPDATE_ORDERS.execute(connection, rows, now=now)


class StateChangeRow(NamedTuple):
    shop: str
    order_id: UUID
    sequence: int
    previous_state: str | None
    state: str
    previous_label: str
    label: str
    cause_id: UUID
    cause_type: str
    actor: str | None
    revision: Integer


_INSERT_STATE_CHANGES = Bulk(
    StateChangeRow,
    """INSERT INTO state_change ({columns}, changed_at)
       SELECT *, {now}::timestamptz FROM {rows}""",
)


async def insert_state_changes(connection: Writer, rows: Sequence[StateChangeRow], now: datetime) -> None:
    """Append to the history of shown states."""
    await _INSERT_STATE_CHANGES.execute(connection, rows, now=now)


class ActivityRow(NamedTuple):
    shop: str
    order_id: UUID
    kind: str
    item: UUID
    happened_at: datetime
    actor: str
    cause_id: UUID
    data: Json
    revision: Integer | None


_INSERT_ACTIVITY = Bulk(
    ActivityRow,
    """INSERT INTO activity ({columns})
       SELECT * FROM {rows} AS r ({columns})
       WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
       ON CONFLICT DO NOTHING""",
)


async def insert_activity(connection: Writer, rows: Sequence[ActivityRow]) -> None:
    """Insert activity; existing entries are left unchanged, and a deleted order gets no history."""
    await _INSERT_ACTIVITY.execute(connection, rows)


_LOCK_COMMANDS = Bulk(
    tuple[UUID],
    """SELECT c.* FROM {rows} AS k (command_id)
       CROSS JOIN LATERAL (SELECT command_id, shop, order_id, type, actor, state FROM command
                           WHERE command.command_id = k.command_id
                             AND (command.state IN ('pending', 'parked')
                                  OR command.outcome ->> 'type' = 'orders.command.ended')
                           FOR UPDATE) AS c""",
)


async def lock_commands(connection: Connection, ids: Sequence[UUID]) -> list[Row]:
    """Lock and return those of these ids that are commands of ours, still open or ended by a person, in the
    order of the ids.
    """
    return await _LOCK_COMMANDS.fetch(connection, [(command_id,) for command_id in ids])


class OutcomeRow(NamedTuple):
    command_id: UUID
    state: str
    outcome: Json


_SETTLE_COMMANDS = Bulk(
    OutcomeRow,
    """UPDATE command AS c SET state = r.state, outcome = r.outcome, settled_at = {now}
       FROM {rows} AS r ({columns})
       WHERE c.command_id = r.command_id""",
)


async def settle_commands(connection: Writer, rows: Sequence[OutcomeRow], now: datetime) -> None:
    """Write the outcome of locked commands."""
    await _SETTLE_COMMANDS.execute(connection, rows, now=now)


async def read_history(connection: Connection, shop: str, order_id: UUID, since: int | None) -> list[Row]:
    """Return activity and state changes of an order, newest first, or only those that led to a later revision
    than `since`: kind, at, actor, revision, data (with the text of a comment), item, cause_id, cause_type.
    """
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
