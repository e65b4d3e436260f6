"""SQL of changes of placed orders.

The orders are locked before (`store.lock_orders`); nothing here locks more rows.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json, JsonText
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import OrderKey, Row
from services.orders.order.unit.edits.edit import Edit

_READ_CONTENTS = Bulk(
    tuple[str, UUID],
    """SELECT o.shop, o.order_id, o.code, o.currency, o.payment_method, o.total_minor, o.customer_name,
              o.customer_email, o.customer_phone, o.line_positions, o.fulfilment_version,
              s.body AS submission, a.content AS amendment,
              (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(l) - 'shop' - 'order_id') ORDER BY l.line)
               FROM order_line l WHERE l.shop = o.shop AND l.order_id = o.order_id) AS lines
       FROM {rows} AS k (shop, order_id)
       CROSS JOIN LATERAL (SELECT * FROM orders AS o
                           WHERE o.order_id = k.order_id AND o.shop || '' = k.shop OFFSET 0) AS o
       LEFT JOIN submission s ON (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
       LEFT JOIN amendment a ON (a.shop, a.order_id) = (o.shop, o.order_id)""",
)


async def read_contents(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Return the content of these orders: the submission's body, its amendment, lines, customer and
    quantities, as JSON.
    """
    return await _READ_CONTENTS.fetch(connection, keys)


_READ_EDITS = Bulk(
    tuple[str, UUID],
    """SELECT e.* FROM order_edit e JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)
       ORDER BY e.requested_at, e.edit_id""",
)


async def read_edits(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Return all changes of these orders, open and ended, in the order in which they were requested."""
    return await _READ_EDITS.fetch(connection, keys)


async def read_questioned(connection: Connection, questions: Sequence[UUID]) -> set[OrderKey]:
    """Return the orders with an open change whose question to fulfillment is one of these messages."""
    rows = await connection.fetch(
        """SELECT shop, order_id FROM order_edit
           WHERE question_id = ANY($1::uuid[]) AND state IN ('reducing', 'adding')""",
        questions,
    )
    return {(row["shop"], row["order_id"]) for row in rows}


class EditRow(NamedTuple):
    shop: str
    order_id: UUID
    edit_id: UUID
    cause: str
    state: str
    actor: str
    reason: str | None
    forced: bool
    wanted: JsonText | None
    asked_off: Json
    asked_on: Json
    stopped: Json
    not_stopped: Json
    missing: Json
    number: Integer | None
    due_change_minor: int | None
    total_before_minor: int
    total_after_minor: int | None
    undone_by: UUID | None
    requested_at: datetime
    settled_at: datetime | None
    question_id: UUID | None
    notify_customer: bool
    public_comment: str | None


_WRITE_EDITS = Bulk(
    EditRow,
    """INSERT INTO order_edit ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, order_id, edit_id) DO UPDATE
       SET state = excluded.state, asked_on = excluded.asked_on, stopped = excluded.stopped,
           not_stopped = excluded.not_stopped, missing = excluded.missing, number = excluded.number,
           cause = excluded.cause, due_change_minor = excluded.due_change_minor,
           total_after_minor = excluded.total_after_minor, undone_by = excluded.undone_by,
           settled_at = excluded.settled_at, question_id = excluded.question_id""",
)


async def write_edits(connection: Writer, edits: Sequence[Edit]) -> None:
    """Insert new changes, write back known ones.

    Raises UniqueViolationError for a second open change of an order.
    """
    await _WRITE_EDITS.execute(connection, [_edit_row(edit) for edit in edits])


def _edit_row(edit: Edit) -> EditRow:
    return EditRow(
        shop=edit.shop,
        order_id=edit.order_id,
        edit_id=edit.id,
        cause=edit.cause,
        state=edit.state,
        actor=edit.actor,
        reason=edit.reason,
        forced=edit.forced,
        wanted=edit.wanted.model_dump_json() if edit.wanted else None,
        asked_off=json.dumps(edit.asked_off),
        asked_on=json.dumps(edit.asked_on),
        stopped=json.dumps(edit.stopped),
        not_stopped=json.dumps(edit.not_stopped),
        missing=json.dumps(edit.missing),
        number=edit.number,
        due_change_minor=edit.due_change_minor,
        total_before_minor=edit.total_before_minor,
        total_after_minor=edit.total_after_minor,
        undone_by=edit.undone_by,
        requested_at=edit.requested_at,
        settled_at=edit.settled_at,
        question_id=edit.question_id,
        notify_customer=edit.notify_customer,
        public_comment=edit.public_comment,
    )


class EditedLineRow(NamedTuple):
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
    reduced: Integer
    unit_price_exact: str | None
    tax_minor: int | None
    taxes: JsonText | None


_WRITE_LINES = Bulk(
    EditedLineRow,
    """INSERT INTO order_line ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, order_id, line) DO UPDATE
       SET description = excluded.description, quantity = excluded.quantity,
           unit_price_minor = excluded.unit_price_minor, discount_minor = excluded.discount_minor,
           total_minor = excluded.total_minor, vat_rate = excluded.vat_rate, starts_at = excluded.starts_at,
           ends_at = excluded.ends_at, options = excluded.options, reduced = excluded.reduced,
           unit_price_exact = excluded.unit_price_exact, tax_minor = excluded.tax_minor, taxes = excluded.taxes""",
)


async def write_lines(connection: Writer, rows: Sequence[EditedLineRow]) -> None:
    """Insert lines that an edit added, write back those it changed."""
    await _WRITE_LINES.execute(connection, rows)


class AmendmentRow(NamedTuple):
    shop: str
    order_id: UUID
    content: JsonText


_WRITE_AMENDMENTS = Bulk(
    AmendmentRow,
    """INSERT INTO amendment ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, order_id) DO UPDATE SET content = excluded.content""",
)


async def write_amendments(connection: Writer, rows: Sequence[AmendmentRow]) -> None:
    """Write the amendments, which replace parts of the submissions."""
    await _WRITE_AMENDMENTS.execute(connection, rows)


class HeadRow(NamedTuple):
    shop: str
    order_id: UUID
    total: int
    name: str | None
    email: str | None
    phone: str | None


_WRITE_HEADS = Bulk(
    HeadRow,
    """UPDATE orders AS o
       SET total_minor = r.total, customer_name = r.name, customer_email = r.email, customer_phone = r.phone
       FROM {rows} AS r ({columns})
       WHERE o.shop = r.shop AND o.order_id = r.order_id""",
)


async def write_heads(connection: Writer, rows: Sequence[HeadRow]) -> None:
    """Write the list columns of a content: shop, order id, total, the customer's name, mail and phone."""
    await _WRITE_HEADS.execute(connection, rows)


