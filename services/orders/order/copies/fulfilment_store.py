"""SQL of the copies of fulfillment's data: parcels, unpackings, shipments, losses and deliveries."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import OrderKey, Row


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
