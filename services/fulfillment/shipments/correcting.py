"""Correction of a shipment that left: its data change, or the shipment is cancelled.

Invariant: a correction changes no quantity; cancelling undoes exactly the movements of the dispatch, so the
units are on hand and reserved for their order again, at the locations they were taken from, and the parcels
are packed.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.shipments import CancelShipment, ShipmentCancelled, ShipmentUpdated, UpdateShipment
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order import position
from services.fulfillment.order.order import Order
from services.fulfillment.order.shipment import CORRECTED, Shipment, reasons_of_days, url_of
from services.fulfillment.order.unit.answering import done, reject, wait_or_reject
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.shipments.delivering import cancelled_already
from services.fulfillment.shipments.dispatching import units_of


def update(work: FulfillmentUnit, received: ReceivedMessage[UpdateShipment]) -> None:
    """Correct the shipment. A correction that changes nothing is rejected, so that no customer gets another mail."""
    command = received.message
    order, known = _find(work, command.shop, command.order_id, command.shipment_id)
    if order is None or known is None:
        return _unknown(work, received)
    if not known.is_active:
        return reject(work, received, cancelled_already(known))
    if known.matches(command):
        return reject(work, received, _nothing_to_change(order, known))
    if reasons := reasons_of_days(command, received.envelope.time, known):
        return reject(work, received, *reasons)
    corrected = replace(
        known,
        **{name: getattr(command, name) for name in CORRECTED},
        tracking_url=url_of(command),
        version=work.unit.restored.next_version(known.version),
        updated_at=work.unit.now,
        updated_by=command.actor,
    )
    work.set_shipment(order, corrected)
    work.changed(order)
    event = updated_event(order, corrected, notify_customer=command.notify_customer)
    work.unit.emit(event, about=order, cause=received.envelope)
    return None


def cancel(work: FulfillmentUnit, received: ReceivedMessage[CancelShipment]) -> None:
    """Cancel the shipment. A repeat is answered as done; a shipment that arrived, was lost or was returned
    cannot be cancelled.
    """
    command = received.message
    order, known = _find(work, command.shop, command.order_id, command.shipment_id)
    if order is None or known is None:
        return _unknown(work, received)
    if not known.is_active:
        return done(work, received)
    if reasons := _against_cancelling(work, order, known):
        return reject(work, received, *reasons)
    for line, place, quantity in work.shipped_by(order, known.id):
        work.unship(order, line, place, known.id, quantity)
    for line, quantity in units_of(order, known).items():
        work.set_line(order, position.take_off(order.lines[line], quantity))
    cancelled = replace(
        known,
        version=work.unit.restored.next_version(known.version),
        cancelled_at=work.unit.now,
        cancelled_by=command.actor,
        cancel_reason=command.reason,
    )
    work.set_shipment(order, cancelled)
    work.changed(order)
    event = cancelled_event(order, cancelled, notify_customer=command.notify_customer)
    work.unit.emit(event, about=order, cause=received.envelope)
    return None


def _nothing_to_change(order: Order, known: Shipment) -> Reason:
    message = f"nothing to change: shipment {known.id} of order {order.code} already has these values"
    return Reason(code="shipment_unchanged", message=message)


def _against_cancelling(work: FulfillmentUnit, order: Order, known: Shipment) -> list[Reason]:
    if known.receipt is not None:
        arrived = known.receipt.delivered_at.isoformat()
        message = f"Shipment {known.id} was delivered at {arrived}; it can't be cancelled."
        return [Reason(code="already_delivered", message=message, field="shipment_id")]
    if lost := [order.parcels[one].number for one in known.parcel_ids if order.parcels[one].lost_at]:
        message = f"Parcels {lost} of shipment {known.id} were reported lost; it can't be cancelled."
        return [Reason(code="parcels_lost", message=message, field="shipment_id")]
    for line, place, quantity in work.shipped_by(order, known.id):
        claim = order.claims[line, place]
        if claim.shipped - claim.restocked < quantity:
            message = (
                f"Line {line}: units of shipment {known.id} are in stock again after a refund; it stays."
            )
            return [Reason(code="units_restocked", message=message, field="shipment_id")]
    return []


def _find(
    work: FulfillmentUnit, shop: str, order_id: UUID, shipment_id: UUID
) -> tuple[Order | None, Shipment | None]:
    order = work.orders.get((shop, order_id))
    return order, order.shipments.get(shipment_id) if order else None


def _unknown(
    work: FulfillmentUnit, received: ReceivedMessage[UpdateShipment] | ReceivedMessage[CancelShipment]
) -> None:
    command = received.message
    message = f"Order {command.order_id} has no shipment {command.shipment_id}; look up its id."
    unknown = Reason(code="unknown_shipment", message=message, field="shipment_id")
    wait_or_reject(work, received, f"shipment:{command.shipment_id}", unknown)


def updated_event(order: Order, corrected: Shipment, *, notify_customer: bool) -> ShipmentUpdated:
    """Return the event of a shipment that was corrected."""
    assert corrected.updated_at is not None
    assert corrected.updated_by is not None
    version = corrected.version if corrected.is_active else corrected.version - 1
    return ShipmentUpdated(
        **{**_shipment_fields(order, corrected), "version": version},
        notify_customer=notify_customer,
        updated_at=corrected.updated_at,
        updated_by=corrected.updated_by,
    )


def cancelled_event(order: Order, cancelled: Shipment, *, notify_customer: bool) -> ShipmentCancelled:
    """Return the event of a shipment that was cancelled."""
    assert cancelled.cancelled_at is not None
    assert cancelled.cancelled_by is not None
    return ShipmentCancelled(
        **_shipment_fields(order, cancelled),
        notify_customer=notify_customer,
        reason=cancelled.cancel_reason,
        cancelled_at=cancelled.cancelled_at,
        cancelled_by=cancelled.cancelled_by,
    )


def _shipment_fields(order: Order, shipment: Shipment) -> dict[str, Any]:
    return {
        "shop": order.shop,
        "order_id": order.id,
        "code": order.code,
        "shipment_id": shipment.id,
        "version": shipment.version,
        "parcel_ids": list(shipment.parcel_ids),
        "lines": [
            ParcelLine(line=line, quantity=quantity) for line, quantity in units_of(order, shipment).items()
        ],
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "tracking_url": shipment.tracking_url,
        "shipped_on": shipment.shipped_on,
        "expected_on": shipment.expected_on,
        "announced": shipment.notify_customer,
        "dispatched_at": shipment.dispatched_at,
        "dispatched_by": shipment.dispatched_by,
        "position": order.position(),
    }
