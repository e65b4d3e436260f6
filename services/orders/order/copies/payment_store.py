"""SQL of the copies of payments' data: ledger, refunds, disputes, assigned and unmatched payments, invoices."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.writing import Writer


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


class DisputeRow(NamedTuple):
    shop: str
    provider: str
    provider_reference: str
    order_id: UUID
    version: Integer
    state: str
    amount_minor: int
    currency: str
    withdrawn_minor: int
    reinstated_minor: int
    fees: Json
    payment_reference: str
    payment_entry_id: UUID
    reason: str | None
    due_at: datetime | None
    is_due_soon: bool
    opened_at: datetime
    updated_at: datetime
    resolution: str | None
    resolved_by: str | None
    resolved_at: datetime | None
    note: str | None


_WRITE_DISPUTES = Bulk(
    DisputeRow,
    """INSERT INTO dispute AS d ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, provider, provider_reference) DO UPDATE SET
           order_id = excluded.order_id, version = excluded.version, state = excluded.state,
           amount_minor = excluded.amount_minor, withdrawn_minor = excluded.withdrawn_minor,
           reinstated_minor = excluded.reinstated_minor, fees = excluded.fees, reason = excluded.reason,
           due_at = excluded.due_at, is_due_soon = excluded.is_due_soon, opened_at = excluded.opened_at,
           updated_at = excluded.updated_at, resolution = excluded.resolution,
           resolved_by = excluded.resolved_by, resolved_at = excluded.resolved_at, note = excluded.note
       WHERE d.version < excluded.version""",
)


async def write_disputes(connection: Writer, rows: Sequence[DisputeRow]) -> None:
    """Insert or update copies of disputes; a row with a newer version is left unchanged."""
    await _WRITE_DISPUTES.execute(connection, rows)


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
    """Insert payments that staff assigned to an order; existing rows are left unchanged."""
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


class InvoiceRow(NamedTuple):
    shop: str
    order_id: UUID
    invoice_id: UUID
    kind: str
    number: str
    corrects: str | None
    issued_on: date
    issued_at: datetime
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int


_INSERT_INVOICES = Bulk(
    InvoiceRow,
    """INSERT INTO invoice ({columns})
       SELECT * FROM {rows} ON CONFLICT DO NOTHING""",
)


async def insert_invoices(connection: Writer, rows: Sequence[InvoiceRow]) -> None:
    """Insert copies of issued invoices and credit notes; existing rows are left unchanged."""
    await _INSERT_INVOICES.execute(connection, rows)
