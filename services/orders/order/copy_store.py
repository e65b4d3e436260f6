"""SQL of the copies of payments', fulfillment's and the notifier's data about orders; one function per
statement.

An existing row is left unchanged or replaced by a higher version only, so messages may arrive in any order
and more than once.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import OrderKey, Row


class LedgerEntryRow(NamedTuple):
    shop: str
    order_id: UUID
    entry_id: UUID
    number: Integer
    kind: str
    method: str | None
    amount_minor: int
    currency: str
    provider: str | None
    provider_reference: str | None
    reference: str | None
    received_on: date | None
    clearing_on: date | None
    note: str | None
    recorded_by: str
    balance_minor: int
    occurred_at: datetime
    recorded_at: datetime
    payment_entry_id: UUID | None


_INSERT_LEDGER_ENTRIES = Bulk(
    LedgerEntryRow,
    """INSERT INTO ledger_entry ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_ledger_entries(connection: Writer, rows: Sequence[LedgerEntryRow]) -> None:
    """Insert copies of ledger entries; existing rows are left unchanged."""
    await _INSERT_LEDGER_ENTRIES.execute(connection, rows)


class RefundRow(NamedTuple):
    shop: str
    order_id: UUID
    refund_id: UUID
    version: Integer
    mode: str
    state: str
    amount_minor: int
    confirmed_minor: int | None
    currency: str
    provider: str | None
    payment_reference: str | None
    provider_reference: str | None
    reference: str | None
    lines: Json
    cause: str
    reason: str | None
    actor: str
    asked_at: datetime
    detail: str | None


_WRITE_REFUNDS = Bulk(
    RefundRow,
    """INSERT INTO refund AS r ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, order_id, refund_id) DO UPDATE SET
           version = excluded.version, state = excluded.state, confirmed_minor = excluded.confirmed_minor,
           provider_reference = excluded.provider_reference, reference = excluded.reference,
           detail = excluded.detail
       WHERE r.version < excluded.version""",
)


async def write_refunds(connection: Writer, rows: Sequence[RefundRow]) -> None:
    """Insert or update copies of refunds; a row with a newer version is left unchanged."""
    await _WRITE_REFUNDS.execute(connection, rows)


class AssignedPaymentRow(NamedTuple):
    shop: str
    provider: str
    provider_reference: str
    order_id: UUID


_INSERT_ASSIGNED_PAYMENTS = Bulk(
    AssignedPaymentRow,
    """INSERT INTO assigned_payment ({columns})
       SELECT * FROM {rows} ON CONFLICT DO NOTHING""",
)


async def insert_assigned_payments(connection: Writer, rows: Sequence[AssignedPaymentRow]) -> None:
    """Insert payments that a person assigned to an order; existing rows are left unchanged."""
    await _INSERT_ASSIGNED_PAYMENTS.execute(connection, rows)


class UnmatchedPaymentRow(NamedTuple):
    shop: str
    provider: str
    reference: str
    amount: int
    currency: str
    received_at: datetime
    reason: str
    event_id: UUID
    order_id: UUID | None


_INSERT_UNMATCHED_PAYMENTS = Bulk(
    UnmatchedPaymentRow,
    """INSERT INTO unmatched_payment AS u
           (shop, provider, provider_reference, amount_minor, currency, received_at, reason, event_id, order_id)
       SELECT DISTINCT ON (shop, provider, reference, currency) n.*
       FROM {rows} AS n ({columns})
       ORDER BY shop, provider, reference, currency, amount DESC, event_id
       ON CONFLICT (shop, provider, provider_reference) DO UPDATE SET amount_minor = excluded.amount_minor
           WHERE u.currency = excluded.currency AND u.amount_minor < excluded.amount_minor""",
)


async def insert_unmatched_payments(connection: Writer, rows: Sequence[UnmatchedPaymentRow]) -> None:
    """Insert payments that match no order.

    Of an existing row, only the amount is updated, and only to a larger one.
    """
    await _INSERT_UNMATCHED_PAYMENTS.execute(connection, rows)


class ParcelRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    number: Integer
    kind: str
    weight_grams: Integer | None
    lines: Json
    packed_at: datetime
    packed_by: str


