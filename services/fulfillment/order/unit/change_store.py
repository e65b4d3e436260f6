"""SQL of requested changes: what was answered, lines added later, parcels taken apart; see store.py on locks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order.change import Change, ChangeKind
from services.fulfillment.order.order import Key, Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.shipment import Shipment

_READ_SKUS = Bulk(
    tuple[str, UUID],
    """
    SELECT DISTINCT shop, sku
    FROM order_line JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    WHERE kind = 'ship'
    """,
)


async def read_skus(connection: Connection, keys: Iterable[Key]) -> set[tuple[str, str]]:
    """Return the (shop, SKU) of these orders' goods. Locks nothing: a line's SKU never changes, and the gate
    prevents new lines.
    """
    rows = await _READ_SKUS.fetch(connection, list(keys))
    return {(row["shop"], row["sku"]) for row in rows}


_READ_ANSWERED = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, request_id, kind
    FROM line_change JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    """,
)


async def read_answered(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in which requests of locked orders were answered."""
    rows = await _READ_ANSWERED.fetch(connection, orders)
    for shop, order_id, request_id, kind in rows:
        orders[shop, order_id].answered.add((request_id, ChangeKind(kind)))


class AnswerRow(NamedTuple):
    shop: str
    order_id: UUID
    request_id: UUID
    kind: str
    cause: str
    done: Json
    refused: Json
    actor: str


def _answer_row(key: Key, change: Change) -> AnswerRow:
    return AnswerRow(
        *key,
        request_id=change.request_id,
        kind=change.kind,
        cause=str(change.cause),
        done=json.dumps(change.done),
        refused=json.dumps(change.refused),
        actor=change.actor,
    )


_INSERT_ANSWERS = Bulk(
    AnswerRow,
    """
    INSERT INTO line_change ({columns}, answered_at)
    SELECT *, {answered_at}::timestamptz FROM {rows}
    """,
)


async def insert_answers(
    connection: Writer, answers: Sequence[tuple[Key, Change]], answered_at: datetime
) -> None:
    """Write requested changes of locked orders and their answers."""
    rows = [_answer_row(key, change) for key, change in answers]
    await _INSERT_ANSWERS.execute(connection, rows, answered_at=answered_at)


class AddedLineRow(NamedTuple):
    shop: str
    order_id: UUID
    line: Integer
    kind: str
    sku: str | None
    ordered: Integer
    cancelled: Integer
    packed: Integer


def _added_line_row(key: Key, line: Line) -> AddedLineRow:
    return AddedLineRow(
        *key,
        line=line.line,
        kind=line.kind,
        sku=line.sku,
        ordered=line.ordered,
        cancelled=line.cancelled,
        packed=line.packed,
    )


_INSERT_LINES = Bulk(
    AddedLineRow,
    """
    INSERT INTO order_line ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_lines(connection: Writer, lines: Sequence[tuple[Key, Line]]) -> None:
    """Write lines that were added to locked orders."""
    await _INSERT_LINES.execute(connection, [_added_line_row(key, line) for key, line in lines])


class UnpackingRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    unpacked_at: datetime | None
    unpacked_by: str | None


def _unpacking_row(key: Key, parcel: Parcel) -> UnpackingRow:
    return UnpackingRow(
        *key, parcel_id=parcel.id, unpacked_at=parcel.unpacked_at, unpacked_by=parcel.unpacked_by
    )


_UPDATE_UNPACKED = Bulk(
    UnpackingRow,
    """
    UPDATE parcel SET unpacked_at = new.unpacked_at, unpacked_by = new.unpacked_by
    FROM {rows} AS new ({columns})
    WHERE (parcel.shop, parcel.order_id, parcel.parcel_id) = (new.shop, new.order_id, new.parcel_id)
    """,
)


async def update_unpacked(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write when parcels of locked orders were taken apart, and by whom."""
    await _UPDATE_UNPACKED.execute(connection, [_unpacking_row(key, parcel) for key, parcel in parcels])


class LossRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    lost_at: datetime | None
    lost_by: str | None
    lost_reason: str | None


def _loss_row(key: Key, parcel: Parcel) -> LossRow:
    return LossRow(
        *key,
        parcel_id=parcel.id,
        lost_at=parcel.lost_at,
        lost_by=parcel.lost_by,
        lost_reason=parcel.lost_reason,
    )


_UPDATE_LOST = Bulk(
    LossRow,
    """
    UPDATE parcel SET lost_at = new.lost_at, lost_by = new.lost_by, lost_reason = new.lost_reason
    FROM {rows} AS new ({columns})
    WHERE (parcel.shop, parcel.order_id, parcel.parcel_id) = (new.shop, new.order_id, new.parcel_id)
    """,
)


async def update_lost(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write that parcels of locked orders were lost, who reported it and why."""
    await _UPDATE_LOST.execute(connection, [_loss_row(key, parcel) for key, parcel in parcels])


class ShipmentChangeRow(NamedTuple):
    shop: str
    order_id: UUID
    shipment_id: UUID
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    shipped_on: date
    expected_on: date | None
    version: Integer
    updated_at: datetime | None
    updated_by: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None
    cancel_reason: str | None


def _shipment_change_row(key: Key, shipment: Shipment) -> ShipmentChangeRow:
    return ShipmentChangeRow(
        *key,
        shipment_id=shipment.id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
        shipped_on=shipment.shipped_on,
        expected_on=shipment.expected_on,
        version=shipment.version,
        updated_at=shipment.updated_at,
        updated_by=shipment.updated_by,
        cancelled_at=shipment.cancelled_at,
        cancelled_by=shipment.cancelled_by,
        cancel_reason=shipment.cancel_reason,
    )


_UPDATE_SHIPMENTS = Bulk(
    ShipmentChangeRow,
    """
    UPDATE shipment SET carrier = new.carrier, tracking_number = new.tracking_number,
           tracking_url = new.tracking_url, shipped_on = new.shipped_on, expected_on = new.expected_on,
           version = new.version, updated_at = new.updated_at, updated_by = new.updated_by,
           cancelled_at = new.cancelled_at, cancelled_by = new.cancelled_by, cancel_reason = new.cancel_reason
    FROM {rows} AS new ({columns})
    WHERE (shipment.shop, shipment.order_id, shipment.shipment_id)
        = (new.shop, new.order_id, new.shipment_id)
    """,
)


_CANCEL_SHIPMENT_PARCELS = Bulk(
    tuple[str, UUID, UUID],
    """
    UPDATE shipment_parcel SET is_cancelled = true
    FROM {rows} AS gone (shop, order_id, shipment_id)
    WHERE (shipment_parcel.shop, shipment_parcel.order_id, shipment_parcel.shipment_id)
        = (gone.shop, gone.order_id, gone.shipment_id)
    """,
)


async def update_shipments(connection: Writer, shipments: Sequence[tuple[Key, Shipment]]) -> None:
    """Write corrections of shipments of locked orders, and which were cancelled."""
    await _UPDATE_SHIPMENTS.execute(connection, [_shipment_change_row(key, one) for key, one in shipments])
    cancelled = [(*key, one.id) for key, one in shipments if not one.is_active]
    await _CANCEL_SHIPMENT_PARCELS.execute(connection, cancelled)


_MARK_DELETED = Bulk(
    tuple[str, UUID, datetime],
    """
    UPDATE fulfilment_order SET deleted_at = coalesce(fulfilment_order.deleted_at, new.deleted_at)
    FROM {rows} AS new (shop, order_id, deleted_at)
    WHERE (fulfilment_order.shop, fulfilment_order.order_id) = (new.shop, new.order_id)
    """,
)


_CLEAR_SHIPMENTS = Bulk(
    tuple[str, UUID],
    """
    UPDATE shipment SET tracking_url = NULL, proof_reference = NULL
    FROM {rows} AS gone (shop, order_id)
    WHERE (shipment.shop, shipment.order_id) = (gone.shop, gone.order_id)
      AND (shipment.tracking_url IS NOT NULL OR shipment.proof_reference IS NOT NULL)
    """,
)


async def mark_deleted(connection: Writer, deleted: Mapping[Key, datetime]) -> None:
    """Write when locked orders were deleted; the first timestamp counts. Removes tracking addresses, which
    may hold the customer's postal code, and references of proofs, which may hold a name.
    """
    rows = [(*key, deleted_at) for key, deleted_at in deleted.items()]
    await _MARK_DELETED.execute(connection, rows)
    await _CLEAR_SHIPMENTS.execute(connection, deleted)
