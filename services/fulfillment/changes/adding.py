"""Addition of units: more units of a placed order are wanted, or units cancelled before are wanted again.

Stock is checked first: only units with stock are added, and the answer lists what is short. An order that
waits for stock as a whole accepts new units and goes on waiting for all of them. A request is answered once.
"""

from contracts.fulfillment.lines import LinesAdded, MissingUnits
from contracts.fulfillment.position import StockStanding
from contracts.message import LineUnits
from contracts.orders.changes import ChangeCause, LineAddition, LinesAdditionRequested
from contracts.sale import LineKind
from services.chassis.messaging.subscribers import ReceivedMessage, Refuse, Wait, order_key
from services.fulfillment.changes import addition
from services.fulfillment.changes.addition import Addition
from services.fulfillment.changes.reducing import cancelled_key
from services.fulfillment.order import position, stock
from services.fulfillment.order.change import Change, ChangeKind
from services.fulfillment.order.order import Order
from services.fulfillment.order.position import Line
from services.fulfillment.order.stock import Wanted
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.stock import reserving


def add(work: FulfillmentUnit, received: ReceivedMessage[LinesAdditionRequested]) -> None:
    """Add the units that are in stock and answer. Raises Wait for an unknown order, or a cancellation yet to
    arrive.

    Idempotent: a repeat of an answered request changes nothing.
    """
    request = received.message
    order = work.orders.get((request.shop, request.order_id))
    if order is None:
        raise Wait(order_key(request.order_id), "order_unknown")
    if order.has_answered(request.request_id, ChangeKind.ADDITION):
        return
    _check(order, request)
    found = _found(work, order, request)
    for part in request.lines:
        if part.line in found.added:
            _grow(work, order, part, request.cause)
    _reserve(work, order, request, found, received)
    short = {line: one.requested for line, one in found.missing.items()}
    change = Change(request.request_id, ChangeKind.ADDITION, request.cause, found.added, short, request.actor)
    work.answer(order, change)
    work.unit.emit(_event(order, request, found), about=order, cause=received.envelope)


def _check(order: Order, request: LinesAdditionRequested) -> None:
    """Raise for an invalid request, which staff must see; wait until the cancellation to be reversed was
    received.
    """
    numbers = [part.line for part in request.lines]
    if len(set(numbers)) < len(numbers):
        raise Refuse("line_repeated", f"order {order.id}: lines {numbers} name one twice; name each once")
    for part in request.lines:
        line = order.lines.get(part.line)
        if request.cause is ChangeCause.REINSTATED and (line is None or line.cancelled < part.quantity):
            raise Wait(cancelled_key(order), "not_cancelled_yet")
        if line is not None and (line.kind, line.sku) != (part.kind.value, part.sku):
            text = f"order {order.id} line {part.line} is {line.kind} {line.sku}, not {part.kind} {part.sku}"
            raise Refuse("another_article", f"{text}; add a line of its own")


def _found(work: FulfillmentUnit, order: Order, request: LinesAdditionRequested) -> Addition:
    skus = {part.sku for part in request.lines if part.kind is LineKind.SHIP and part.sku is not None}
    if order.stock is StockStanding.MISSING:
        return Addition({part.line: part.quantity for part in request.lines}, {})
    available = {sku: sum(reserving.available(work, order, sku).values()) for sku in skus}
    return addition.add(request.lines, available, all_or_nothing=request.all_or_nothing)


def _grow(work: FulfillmentUnit, order: Order, part: LineAddition, cause: ChangeCause) -> None:
    line = order.lines.get(part.line)
    if line is None:
        work.add_line(order, Line(part.line, part.kind.value, part.sku, part.quantity))
    elif cause is ChangeCause.REINSTATED:
        work.set_line(order, position.reinstate(line, part.quantity))
    else:
        work.set_line(order, position.extend(line, part.quantity))


def _reserve(
    work: FulfillmentUnit,
    order: Order,
    request: LinesAdditionRequested,
    addition: Addition,
    received: ReceivedMessage[LinesAdditionRequested],
) -> None:
    if order.stock is StockStanding.MISSING:
        reserving.reserve(work, order, received.envelope)
        return
    wanted = [
        Wanted(part.line, part.sku, part.quantity)
        for part in request.lines
        if part.line in addition.added and part.kind is LineKind.SHIP and part.sku is not None
    ]
    free = {want.sku: reserving.available(work, order, want.sku) for want in wanted}
    for taken in stock.allocate(sorted(wanted), free):
        work.reserve(order, taken.line, taken.place, taken.quantity, cause=request.request_id)
    if wanted:
        order.stock = StockStanding.RESERVED


def _event(order: Order, request: LinesAdditionRequested, addition: Addition) -> LinesAdded:
    skus = {part.line: part.sku for part in request.lines}
    return LinesAdded(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        request_id=request.request_id,
        added=[LineUnits(line=line, quantity=quantity) for line, quantity in addition.added.items()],
        missing=[
            MissingUnits(
                line=line, sku=skus[line] or "", requested=short.requested, available=short.available
            )
            for line, short in addition.missing.items()
        ],
        position=order.position(),
    )