_READ_DELETED = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id FROM deleted_order JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


async def read_deleted(connection: Connection, keys: Sequence[OrderKey]) -> set[OrderKey]:
    """Return those of these orders that were deleted."""
    rows = await _READ_DELETED.fetch(connection, keys)
    return {(row["shop"], row["order_id"]) for row in rows}


async def read_unshipped_parcels(connection: Connection, shop: str, order_id: UUID) -> list[Row]:
    """Return an order's packed parcels that were neither shipped nor unpacked, newest first."""
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
    """Return whether any shipment of the order has a tracking number."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM shipment
                          WHERE shop = $1 AND order_id = $2 AND tracking_number IS NOT NULL
                            AND cancelled_at IS NULL)""",
        shop,
        order_id,
    )
    return found


async def has_invoice(connection: Connection, shop: str, order_id: UUID) -> bool:
    """Return whether an invoice of the order was issued."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM invoice WHERE shop = $1 AND order_id = $2)", shop, order_id
    )
    return found


async def has_money(connection: Connection, shop: str, order_id: UUID) -> bool:
    """Return whether the order's ledger ever had money received or paid back, even if its sum is now zero."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM ledger_entry
                          WHERE shop = $1 AND order_id = $2
                            AND kind IN ('payment_received', 'refund_paid', 'refund_marked', 'transfer_in'))""",
        shop,
        order_id,
    )
    return found
