"""Parcels and shipments as rows of their tables; pure."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Integer
from services.fulfillment.order.order import Key
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.shipment import Shipment


class ParcelRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    number: Integer
    kind: str
    weight_grams: Integer | None
    length_mm: Integer | None
    width_mm: Integer | None
    height_mm: Integer | None
    declared_value_minor: int | None
    packed_at: datetime
    packed_by: str


class ParcelLineRow(NamedTuple):
    shop: str
    order_id: UUID
    parcel_id: UUID
    line: Integer
    quantity: Integer


class ShipmentRow(NamedTuple):
    shop: str
    order_id: UUID
    shipment_id: UUID
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    shipped_on: date
    expected_on: date | None
    cost_minor: int | None
    cost_currency: str | None
    notify_customer: bool
    dispatched_at: datetime
    dispatched_by: str
    delivered_at: datetime | None
    proof: str | None
    proof_reference: str | None
    recorded_at: datetime | None
    recorded_by: str | None
    version: Integer
    updated_at: datetime | None
    updated_by: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None
    cancel_reason: str | None


class ShipmentParcelRow(NamedTuple):
    shop: str
    order_id: UUID
    shipment_id: UUID
    parcel_id: UUID
    is_cancelled: bool


class ReceiptRow(NamedTuple):
    shop: str
    order_id: UUID
    shipment_id: UUID
    delivered_at: datetime | None
    proof: str | None
    proof_reference: str | None
    recorded_at: datetime | None
    recorded_by: str | None


def parcel_row(key: Key, parcel: Parcel) -> ParcelRow:
    return ParcelRow(
        *key,
        parcel_id=parcel.id,
        number=parcel.number,
        kind=parcel.kind,
        weight_grams=parcel.weight_grams,
        length_mm=parcel.length_mm,
        width_mm=parcel.width_mm,
        height_mm=parcel.height_mm,
        declared_value_minor=parcel.declared_value_minor,
        packed_at=parcel.packed_at,
        packed_by=parcel.packed_by,
    )


class _NoReceipt(NamedTuple):
    """Receipt columns of a shipment that has no receipt."""

    delivered_at: None = None
    proof: None = None
    proof_reference: None = None
    recorded_at: None = None
    recorded_by: None = None


_NO_RECEIPT = _NoReceipt()


def shipment_row(key: Key, shipment: Shipment) -> ShipmentRow:
    receipt = shipment.receipt or _NO_RECEIPT
    return ShipmentRow(
        *key,
        shipment_id=shipment.id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
        shipped_on=shipment.shipped_on,
        expected_on=shipment.expected_on,
        cost_minor=shipment.cost_minor,
        cost_currency=shipment.cost_currency,
        notify_customer=shipment.notify_customer,
        dispatched_at=shipment.dispatched_at,
        dispatched_by=shipment.dispatched_by,
        delivered_at=receipt.delivered_at,
        proof=receipt.proof,
        proof_reference=receipt.proof_reference,
        recorded_at=receipt.recorded_at,
        recorded_by=receipt.recorded_by,
        version=shipment.version,
        updated_at=shipment.updated_at,
        updated_by=shipment.updated_by,
        cancelled_at=shipment.cancelled_at,
        cancelled_by=shipment.cancelled_by,
        cancel_reason=shipment.cancel_reason,
    )


def receipt_row(key: Key, shipment: Shipment) -> ReceiptRow:
    receipt = shipment.receipt or _NO_RECEIPT
    return ReceiptRow(
        *key,
        shipment_id=shipment.id,
        delivered_at=receipt.delivered_at,
        proof=receipt.proof,
        proof_reference=receipt.proof_reference,
        recorded_at=receipt.recorded_at,
        recorded_by=receipt.recorded_by,
    )