_INSERT_PARCELS = Bulk(
    ParcelRow,
    """INSERT INTO parcel ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_parcels(connection: Writer, rows: Sequence[ParcelRow]) -> None:
    """Insert copies of packed parcels; existing rows are left unchanged."""
    await _INSERT_PARCELS.execute(connection, rows)


class UnpackingRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    unpacked_at: datetime
    unpacked_by: str


_INSERT_UNPACKINGS = Bulk(
    UnpackingRow,
    """INSERT INTO unpacking ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_unpackings(connection: Writer, rows: Sequence[UnpackingRow]) -> None:
    """Insert unpackings of parcels; existing rows are left unchanged."""
    await _INSERT_UNPACKINGS.execute(connection, rows)


class ShipmentRow(NamedTuple):
    shop: str
    order_id: UUID
    shipment_id: UUID
    parcel_ids: str
    lines: Json
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    shipped_on: date
    expected_on: date | None
    notify_customer: bool
    dispatched_at: datetime
    dispatched_by: str
    version: Integer
    cancelled_at: datetime | None
    cancelled_by: str | None
    cancel_reason: str | None


_INSERT_SHIPMENTS = Bulk(
    ShipmentRow,
    """INSERT INTO shipment AS known ({columns})
       SELECT shop, order_id, shipment_id, parcel_ids::uuid[], lines, carrier, tracking_number, tracking_url,
              shipped_on, expected_on, notify_customer, dispatched_at, dispatched_by, version, cancelled_at,
              cancelled_by, cancel_reason
       FROM {rows} AS s ({columns})
       ON CONFLICT (shop, order_id, shipment_id) DO UPDATE SET
           carrier = excluded.carrier, tracking_number = excluded.tracking_number,
           tracking_url = excluded.tracking_url, shipped_on = excluded.shipped_on,
           expected_on = excluded.expected_on, version = excluded.version, cancelled_at = excluded.cancelled_at,
           cancelled_by = excluded.cancelled_by, cancel_reason = excluded.cancel_reason
       WHERE known.version < excluded.version""",
)


async def insert_shipments(connection: Writer, rows: Sequence[ShipmentRow]) -> None:
    """Insert or update copies of shipments; a row of the same or a higher version is left unchanged.

    Parcel ids are passed as array literals.
    """
    await _INSERT_SHIPMENTS.execute(connection, rows)


class LossRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    lost_at: datetime
    lost_by: str
    lost_reason: str | None


_INSERT_LOSSES = Bulk(
    LossRow,
    """INSERT INTO lost_parcel ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_losses(connection: Writer, rows: Sequence[LossRow]) -> None:
    """Insert losses of parcels; existing rows are left unchanged."""
    await _INSERT_LOSSES.execute(connection, rows)


_READ_CARRIED = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id, shipment_id, version, carrier, cancelled_at IS NULL AS stands
       FROM shipment JOIN {rows} AS k (shop, order_id) USING (shop, order_id)""",
)


async def read_carried(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Return the carriers of the orders' shipments: shop, order_id, shipment_id, version, carrier, stands."""
    return await _READ_CARRIED.fetch(connection, keys)


class DeliveryRow(NamedTuple):
    shop: str
    order_id: UUID
    shipment_id: UUID
    parcel_ids: str
    delivered_at: datetime
    proof: str
    proof_reference: str | None
    recorded_by: str


_INSERT_DELIVERIES = Bulk(
    DeliveryRow,
    """INSERT INTO delivery
           ({columns})
       SELECT shop, order_id, shipment_id, parcel_ids::uuid[], delivered_at, proof, proof_reference, recorded_by
       FROM {rows} AS d ({columns})
       ON CONFLICT DO NOTHING""",
)


async def insert_deliveries(connection: Writer, rows: Sequence[DeliveryRow]) -> None:
    """Insert copies of deliveries; existing rows are left unchanged.

    Parcel ids are passed as array literals.
    """
    await _INSERT_DELIVERIES.execute(connection, rows)


class MailRow(NamedTuple):
    shop: str
    mail_id: UUID
    order_id: UUID | None
    template: str
    recipient: str
    cause_id: UUID
    state: str
    at: datetime
    detail: str | None


_UPSERT_MAILS = Bulk(
    MailRow,
    """INSERT INTO mail ({columns})
       SELECT * FROM {rows} AS r ({columns})
       WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
       ON CONFLICT (shop, mail_id) DO UPDATE
       SET state = excluded.state, at = excluded.at, detail = excluded.detail
       WHERE (excluded.state = 'sent', excluded.at, excluded.state) > (mail.state = 'sent', mail.at, mail.state)""",
)


async def upsert_mails(connection: Writer, rows: Sequence[MailRow]) -> None:
    """Insert or update the outcome of mails, one row per mail.

    `sent` outranks all other outcomes, otherwise the later report wins. Reports about deleted orders are
    skipped.
    """
    await _UPSERT_MAILS.execute(connection, rows)
