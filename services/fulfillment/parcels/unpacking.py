"""Unpacking: a parcel that has not left is taken apart, and its units are to be packed again.

The parcel stays stored with when and by whom it was taken apart, under its number, which is never reused.
"""

from dataclasses import replace
from datetime import datetime

from contracts.envelope import Envelope
from contracts.fulfillment.parcels import ParcelLine, ParcelUnpacked, UnpackParcel
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order import position
from services.fulfillment.order.order import Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.unit.answering import done, reject, wait_or_reject
from services.fulfillment.order.unit.unit import FulfillmentUnit


def unpack_requested(work: FulfillmentUnit, received: ReceivedMessage[UnpackParcel]) -> None:
    """Take the named parcel apart; one that is already apart is answered as done, one that left is rejected."""
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    packed = order.parcels.get(command.parcel_id) if order else None
    if order is None or packed is None:
        unknown = Reason(
            code="unknown_parcel",
            message=f"Order {command.order_id} has no packed parcel {command.parcel_id}; look up its id.",
            field="parcel_id",
        )
        return wait_or_reject(work, received, f"parcel:{command.parcel_id}", unknown)
    if packed.unpacked_at is not None:
        return done(work, received)
    if packed not in order.unshipped_parcels():
        return reject(work, received, _has_left(order, packed))
    return unpack(work, order, packed, command.actor, received.envelope)


def _has_left(order: Order, packed: Parcel) -> Reason:
    shipment = order.shipment_of(packed.id)
    left = f"left on {shipment.shipped_on} with {shipment.carrier}" if shipment else "left"
    message = (
        f"Parcel {packed.id} (number {packed.number}) {left}; cancel the shipment if it did not, else what is in it "
        "can only come back as a return."
    )
    return Reason(code="parcel_already_shipped", message=message, field="parcel_id")


def unpack(work: FulfillmentUnit, order: Order, packed: Parcel, actor: str, cause: Envelope) -> None:
    """Take a parcel that has not left (see `Order.unshipped_parcels`) apart and publish it. Raises QuantityAboveLeft
    for one that left.
    """
    for line, quantity in packed.units.items():
        work.set_line(order, position.unpack(order.lines[line], quantity))
    opened = replace(packed, unpacked_at=work.unit.now, unpacked_by=actor)
    work.set_parcel(order, opened)
    work.changed(order)
    work.unit.emit(unpacked_event(order, opened, work.unit.now, actor), about=order, cause=cause)


def unpacked_event(order: Order, opened: Parcel, unpacked_at: datetime, actor: str) -> ParcelUnpacked:
    """Return the event of a parcel that was taken apart."""
    return ParcelUnpacked(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        parcel_id=opened.id,
        number=opened.number,
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in opened.units.items()],
        unpacked_at=unpacked_at,
        unpacked_by=actor,
        position=order.position(),
    )
