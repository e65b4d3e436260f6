"""Reduction of an order: units that are no longer wanted are stopped, as far as they have not left.

Stopped units are cancelled, taken out of any parcel and returned to stock, where orders that waited for them
get them, oldest first. The answer lists what was stopped and what had left; only after it do orders and
payments change. A request is answered once: a repeat, under any event id, changes nothing.
"""

from uuid import UUID

from contracts.envelope import Envelope
from contracts.fulfillment.lines import LinesReduced
from contracts.fulfillment.position import StockStanding
from contracts.message import LineUnits
from contracts.orders.changes import LinesReductionRequested
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.fulfillment.changes import reduction
from services.fulfillment.changes.reduction import Reduction, Units
from services.fulfillment.order import position, stock
from services.fulfillment.order.change import Change, ChangeKind
from services.fulfillment.order.order import Order
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.parcels import unpacking
from services.fulfillment.stock import reserving


def reduce(work: FulfillmentUnit, received: ReceivedMessage[LinesReductionRequested]) -> None:
    """Stop units that have not left and answer. Raises Wait for an unknown order.

    Idempotent: a repeat of an answered request changes nothing.
    """
    request = received.message
    order = work.orders.get((request.shop, request.order_id))
    if order is None:
        raise Wait(order_key(request.order_id), "order_unknown")
    if order.has_answered(request.request_id, ChangeKind.REDUCTION):
        return
    found = reduction.reduce(order.lines, order.unshipped_parcels(), reduction.units_of(request.lines))
    for parcel in found.opened:
        unpacking.unpack(work, order, parcel, request.actor, received.envelope)
    released = {
        sku
        for line, units in found.stopped.items()
        for sku in stop(work, order, line, units, request.request_id)
    }
    reserving.retry(work, order.shop, released, received.envelope)
    update_stock_status(work, order, received.envelope)
    change = Change(
        request.request_id, ChangeKind.REDUCTION, request.cause, found.stopped, found.left, request.actor
    )
    work.answer(order, change)
    work.unit.wake(cancelled_key(order))
    work.unit.emit(_event(order, request, found), about=order, cause=received.envelope)


def cancelled_key(order: Order) -> str:
    """Return the key under which a reinstatement waits for the cancellation that it reverses."""
    return f"cancelled:{order.id}"


def stop(work: FulfillmentUnit, order: Order, number: int, quantity: int, cause: UUID) -> set[str]:
    """Cancel units of one line that are in no parcel and release their stock; return the SKUs of which more
    is available now.

    `cause` is the request's id. Replacements of lost units may have no stock: only what is held beyond the
    packed units and those still to be packed is released.
    """
    line = position.cancel(order.lines[number], quantity)
    work.set_line(order, line)
    held, needed = order.open_of(number), line.packed - line.shipped + line.left_to_pack
    released = set()
    for place, units in stock.spread(held, min(quantity, max(0, sum(held.values()) - needed))):
        work.release(order, number, place, cause, units)
        released.add(place.sku)
    return released


def update_stock_status(work: FulfillmentUnit, order: Order, cause: Envelope) -> None:
    """Update the stock status: an order that waited for stock may need none any more, or so little that there
    is now enough.
    """
    if order.stock is not StockStanding.MISSING:
        return
    if not order.wanted():
        is_needed = any(
            line.is_goods and line.sku is not None and line.ordered > line.cancelled
            for line in order.lines.values()
        )
        order.stock = StockStanding.RESERVED if is_needed else StockStanding.NOT_REQUIRED
    else:
        reserving.reserve(work, order, cause)


def _event(order: Order, request: LinesReductionRequested, reduction: Reduction) -> LinesReduced:
    return LinesReduced(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        request_id=request.request_id,
        stopped=listed(reduction.stopped),
        left=listed(reduction.left),
        position=order.position(),
    )


def listed(units: Units) -> list[LineUnits]:
    """Return quantities by line in the form of a message."""
    return [LineUnits(line=line, quantity=quantity) for line, quantity in units.items()]
