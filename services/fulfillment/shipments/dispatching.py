"""Dispatch: packed parcels are handed to a carrier, and their units leave the stock.

On hand and reserved fall together and by what the order itself had reserved, so dispatching can never take
units that belong to another order.
"""

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.shipments import DispatchShipment, ShipmentDispatched
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order import parcel, position, shipment, stock
from services.fulfillment.order.order import Order
from services.fulfillment.order.shipment import Shipment
from services.fulfillment.order.unit.answering import done, reject, wait_or_reject
from services.fulfillment.order.unit.unit import FulfillmentUnit


class UnitsNotReserved(Exception):
    """Packed units were to leave for which the order holds no stock: the data are inconsistent, nothing is moved."""

    def __init__(self, order: Order, line: int, leaving: int, reserved: int) -> None:
        super().__init__(
            f"order {order.id} of shop {order.shop}, line {line}: {leaving} units leave, {reserved} are "
            "reserved; compare reservation with stock_movement, correct it, then retry the command"
        )


def dispatch(work: FulfillmentUnit, received: ReceivedMessage[DispatchShipment]) -> None:
    """Hand the parcels over; a repeat is answered as done, another shipment with the same id is rejected."""
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    missing = shipment.missing_parcels(command, order.parcels if order else {})
    if order is None or missing:
        named = command.parcel_ids[0] if order is None else missing[0]
        unknown = Reason(
            code="unknown_parcel",
            message=f"Order {command.order_id} has no packed parcel {named}; pack it first.",
            field="parcel_ids",
        )
        return wait_or_reject(work, received, f"parcel:{named}", unknown)
    if (known := order.shipments.get(command.shipment_id)) is not None:
        return (
            done(work, received) if known.is_described_by(command) else reject(work, received, _taken(known))
        )
    reasons = shipment.reasons_against(command, order.shipments.values(), order.parcels)
    if reasons := [*reasons, *shipment.reasons_of_days(command, received.envelope.time)]:
        return reject(work, received, *reasons)
    leaving = _shipment_of(work, command)
    _move(work, order, leaving)
    work.unit.wake(f"shipment:{leaving.id}")
    work.unit.emit(dispatched_event(order, leaving), about=order, cause=received.envelope)
    return None


def _move(work: FulfillmentUnit, order: Order, leaving: Shipment) -> None:
    units = units_of(order, leaving)
    for line, quantity in units.items():
        reserved = sum(order.open_of(line).values())
        if reserved < quantity:
            raise UnitsNotReserved(order, line, quantity, reserved)
    for line, quantity in units.items():
        work.set_line(order, position.ship(order.lines[line], quantity))
        for place, part in stock.spread(order.open_of(line), quantity):
            work.ship(order, line, place, leaving.id, part)
    work.add_shipment(order, leaving)
    work.changed(order)


def units_of(order: Order, leaving: Shipment) -> dict[int, int]:
    """Return a shipment's quantities by line number, ascending."""
    return parcel.sum_units(order.parcels[parcel_id] for parcel_id in leaving.parcel_ids)


def _shipment_of(work: FulfillmentUnit, command: DispatchShipment) -> Shipment:
    return Shipment(
        id=command.shipment_id,
        parcel_ids=shipment.parcel_ids_of(command),
        carrier=command.carrier,
        tracking_number=command.tracking_number,
        tracking_url=shipment.url_of(command),
        shipped_on=command.shipped_on,
        expected_on=command.expected_on,
        cost_minor=command.cost_minor,
        cost_currency=command.cost_currency,
        notify_customer=command.notify_customer,
        dispatched_at=work.unit.now,
        dispatched_by=command.actor,
    )


def _taken(known: Shipment) -> Reason:
    message = (
        f"Shipment {known.id} left already with {known.carrier} ({len(known.parcel_ids)} parcels); "
        "use a new id for another shipment."
    )
    return Reason(code="shipment_id_taken", message=message, field="shipment_id")


def dispatched_event(order: Order, leaving: Shipment) -> ShipmentDispatched:
    """Return the event of a shipment that left."""
    return ShipmentDispatched(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        shipment_id=leaving.id,
        parcel_ids=list(leaving.parcel_ids),
        lines=[
            ParcelLine(line=line, quantity=quantity) for line, quantity in units_of(order, leaving).items()
        ],
        carrier=leaving.carrier,
        tracking_number=leaving.tracking_number,
        tracking_url=leaving.tracking_url,
        shipped_on=leaving.shipped_on,
        expected_on=leaving.expected_on,
        notify_customer=leaving.notify_customer,
        dispatched_at=leaving.dispatched_at,
        dispatched_by=leaving.dispatched_by,
        position=order.position(),
    )
