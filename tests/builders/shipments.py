"""Parcels and shipments: the commands that fulfillment receives and the events that it publishes. Every value can be
replaced.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from contracts.fulfillment.parcels import PackParcel, ParcelLine, ParcelPacked, UnpackParcel
from contracts.fulfillment.position import FulfilmentPosition, StockStanding
from contracts.fulfillment.shipments import (
    CancelShipment,
    DeliveryRecorded,
    DispatchShipment,
    ParcelLost,
    ProofKind,
    RecordDelivery,
    ReportParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    UpdateShipment,
)
from contracts.orders.lifecycle import OrderPlaced
from tests.builders.orders import CODE, SHOP

PACKED_AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DISPATCHED_AT = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
SHIPPED_ON = date(2026, 11, 21)
DELIVERED_AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
POSITION = FulfilmentPosition(version=3, stock=StockStanding.RESERVED, lines=[])
"""A position without lines; tests of quantities give their own."""


def pack(order: OrderPlaced, units: dict[int, int], parcel_id: UUID | None = None, **more: Any) -> PackParcel:
    """A parcel of the order with these units by line."""
    return PackParcel(
        shop=order.shop,
        order_id=order.order_id,
        parcel_id=parcel_id or uuid7(),
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in units.items()],
        actor="staff:zoe",
        **more,
    )


def unpack(order: OrderPlaced, parcel_id: UUID) -> UnpackParcel:
    """A parcel of the order is to be taken apart."""
    return UnpackParcel(shop=order.shop, order_id=order.order_id, parcel_id=parcel_id, actor="staff:max")


def dispatch(
    order: OrderPlaced, parcel_ids: Sequence[UUID], shipment_id: UUID | None = None, **more: Any
) -> DispatchShipment:
    """A shipment of the order with these parcels, by Colissimo unless said otherwise."""
    fields: dict[str, Any] = {
        "carrier": "Colissimo",
        "tracking_number": "6A12345678901",
        "shipped_on": SHIPPED_ON,
    }
    return DispatchShipment(
        shop=order.shop,
        order_id=order.order_id,
        shipment_id=shipment_id or uuid7(),
        parcel_ids=list(parcel_ids),
        actor="staff:zoe",
        **{**fields, **more},
    )


def correct(order: OrderPlaced, shipment_id: UUID, **more: Any) -> UpdateShipment:
    """A correction of a shipment, to another tracking number unless said otherwise."""
    fields: dict[str, Any] = {
        "carrier": "Colissimo",
        "tracking_number": "6A99999999999",
        "shipped_on": SHIPPED_ON,
        "actor": "staff:max",
    }
    return UpdateShipment(
        shop=order.shop, order_id=order.order_id, shipment_id=shipment_id, **{**fields, **more}
    )


def call_off(order: OrderPlaced, shipment_id: UUID, **more: Any) -> CancelShipment:
    """A shipment is to be taken back."""
    return CancelShipment(
        shop=order.shop, order_id=order.order_id, shipment_id=shipment_id, actor="staff:max", **more
    )


def lose(order: OrderPlaced, parcel_id: UUID, **more: Any) -> ReportParcelLost:
    """A parcel is said to be lost."""
    return ReportParcelLost(
        shop=order.shop, order_id=order.order_id, parcel_id=parcel_id, actor="staff:max", **more
    )


def deliver(order: OrderPlaced, shipment_id: UUID, **more: Any) -> RecordDelivery:
    """The delivery of a shipment, on the day after it was shipped."""
    fields: dict[str, Any] = {
        "delivered_at": DELIVERED_AT,
        "proof": ProofKind.SIGNATURE,
        "proof_reference": "S-77",
    }
    return RecordDelivery(
        shop=order.shop,
        order_id=order.order_id,
        shipment_id=shipment_id,
        actor="staff:zoe",
        **{**fields, **more},
    )


def a_parcel(**changes: Any) -> ParcelPacked:
    """One unit of an order's first line, packed."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": uuid7(),
        "code": CODE,
        "parcel_id": uuid7(),
        "number": 1,
        "kind": "box",
        "lines": [ParcelLine(line=1, quantity=1)],
        "packed_at": PACKED_AT,
        "packed_by": "api:erp",
        "position": POSITION,
    }
    return ParcelPacked(**{**values, **changes})


def a_shipment(**changes: Any) -> ShipmentDispatched:
    """One unit of an order's first line, shipped by Colissimo."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": uuid7(),
        "code": CODE,
        "shipment_id": uuid7(),
        "parcel_ids": [uuid7()],
        "lines": [ParcelLine(line=1, quantity=1)],
        "carrier": "Colissimo",
        "tracking_number": "6A12345678901",
        "shipped_on": SHIPPED_ON,
        "dispatched_at": DISPATCHED_AT,
        "dispatched_by": "api:erp",
        "position": POSITION,
    }
    return ShipmentDispatched(**{**values, **changes})


def a_correction(shipment: ShipmentDispatched, **changes: Any) -> ShipmentUpdated:
    """The shipment with other details."""
    values = {**dict(shipment), "version": 2, "updated_at": DISPATCHED_AT, "updated_by": "staff:zoe"}
    return ShipmentUpdated(**{**values, **changes})


def a_cancellation(shipment: ShipmentDispatched, **changes: Any) -> ShipmentCancelled:
    """The shipment cancelled: its parcels had not left."""
    values = {**dict(shipment), "version": 2, "cancelled_at": DISPATCHED_AT, "cancelled_by": "staff:zoe"}
    return ShipmentCancelled(**{**values, **changes})


def a_lost_parcel(shipment: ShipmentDispatched, **changes: Any) -> ParcelLost:
    """The shipment's first parcel, which will not arrive, with all its lines."""
    values = {
        **{
            name: getattr(shipment, name)
            for name in ("shop", "order_id", "code", "shipment_id", "lines", "position")
        },
        "parcel_id": shipment.parcel_ids[0],
        "number": 1,
        "lost_at": DISPATCHED_AT,
        "lost_by": "staff:zoe",
    }
    return ParcelLost(**{**values, **changes})


def a_delivery(shipment: ShipmentDispatched, **changes: Any) -> DeliveryRecorded:
    """The shipment with its customer, who signed for it."""
    values = {
        **{
            name: getattr(shipment, name)
            for name in ("shop", "order_id", "code", "shipment_id", "parcel_ids")
        },
        "delivered_at": DELIVERED_AT,
        "proof": ProofKind.SIGNATURE,
        "recorded_by": "api:erp",
        "position": shipment.position,
    }
    return DeliveryRecorded(**{**values, **changes})
