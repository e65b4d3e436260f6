"""What fulfillment says about an order's goods: stock, parcels, shipments, deliveries, and its whole position.

Invariant: the copy equals fulfillment's position of the highest version heard of; parcels, shipments and deliveries
are sets, so a delivery may be heard of before its shipment and ends the same.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter

from contracts.envelope import Envelope
from contracts.fulfillment import (
    DeliveryRecorded,
    FulfilmentPosition,
    LinePosition,
    LinesAdded,
    LinesReduced,
    ParcelLine,
    ParcelLost,
    ParcelPacked,
    ParcelUnpacked,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    StockRejected,
    StockReserved,
    StockRestocked,
)
from services.chassis.messaging.subscribers import Delivery
from services.orders.order.fulfilment_status import sum_lines
from services.orders.order.record import Order
from services.orders.order.unit.unit import OrderBook
from services.orders.projections import outcomes

SERVICE = "fulfillment"
_POSITIONS = TypeAdapter(list[LinePosition])
_LINES = TypeAdapter(list[ParcelLine])


def note_stock(book: OrderBook, delivery: Delivery[StockReserved] | Delivery[StockRejected]) -> None:
    """Stock was reserved, or refused with what is missing; in a resync, only the position counts. Raises Wait for an
    unknown order.
    """
    message, cause = delivery.message, delivery.envelope
    order = book.find(message.shop, message.order_id)
    kind, data = "stock_reserved", {}
    if isinstance(message, StockRejected):
        kind, data = "stock_rejected", {"missing": [missing.model_dump() for missing in message.missing]}
    if not delivery.is_standing:
        book.note(order.shop, order.id, kind, cause.id, SERVICE, cause, data)
    _take_position(book, order, message.position, cause, None)


def note_restocking(book: OrderBook, delivery: Delivery[StockRestocked]) -> None:
    """Refunded units were cancelled or are on the shelf again. Raises Wait for an unknown order."""
    message, cause = delivery.message, delivery.envelope
    order = book.find(message.shop, message.order_id)
    data = {
        "cancelled": [part.model_dump() for part in message.cancelled],
        "restocked": [part.model_dump() for part in message.restocked],
    }
    if message.cancelled or message.restocked:
        book.note(order.shop, order.id, "stock_restocked", message.cause_id, message.actor, cause, data)
    _take_position(book, order, message.position, cause, message.actor)


def copy_parcel(book: OrderBook, delivery: Delivery[ParcelPacked]) -> None:
    """Copy a packed parcel. Raises Wait for an unknown order."""
    parcel, cause = delivery.message, delivery.envelope
    order = book.find(parcel.shop, parcel.order_id)
    lines = _LINES.dump_json(parcel.lines).decode()
    book.parcels.append(
        (
            order.shop,
            order.id,
            parcel.parcel_id,
            parcel.number,
            parcel.kind,
            parcel.weight_grams,
            lines,
            parcel.packed_at,
            parcel.packed_by,
        )
    )
    data = {"number": parcel.number, "units": _units(parcel.lines)}
    book.note(order.shop, order.id, "parcel_packed", parcel.parcel_id, parcel.packed_by, cause, data)
    _take_position(book, order, parcel.position, cause, parcel.packed_by)
    outcomes.settle(book, delivery)


def copy_unpacking(book: OrderBook, delivery: Delivery[ParcelUnpacked]) -> None:
    """Copy that a parcel was taken apart, whether or not the parcel is known. Raises Wait for an unknown order."""
    parcel, cause = delivery.message, delivery.envelope
    order = book.find(parcel.shop, parcel.order_id)
    actor = parcel.unpacked_by
    book.unpackings.append((order.shop, order.id, parcel.parcel_id, parcel.unpacked_at, actor))
    data = {"number": parcel.number, "units": _units(parcel.lines)}
    book.note(order.shop, order.id, "parcel_unpacked", parcel.parcel_id, actor, cause, data)
    _take_position(book, order, parcel.position, cause, actor)
    outcomes.settle(book, delivery)


def copy_shipment(book: OrderBook, delivery: Delivery[ShipmentDispatched]) -> None:
    """Copy a dispatched shipment. Raises Wait for an unknown order."""
    shipment, cause = delivery.message, delivery.envelope
    order = book.find(shipment.shop, shipment.order_id)
    _keep_shipment(book, shipment, 1, shipment.notify_customer)
    is_new_carrier = order.take_shipment(shipment.shipment_id, 1, shipment.carrier, stands=True)
    data: dict[str, Any] = {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "units": _units(shipment.lines),
    }
    actor = shipment.dispatched_by
    book.note(order.shop, order.id, "shipment_dispatched", shipment.shipment_id, actor, cause, data)
    _take_position(book, order, shipment.position, cause, actor)
    if is_new_carrier:  # also when a later position was heard of first
        book.changed(order, cause, actor)
    outcomes.settle(book, delivery)


def copy_correction(book: OrderBook, delivery: Delivery[ShipmentUpdated]) -> None:
    """Copy what is told of a shipment now, whether or not its dispatch is known. Raises Wait for an unknown order."""
    shipment, cause = delivery.message, delivery.envelope
    order = book.find(shipment.shop, shipment.order_id)
    _keep_shipment(book, shipment, shipment.version, shipment.announced)
    has_other_carriers = order.take_shipment(
        shipment.shipment_id, shipment.version, shipment.carrier, stands=True
    )
    data = {
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "notify_customer": shipment.notify_customer,
    }
    item, actor = uuid5(shipment.shipment_id, str(shipment.version)), shipment.updated_by
    book.note(order.shop, order.id, "shipment_updated", item, actor, cause, data)
    _take_position(book, order, shipment.position, cause, actor)
    if has_other_carriers:
        book.changed(order, cause, actor)
    outcomes.settle(book, delivery)


def copy_cancelling(book: OrderBook, delivery: Delivery[ShipmentCancelled]) -> None:
    """Copy that a shipment was taken back, whether or not it is known. Raises Wait for an unknown order."""
    shipment, cause = delivery.message, delivery.envelope
    order = book.find(shipment.shop, shipment.order_id)
    end = (shipment.cancelled_at, shipment.cancelled_by, shipment.reason)
    _keep_shipment(book, shipment, shipment.version, shipment.announced, end)
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
    book.note(order.shop, order.id, "shipment_cancelled", shipment.shipment_id, actor, cause, data)
    _take_position(book, order, shipment.position, cause, actor)
    if has_other_carriers:
        book.changed(order, cause, actor)
    outcomes.settle(book, delivery)


def copy_loss(book: OrderBook, delivery: Delivery[ParcelLost]) -> None:
    """Copy that a parcel was lost, whether or not it is known. Raises Wait for an unknown order."""
    parcel, cause = delivery.message, delivery.envelope
    order = book.find(parcel.shop, parcel.order_id)
    actor = parcel.lost_by
    book.losses.append((order.shop, order.id, parcel.parcel_id, parcel.lost_at, actor, parcel.reason))
    data = {
        "number": parcel.number,
        "units": _units(parcel.lines),
        "reason": parcel.reason,
        "notify_customer": parcel.notify_customer,
    }
    book.note(order.shop, order.id, "parcel_lost", parcel.parcel_id, actor, cause, data)
    _take_position(book, order, parcel.position, cause, actor)
    outcomes.settle(book, delivery)


def _keep_shipment(
    book: OrderBook,
    shipment: ShipmentDispatched | ShipmentUpdated | ShipmentCancelled,
    version: int,
    announced: bool,
    end: tuple[Any, Any, Any] = (None, None, None),
) -> None:
    row = (
        shipment.shop,
        shipment.order_id,
        shipment.shipment_id,
        _array(shipment.parcel_ids),
        _LINES.dump_json(shipment.lines).decode(),
        shipment.carrier,
        shipment.tracking_number,
        shipment.tracking_url,
        shipment.shipped_on,
        shipment.expected_on,
        announced,
        shipment.dispatched_at,
        shipment.dispatched_by,
        version,
        *end,
    )
    book.keep_shipment(row, version)


def copy_delivery(book: OrderBook, delivery: Delivery[DeliveryRecorded]) -> None:
    """Copy a delivery, whether or not its shipment is known. Raises Wait for an unknown order."""
    recorded, cause = delivery.message, delivery.envelope
    order = book.find(recorded.shop, recorded.order_id)
    book.deliveries.append(
        (
            order.shop,
            order.id,
            recorded.shipment_id,
            _array(recorded.parcel_ids),
            recorded.delivered_at,
            recorded.proof,
            recorded.proof_reference,
            recorded.recorded_by,
        )
    )
    data = {
        "delivered_at": recorded.delivered_at.isoformat(),
        "proof": recorded.proof,
        "proof_reference": recorded.proof_reference,
    }
    actor = recorded.recorded_by
    book.note(order.shop, order.id, "delivery_recorded", recorded.shipment_id, actor, cause, data)
    _take_position(book, order, recorded.position, cause, actor)
    outcomes.settle(book, delivery)


def take_change(book: OrderBook, delivery: Delivery[LinesReduced] | Delivery[LinesAdded]) -> None:
    """Take over the position after units were stopped or added. Raises Wait for an unknown order."""
    message = delivery.message
    order = book.find(message.shop, message.order_id)
    _take_position(book, order, message.position, delivery.envelope, None)


def _take_position(
    book: OrderBook, order: Order, position: FulfilmentPosition, cause: Envelope, actor: str | None
) -> None:
    if order.take_units(position.version, sum_lines(position.lines), position.stock):
        order.line_positions = _POSITIONS.dump_json(position.lines).decode()
        book.changed(order, cause, actor)


def _units(lines: Sequence[ParcelLine]) -> int:
    return sum(line.quantity for line in lines)


def _array(ids: Sequence[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
