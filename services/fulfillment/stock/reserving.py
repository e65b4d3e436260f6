"""Reservation of stock for placed orders: all goods of an order or none, in the order of arrival.

Shop policy `flag`: an order that cannot be served is `missing` and is retried, oldest first, whenever
stock is raised. An order without goods needs no stock, no parcel and no event from here. The levels are
locked for the whole batch, so deciding in memory cannot oversell.
"""

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from contracts.envelope import Envelope
from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.stock import MissingStock, StockRejected, StockReserved
from contracts.orders.lifecycle import OrderPlaced
from services.chassis.messaging.subscribers import ReceivedMessage, order_key
from services.chassis.messaging.unit import Unit
from services.fulfillment.order import stock
from services.fulfillment.order.order import Order
from services.fulfillment.order.position import Line
from services.fulfillment.order.unit.stock_store import age_in
from services.fulfillment.order.unit.unit import FulfillmentUnit


def open_order(work: FulfillmentUnit, received: ReceivedMessage[OrderPlaced]) -> None:
    """Open an order and reserve its goods; an existing order stays as it is. No stock is kept of goods
    without a SKU.
    """
    placed = received.message
    if (placed.shop, placed.order_id) in work.orders:
        return
    order = _order_of(placed)
    work.add_order(order)
    work.unit.wake(order_key(order.id))
    if order.stock is StockStanding.MISSING and not reserve(work, order, received.envelope):
        _say_rejected(work, order, received.envelope)


def reserve(work: FulfillmentUnit, order: Order, cause: Envelope) -> bool:
    """Reserve everything an order wants and publish it; return False and change nothing when a SKU is short.

    Reservations after the first one have the message as their cause, since the order's own movements are made
    once.
    """
    if _shortages(work, order):
        return False
    free = {want.sku: available(work, order, want.sku) for want in order.wanted()}
    movement = cause.id if order.claims else order.id
    for taken in stock.allocate(order.wanted(), free):
        work.reserve(order, taken.line, taken.place, taken.quantity, movement)
    order.stock = StockStanding.RESERVED
    work.changed(order)
    event = StockReserved(shop=order.shop, order_id=order.id, code=order.code, position=order.position())
    work.unit.emit(event, about=order, cause=cause)
    return True


def retry(work: FulfillmentUnit, shop: str, raised: Collection[str], cause: Envelope) -> None:
    """Retry the orders that wait for one of the raised SKUs, the oldest first; orders not loaded are left to
    a timer (see `order/unit/backorders.py`).
    """
    work.backorders.begin(shop, raised)
    waiting = [
        order
        for order in work.orders.values()
        if order.shop == shop
        and order.stock is StockStanding.MISSING
        and any(w.sku in raised for w in order.wanted())
    ]
    for order in sorted(waiting, key=attrgetter("age")):
        reserve(work, order, cause)
    for sku in sorted(raised):
        units = sum(work.levels[place].available for place in work.places(shop, sku))
        work.backorders.end(shop, sku, units, cause)


async def retry_next(unit: Unit, _: str, payload: dict[str, Any]) -> None:
    """Retry the next orders that wait for a SKU: the timer's handler."""
    shop, sku = payload["shop"], payload["sku"]
    work = FulfillmentUnit(unit)
    await work.load_backorders(shop, sku, age_in(payload["after"]))
    retry(work, shop, {sku}, Envelope.read(payload["cause"]))
    await work.save()


def _order_of(placed: OrderPlaced) -> Order:
    lines = {part.line: Line(part.line, part.kind.value, part.sku, part.quantity) for part in placed.lines}
    needs_stock = any(line.is_goods and line.sku is not None for line in lines.values())
    state = StockStanding.MISSING if needs_stock else StockStanding.NOT_REQUIRED
    return Order(placed.shop, placed.order_id, placed.code, placed.placed_at, state, lines=lines)


def available(work: FulfillmentUnit, order: Order, sku: str) -> dict[stock.StockPlace, int]:
    """Return what an order can have of a SKU, by location, in the order in which it is drawn."""
    if work.backorders.are_before(order, sku):
        return {}
    return {place: work.levels[place].available for place in work.places(order.shop, sku)}


def _shortages(work: FulfillmentUnit, order: Order) -> list[stock.Short]:
    wanted = order.wanted()
    return stock.shortages(
        wanted, {want.sku: sum(available(work, order, want.sku).values()) for want in wanted}
    )


def _say_rejected(work: FulfillmentUnit, order: Order, cause: Envelope) -> None:
    missing = [
        MissingStock(sku=sku, requested=requested, available=free)
        for sku, requested, free in _shortages(work, order)
    ]
    event = StockRejected(
        shop=order.shop, order_id=order.id, code=order.code, missing=missing, position=order.position()
    )
    work.unit.emit(event, about=order, cause=cause)
