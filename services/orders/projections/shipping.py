"""Fulfillment's events about an order's goods: stock, parcels, shipments, deliveries, and its position.

Invariant: the copy equals fulfillment's position of the highest version received; parcels, shipments and
deliveries are sets, so a delivery may be received before its shipment with the same result.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter

from contracts.fulfillment.parcels import ParcelLine, ParcelPacked, ParcelUnpacked
from contracts.fulfillment.shipments import (
    DeliveryRecorded,
    ParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
)
from contracts.fulfillment.stock import StockRejected, StockReserved, StockRestocked
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copies.fulfilment_store import (
    DeliveryRow,
    LossRow,
    ParcelRow,
    ShipmentRow,
    UnpackingRow,
)
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes
from services.orders.projections.positions import take_position

SERVICE = "fulfillment"
_LINES = TypeAdapter(list[ParcelLine])


def note_stock(
    work: OrderUnit, received: ReceivedMessage[StockReserved] | ReceivedMessage[StockRejected]
) -> None:
    """Record that stock was reserved, or rejected with the missing units; in a resync, only the position
    counts.

    Raises Wait for an unknown order. Idempotent: a repeat, or an older position, changes nothing.
    """
    message, cause = received.message, received.envelope
    order = work.find(message.shop, message.order_id)
    kind, data = "stock_reserved", {}
    if isinstance(message, StockRejected):
        kind, data = "stock_rejected", {"missing": [missing.model_dump() for missing in message.missing]}
    if not received.is_snapshot:
        work.note(order.shop, order.id, kind, cause.id, SERVICE, cause, data)
    take_position(work, order, message.position, cause, None)


def note_restocking(work: OrderUnit, received: ReceivedMessage[StockRestocked]) -> None:
    """Record that refunded units were cancelled or restocked. Raises Wait for an unknown order.

    Idempotent: a repeat leaves its row unchanged; an older position changes nothing.
    """
    message, cause = received.message, received.envelope
    order = work.find(message.shop, message.order_id)
    data = {
        "cancelled": [part.model_dump() for part in message.cancelled],
        "restocked": [part.model_dump() for part in message.restocked],
    }
    if message.cancelled or message.restocked:
        work.note(order.shop, order.id, "stock_restocked", message.cause_id, message.actor, cause, data)
    take_position(work, order, message.position, cause, message.actor)


def copy_parcel(work: OrderUnit, received: ReceivedMessage[ParcelPacked]) -> None:
    """Copy a packed parcel. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the row unchanged.
    """
    parcel, cause = received.message, received.envelope
    order = work.find(parcel.shop, parcel.order_id)
    lines = _LINES.dump_json(parcel.lines).decode()
    work.parcels.append(
        ParcelRow(
            shop=order.shop,
            order_id=order.id,
            parcel_id=parcel.parcel_id,
            number=parcel.number,
            kind=parcel.kind,
            weight_grams=parcel.weight_grams,
            lines=lines,
            packed_at=parcel.packed_at,
            packed_by=parcel.packed_by,
        )
    )
    data = {"number": parcel.number, "units": _units(parcel.lines)}
    work.note(order.shop, order.id, "parcel_packed", parcel.parcel_id, parcel.packed_by, cause, data)
    take_position(work, order, parcel.position, cause, parcel.packed_by)
    outcomes.settle(work, received)


def copy_unpacking(work: OrderUnit, received: ReceivedMessage[ParcelUnpacked]) -> None:
    """Copy that a parcel was unpacked, whether or not the parcel is known. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the row unchanged.
    """
    parcel, cause = received.message, received.envelope
    order = work.find(parcel.shop, parcel.order_id)
    actor = parcel.unpacked_by
    row = UnpackingRow(
        shop=order.shop,
        order_id=order.id,
        parcel_id=parcel.parcel_id,
        unpacked_at=parcel.unpacked_at,
        unpacked_by=actor,
    )
    work.unpackings.append(row)
    data = {"number": parcel.number, "units": _units(parcel.lines)}
    work.note(order.shop, order.id, "parcel_unpacked", parcel.parcel_id, actor, cause, data)
    take_position(work, order, parcel.position, cause, actor)
    outcomes.settle(work, received)


def copy_shipment(work: OrderUnit, received: ReceivedMessage[ShipmentDispatched]) -> None:
    """Copy a dispatched shipment. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the row unchanged.
    """
    shipment, cause = received.message, received.envelope
    order = work.find(shipment.shop, shipment.order_id)
    _keep_shipment(work, shipment, 1, shipment.notify_customer)
    is_new_carrier = order.take_shipment(shipment.shipment_id, 1, shipment.carrier, stands=True)
    data: dict[str, Any] = {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "units": _units(shipment.lines),
    }
    actor = shipment.dispatched_by
    work.note(order.shop, order.id, "shipment_dispatched", shipment.shipment_id, actor, cause, data)
    take_position(work, order, shipment.position, cause, actor)
    if is_new_carrier:  # also when a later position was received first
        work.changed(order, cause, actor)
    outcomes.settle(work, received)


def copy_correction(work: OrderUnit, received: ReceivedMessage[ShipmentUpdated]) -> None:
    """Copy the current data of a corrected shipment, whether or not its dispatch is known. Raises Wait for an
    unknown order.

    Idempotent: a repeat, or one received after a later one, changes nothing.
    """
    shipment, cause = received.message, received.envelope
    order = work.find(shipment.shop, shipment.order_id)
    _keep_shipment(work, shipment, shipment.version, shipment.announced)
    has_other_carriers = order.take_shipment(
        shipment.shipment_id, shipment.version, shipment.carrier, stands=True
    )
    data = {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "notify_customer": shipment.notify_customer,
    }
    item, actor = uuid5(shipment.shipment_id, str(shipment.version)), shipment.updated_by
    work.note(order.shop, order.id, "shipment_updated", item, actor, cause, data)
    take_position(work, order, shipment.position, cause, actor)
    if has_other_carriers:
        work.changed(order, cause, actor)
    outcomes.settle(work, received)


def copy_cancelling(work: OrderUnit, received: ReceivedMessage[ShipmentCancelled]) -> None:
    """Copy that a shipment was cancelled, whether or not it is known. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the row unchanged.
    """
    shipment, cause = received.message, received.envelope
    order = work.find(shipment.shop, shipment.order_id)
    end = (shipment.cancelled_at, shipment.cancelled_by, shipment.reason)
    _keep_shipment(work, shipment, shipment.version, shipment.announced, end)
    has_other_carriers = order.take_shipment(
        shipment.shipment_id, shipment.version, shipment.carrier, stands=False
    )
    data = {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "units": _units(shipment.lines),
        "reason": shipment.reason,
        "notify_customer": shipment.notify_customer,
    }
    actor = shipment.cancelled_by
    work.note(order.shop, order.id, "shipment_cancelled", shipment.shipment_id, actor, cause, data)
    take_position(work, order, shipment.position, cause, actor)
    if has_other_carriers:
        work.changed(order, cause, actor)
    outcomes.settle(work, received)


def copy_loss(work: OrderUnit, received: ReceivedMessage[ParcelLost]) -> None:
    """Copy that a parcel was lost, whether or not it is known. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the row unchanged.
    """
    parcel, cause = received.message, received.envelope
    order = work.find(parcel.shop, parcel.order_id)
    actor = parcel.lost_by
    row = LossRow(
        shop=order.shop,
        order_id=order.id,
        parcel_id=parcel.parcel_id,
        lost_at=parcel.lost_at,
        lost_by=actor,
        lost_reason=parcel.reason,
    )
    work.losses.append(row)
    data = {
        "number": parcel.number,
        "units": _units(parcel.lines),
        "reason": parcel.reason,
        "notify_customer": parcel.notify_customer,
    }
    work.note(order.shop, order.id, "parcel_lost", parcel.parcel_id, actor, cause, data)
    take_position(work, order, parcel.position, cause, actor)
    outcomes.settle(work, received)


def _keep_shipment(
    work: OrderUnit,
    shipment: ShipmentDispatched | ShipmentUpdated | ShipmentCancelled,
    version: int,
    announced: bool,
    end: tuple[datetime, str, str | None] | tuple[None, None, None] = (None, None, None),
) -> None:
    cancelled_at, cancelled_by, cancel_reason = end
    row = ShipmentRow(
        shop=shipment.shop,
        order_id=shipment.order_id,
        shipment_id=shipment.shipment_id,
        parcel_ids=_array(shipment.parcel_ids),
        lines=_LINES.dump_json(shipment.lines).decode(),
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
        shipped_on=shipment.shipped_on,
        expected_on=shipment.expected_on,
        notify_customer=announced,
        dispatched_at=shipment.dispatched_at,
        dispatched_by=shipment.dispatched_by,
        version=version,
        cancelled_at=cancelled_at,
        cancelled_by=cancelled_by,
        cancel_reason=cancel_reason,
    )
    work.keep_shipment(row)


def copy_delivery(work: OrderUnit, received: ReceivedMessage[DeliveryRecorded]) -> None:
    """Copy a delivery, whether or not its shipment is known. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the row unchanged.
    """
    recorded, cause = received.message, received.envelope
    order = work.find(recorded.shop, recorded.order_id)
    work.deliveries.append(
        DeliveryRow(
            shop=order.shop,
            order_id=order.id,
            shipment_id=recorded.shipment_id,
            parcel_ids=_array(recorded.parcel_ids),
            delivered_at=recorded.delivered_at,
            proof=recorded.proof,
            proof_reference=recorded.proof_reference,
            recorded_by=recorded.recorded_by,
        )
    )
    data = {
        "delivered_at": recorded.delivered_at.isoformat(),
        "proof": recorded.proof,
        "proof_reference": recorded.proof_reference,
    }
    actor = recorded.recorded_by
    work.note(order.shop, order.id, "delivery_recorded", recorded.shipment_id, actor, cause, data)
    take_position(work, order, recorded.position, cause, actor)
    outcomes.settle(work, received)


def _units(lines: Sequence[ParcelLine]) -> int:
    return sum(line.quantity for line in lines)


def _array(ids: Sequence[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
