"""Refunded units: those that have not left are cancelled, and the selected ones of those that had left return
to stock.

Only a refund that also credits the units cancels them: a refund of money paid twice, or to be paid otherwise,
leaves the order as it is. A refund is applied once, by its id, and no unit is restocked that was not shipped
or was restocked before, by any path. A refund that fails later reverses nothing here: the goods are
where they are.
"""

from contracts.envelope import Envelope
from contracts.fulfillment.stock import StockRestocked
from contracts.payments.refunds import Refund, RefundCause, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.fulfillment.changes import reducing, reduction
from services.fulfillment.changes.reduction import Reduction, Units
from services.fulfillment.order import stock
from services.fulfillment.order.change import REFUNDED, Change, ChangeKind
from services.fulfillment.order.order import Order
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.parcels import unpacking
from services.fulfillment.stock import reserving


def apply_refund(
    work: FulfillmentUnit, received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent]
) -> None:
    """Cancel and restock what the refund names, once. Raises Wait for an unknown order."""
    message, cause = received.message, received.envelope
    refund = message.refund
    if not refund.lines:
        return
    order = work.orders.get((message.shop, message.order_id))
    if order is None:
        raise Wait(order_key(message.order_id), "order_unknown")
    if order.has_answered(refund.refund_id, ChangeKind.REFUND):
        return
    found = _stoppable(order, refund)
    for parcel in found.opened:
        unpacking.unpack(work, order, parcel, refund.actor, cause)
    freed = {
        sku
        for line, units in found.stopped.items()
        for sku in reducing.stop(work, order, line, units, refund.refund_id)
    }
    restocked = _restock(work, order, refund, found.left)
    freed |= {sku for line in restocked if (sku := order.lines[line].sku) is not None}
    reserving.retry(work, order.shop, freed, cause)
    reducing.update_stock_status(work, order, cause)
    work.answer(
        order, Change(refund.refund_id, ChangeKind.REFUND, REFUNDED, found.stopped, found.left, refund.actor)
    )
    _say(work, order, refund, found.stopped, restocked, cause)


def _stoppable(order: Order, refund: Refund) -> Reduction:
    requested = reduction.units_of(refund.lines)
    if refund.cause is RefundCause.CREDIT:
        return reduction.reduce(order.lines, order.unshipped_parcels(), requested)
    return Reduction({}, requested, ())


def _restock(work: FulfillmentUnit, order: Order, refund: Refund, left: Units) -> Units:
    """Restock the selected units of those that had left at their locations; return how many of each line."""
    ticked = {part.line for part in refund.lines if part.restock}
    restocked: Units = {}
    for line, quantity in left.items():
        if line not in ticked:
            continue
        shipped = {
            place: claim.shipped - claim.restocked
            for (number, place), claim in sorted(order.claims.items())
            if number == line
        }
        for place, units in stock.spread(shipped, quantity):
            work.restock(order, line, place, refund.refund_id, units)
            restocked[line] = restocked.get(line, 0) + units
    return restocked


def _say(
    work: FulfillmentUnit, order: Order, refund: Refund, cancelled: Units, restocked: Units, cause: Envelope
) -> None:
    event = StockRestocked(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        cause_id=refund.refund_id,
        cancelled=reducing.listed(cancelled),
        restocked=reducing.listed(restocked),
        actor=refund.actor,
        position=order.position(),
    )
    work.unit.emit(event, about=order, cause=cause)
