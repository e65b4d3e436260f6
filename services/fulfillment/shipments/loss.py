"""Loss: a parcel in transit will not arrive, and its units are left to pack again, with stock of their own.

The replacements are reserved immediately; when a SKU is short, the order is `missing` and is retried when stock
arrives, as at its placing. A customer who prefers the money back gets a refund, which cancels those
units.
"""

from dataclasses import replace

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.shipments import ParcelLost, ReportParcelLost
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order import position
from services.fulfillment.order.order import Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.shipment import Shipment
from services.fulfillment.order.unit.answering import done, reject, wait_or_reject
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.stock import reserving


def report(work: FulfillmentUnit, received: ReceivedMessage[ReportParcelLost]) -> None:
    """Record the loss; a repeat is answered as done, a parcel that has not left or has arrived is rejected."""
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    known = order.parcels.get(command.parcel_id) if order else None
    if order is None or known is None:
        unknown = Reason(
            code="unknown_parcel",
            message=f"Order {command.order_id} has no packed parcel {command.parcel_id}; look up its id.",
            field="parcel_id",
        )
        return wait_or_reject(work, received, f"parcel:{command.parcel_id}", unknown)
    if known.lost_at is not None:
        return done(work, received)
    shipment = order.shipment_of(known.id)
    if shipment is None or shipment.receipt is not None:
        return reject(work, received, _not_on_its_way(known, shipment))
    lost = replace(known, lost_at=work.unit.now, lost_by=command.actor, lost_reason=command.reason)
    _lose(work, order, lost, received)
    event = lost_event(order, lost, shipment, notify_customer=command.notify_customer)
    work.unit.emit(event, about=order, cause=received.envelope)
    return None


def _lose(
    work: FulfillmentUnit, order: Order, lost: Parcel, received: ReceivedMessage[ReportParcelLost]
) -> None:
    for line, quantity in lost.units.items():
        work.set_line(order, position.lose(order.lines[line], quantity))
    work.set_loss(order, lost)
    work.changed(order)
    if order.wanted():
        order.stock = StockStanding.MISSING
        reserving.reserve(work, order, received.envelope)


def _not_on_its_way(known: Parcel, shipment: Shipment | None) -> Reason:
    if shipment is not None:
        message = f"Parcel {known.number} arrived with shipment {shipment.id}; use a refund for anything wrong with it."
        return Reason(code="already_delivered", message=message, field="parcel_id")
    message = f"Parcel {known.number} has not left; take it apart and correct the stock instead."
    return Reason(code="parcel_not_shipped", message=message, field="parcel_id")


def lost_event(order: Order, lost: Parcel, shipment: Shipment, *, notify_customer: bool) -> ParcelLost:
    """Return the event of a parcel that was lost."""
    assert lost.lost_at is not None
    assert lost.lost_by is not None
    return ParcelLost(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        parcel_id=lost.id,
        number=lost.number,
        shipment_id=shipment.id,
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in lost.units.items()],
        reason=lost.lost_reason,
        notify_customer=notify_customer,
        lost_at=lost.lost_at,
        lost_by=lost.lost_by,
        position=order.position(),
    )
