"""SQL of parcels and shipments.

Each function takes the connection of a unit first, and its docstring names its locks; see order_store.py
on their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.fulfillment.shipments import ProofKind
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order.order import Key, Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.shipment import Receipt, Shipment
from services.fulfillment.order.unit import shipment_rows
from services.fulfillment.order.unit.shipment_rows import (
    ParcelLineRow,
    ParcelRow,
    ReceiptRow,
    ShipmentParcelRow,
    ShipmentRow,
)

CORRECTIONS = ("version", "updated_at", "updated_by", "cancelled_at", "cancelled_by", "cancel_reason")


_READ_PARCELS = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, parcel_id, number, lines, quantities, kind, weight_grams, length_mm, width_mm,
           height_mm, declared_value_minor, packed_at, packed_by, unpacked_at, unpacked_by, lost_at, lost_by,
           lost_reason
    FROM parcel JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    CROSS JOIN LATERAL (
        SELECT array_agg(line ORDER BY line) AS lines, array_agg(quantity ORDER BY line) AS quantities
        FROM parcel_line AS inside
        WHERE (inside.shop, inside.order_id, inside.parcel_id) = (parcel.shop, parcel.order_id,
        parcel.parcel_id)
    ) AS contents
    """,
)


async def read_parcels(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the parcels of locked orders."""
    found = await _READ_PARCELS.fetch(connection, orders)
    for shop, order_id, parcel_id, number, lines, quantities, *values in found:
        units = dict(zip(lines, quantities, strict=True))
        orders[shop, order_id].parcels[parcel_id] = Parcel(parcel_id, number, units, *values)


_READ_SHIPMENTS = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, shipment_id, parcel_ids, version, updated_at, updated_by, cancelled_at,
           cancelled_by, cancel_reason, carrier, tracking_number, tracking_url, shipped_on,
           expected_on, cost_minor, cost_currency, notify_customer, dispatched_at, dispatched_by,
           delivered_at, proof, proof_reference, recorded_at, recorded_by
    FROM shipment JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    CROSS JOIN LATERAL (
        SELECT array_agg(parcel_id ORDER BY parcel_id) AS parcel_ids FROM shipment_parcel AS inside
        WHERE (inside.shop, inside.order_id, inside.shipment_id)
            = (shipment.shop, shipment.order_id, shipment.shipment_id)
    ) AS contents
    """,
)


async def read_shipments(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the shipments of locked orders, with their receipts."""
    found = await _READ_SHIPMENTS.fetch(connection, orders)
    for shop, order_id, shipment_id, parcel_ids, *values in found:
        corrections, fields = values[: len(CORRECTIONS)], values[len(CORRECTIONS) :]
        shipment = Shipment(shipment_id, tuple(parcel_ids), *fields[:-5])
        corrected = dict(zip(CORRECTIONS, corrections, strict=True))
        shipment = replace(shipment, receipt=_receipt_of(*fields[-5:]), **corrected)
        orders[shop, order_id].shipments[shipment_id] = shipment


_INSERT_PARCELS = Bulk(
    ParcelRow,
    """
    INSERT INTO parcel ({columns})
    SELECT * FROM {rows}
    """,
)


_INSERT_CONTENTS = Bulk(
    ParcelLineRow,
    """
    INSERT INTO parcel_line ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_parcels(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write new parcels with their contents."""
    await _INSERT_PARCELS.execute(
        connection, [shipment_rows.parcel_row(key, parcel) for key, parcel in parcels]
    )
    contents = [
        ParcelLineRow(*key, parcel_id=parcel.id, line=line, quantity=quantity)
        for key, parcel in parcels
        for line, quantity in parcel.units.items()
    ]
    await _INSERT_CONTENTS.execute(connection, contents)


_INSERT_SHIPMENTS = Bulk(
    ShipmentRow,
    """
    INSERT INTO shipment ({columns})
    SELECT * FROM {rows}
    """,
)


_INSERT_SHIPMENT_PARCELS = Bulk(
    ShipmentParcelRow,
    """
    INSERT INTO shipment_parcel ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_shipments(connection: Writer, shipments: Sequence[tuple[Key, Shipment]]) -> None:
    """Write new shipments with their parcels, and with their receipts if already known."""
    await _INSERT_SHIPMENTS.execute(
        connection, [shipment_rows.shipment_row(key, one) for key, one in shipments]
    )
    contents = [
        ShipmentParcelRow(*key, shipment_id=one.id, parcel_id=parcel_id, is_cancelled=not one.is_active)
        for key, one in shipments
        for parcel_id in one.parcel_ids
    ]
    await _INSERT_SHIPMENT_PARCELS.execute(connection, contents)


_UPDATE_RECEIPTS = Bulk(
    ReceiptRow,
    """
    UPDATE shipment SET delivered_at = new.delivered_at, proof = new.proof,
           proof_reference = new.proof_reference, recorded_at = new.recorded_at,
           recorded_by = new.recorded_by
    FROM {rows} AS new ({columns})
    WHERE (shipment.shop, shipment.order_id, shipment.shipment_id)
        = (new.shop, new.order_id, new.shipment_id)
    """,
)


async def update_receipts(connection: Writer, shipments: Iterable[tuple[Key, Shipment]]) -> None:
    """Write the receipts of shipments of locked orders."""
    await _UPDATE_RECEIPTS.execute(
        connection, [shipment_rows.receipt_row(key, one) for key, one in shipments]
    )


def _receipt_of(delivered_at: datetime | None, proof: str, *values: Any) -> Receipt | None:
    return None if delivered_at is None else Receipt(delivered_at, ProofKind(proof), *values)
