"""Delivery: a dispatched shipment reached its customer, with the proof of it; once, and without its lost parcels."""

from dataclasses import replace

from contracts.fulfillment.shipments import DeliveryRecorded, RecordDelivery
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order import parcel, position
from services.fulfillment.order.order import Order
from services.fulfillment.order.shipment import Receipt, Shipment, reasons_against_delivery
from services.fulfillment.order.unit.answering import done, reject, wait_or_reject
from services.fulfillment.order.unit.unit import FulfillmentUnit


def record(work: FulfillmentUnit, received: ReceivedMessage[RecordDelivery]) -> None:
    """Record the delivery; a repeat is answered as done, another delivery of the same shipment is rejected."""
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    shipment = order.shipments.get(command.shipment_id) if order else None
    if order is None or shipment is None:
        unknown = Reason(
            code="unknown_shipment",
            message=f"Order {command.order_id} has no shipment {command.shipment_id}; dispatch it first.",
            field="shipment_id",
        )
        return wait_or_reject(work, received, f"shipment:{command.shipment_id}", unknown)
    if (known := shipment.receipt) is not None:
        if known.is_described_by(command):
            return done(work, received)
        return reject(work, received, _already(shipment, known, command))
    if not shipment.is_active:
        return reject(work, received, cancelled_already(shipment))
    parcels = [order.parcels[parcel_id] for parcel_id in shipment.parcel_ids]
    arriving = [one for one in parcels if one.lost_at is None]
    if not arriving:
        return reject(work, received, _all_lost(shipment))
    if reasons := reasons_against_delivery(command, shipment, received.envelope.time):
        return reject(work, received, *reasons)
    receipt = _receipt_of(work, command)
    arrived = replace(shipment, receipt=receipt)
    for line, quantity in parcel.sum_units(arriving).items():
        work.set_line(order, position.deliver(order.lines[line], quantity))
    work.set_receipt(order, arrived)
    work.changed(order)
    work.unit.emit(delivered_event(order, arrived, receipt), about=order, cause=received.envelope)
    return None


def cancelled_already(shipment: Shipment) -> Reason:
    """Return the reason why nothing more can be recorded for a cancelled shipment."""
    message = f"Shipment {shipment.id} was cancelled at {shipment.cancelled_at}; ship its parcels again."
    return Reason(code="shipment_cancelled", message=message, field="shipment_id")


def _all_lost(shipment: Shipment) -> Reason:
    message = f"Every parcel of shipment {shipment.id} is lost; nothing of it can have been delivered."
    return Reason(code="parcels_lost", message=message, field="shipment_id")


def _receipt_of(work: FulfillmentUnit, command: RecordDelivery) -> Receipt:
    return Receipt(
        delivered_at=command.delivered_at,
        proof=command.proof,
        proof_reference=command.proof_reference,
        recorded_at=work.unit.now,
        recorded_by=command.actor,
    )


def _already(shipment: Shipment, known: Receipt, command: RecordDelivery) -> Reason:
    message = (
        f"Shipment {shipment.id} was delivered at {known.delivered_at.isoformat()} ({known.proof}), "
        f"not at {command.delivered_at.isoformat()} ({command.proof}); the first record is kept."
    )
    return Reason(code="already_delivered", message=message, field="delivered_at")


def delivered_event(order: Order, arrived: Shipment, receipt: Receipt) -> DeliveryRecorded:
    """Return the event of a shipment that reached its customer."""
    return DeliveryRecorded(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        shipment_id=arrived.id,
        parcel_ids=list(arrived.parcel_ids),
        delivered_at=receipt.delivered_at,
        proof=receipt.proof,
        proof_reference=receipt.proof_reference,
        recorded_by=receipt.recorded_by,
        position=order.position(),
    )
