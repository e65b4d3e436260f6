"""SQL of submissions: idempotency keys claimed and freed, references, and refusals."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Json, JsonText
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import OrderKey, Row


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
