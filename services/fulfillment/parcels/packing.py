"""Packing: units of an order's goods go into a parcel, never more than are left, and only with stock for
them.

The order's row is locked, so if two people pack the last unit, one succeeds and the other gets the quantity
left.
"""

from contracts.fulfillment.parcels import PackParcel, ParcelLine, ParcelPacked
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage, order_key
from services.fulfillment.order import parcel, position
from services.fulfillment.order.order import Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.unit.answering import done, reject, wait_or_reject
from services.fulfillment.order.unit.unit import FulfillmentUnit


def pack(work: FulfillmentUnit, received: ReceivedMessage[PackParcel]) -> None:
    """Pack the parcel; a repeat is answered as done, another parcel with the same id is rejected."""
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    if order is None:
        unknown = Reason(
            code="unknown_order",
            message=f"Shop {command.shop} has no order {command.order_id}; look up its id.",
        )
        return wait_or_reject(work, received, order_key(command.order_id), unknown)
    if (known := order.parcels.get(command.parcel_id)) is not None:
        return (
            done(work, received) if known.is_described_by(command) else reject(work, received, _taken(known))
        )
    if reasons := parcel.reasons_against(command, order.lines, order.stock):
        return reject(work, received, *reasons)
    packed = _parcel_of(work, order, command)
    for line, quantity in packed.units.items():
        work.set_line(order, position.pack(order.lines[line], quantity))
    order.next_parcel_number += 1
    work.add_parcel(order, packed)
    work.changed(order)
    work.unit.wake(f"parcel:{packed.id}")
    work.unit.emit(packed_event(order, packed), about=order, cause=received.envelope)
    return None


def _parcel_of(work: FulfillmentUnit, order: Order, command: PackParcel) -> Parcel:
    return Parcel(
        id=command.parcel_id,
        number=order.next_parcel_number,
        units=parcel.units_of(command),
        kind=command.kind,
        weight_grams=command.weight_grams,
        length_mm=command.length_mm,
        width_mm=command.width_mm,
        height_mm=command.height_mm,
        declared_value_minor=command.declared_value_minor,
        packed_at=work.unit.now,
        packed_by=command.actor,
    )


def _taken(known: Parcel) -> Reason:
    contents = ", ".join(f"{quantity} of line {line}" for line, quantity in known.units.items())
    message = f"Parcel {known.id} is packed already, with {contents}; use a new id for another parcel."
    return Reason(code="parcel_id_taken", message=message[:1000], field="parcel_id")


def packed_event(order: Order, packed: Parcel) -> ParcelPacked:
    """Return the event of a packed parcel."""
    return ParcelPacked(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        parcel_id=packed.id,
        number=packed.number,
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in packed.units.items()],
        kind=packed.kind,
        weight_grams=packed.weight_grams,
        packed_at=packed.packed_at,
        packed_by=packed.packed_by,
        position=order.position(),
    )
