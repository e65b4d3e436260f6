"""Reserving stock for placed orders: all goods of an order or none, in the sequence in which orders arrive.

Shop policy `flag`: an order that cannot be served stands `missing` and is tried again, oldest first, whenever
stock is raised. An order without goods needs no stock, no parcel and no word from here. The levels are locked
for the whole batch, so deciding in memory cannot oversell.
"""

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from contracts.envelope import Envelope
from contracts.fulfillment import MissingStock, StockRejected, StockReserved, StockStanding
from contracts.orders import OrderPlaced
from services.chassis.messaging.subscribers import Delivery, order_key
from services.chassis.messaging.unit import Unit
from services.fulfillment.order import stock
from services.fulfillment.order.order import Order
from services.fulfillment.order.position import Line
from services.fulfillment.order.store import age_in
from services.fulfillment.order.unit import ShelfBook


def take_in(book: ShelfBook, delivery: Delivery[OrderPlaced]) -> None:
    """Open an order and reserve its goods; a known order stays as it is. No stock is kept of goods without a SKU."""
    placed = delivery.message
    if (placed.shop, placed.order_id) in book.orders:
        return
    order = _order_of(placed)
    book.add_order(order)
    book.unit.wake(order_key(order.id))
    if order.stock is StockStanding.MISSING and not reserve(book, order, delivery.envelope):
        _say_rejected(book, order, delivery.envelope)


def reserve(book: ShelfBook, order: Order, cause: Envelope) -> bool:
    """Reserve everything an order wants and say so; False and nothing changed when a SKU is short. What is reserved
    after the first time has the message as its cause, since the order's own movements are made once.
    """
    if _shortages(book, order):
        return False
    free = {want.sku: available(book, order, want.sku) for want in order.wanted()}
    movement = cause.id if order.claims else order.id
    for taken in stock.allocate(order.wanted(), free):
        book.reserve(order, taken.line, taken.place, taken.quantity, movement)
    order.stock = StockStanding.RESERVED
    book.changed(order)
    event = StockReserved(shop=order.shop, order_id=order.id, code=order.code, position=order.position())
    book.unit.emit(event, about=order, cause=cause)
    return True


def retry(book: ShelfBook, shop: str, raised: Collection[str], cause: Envelope) -> None:
    """Try the orders that wait for one of the raised SKUs again, the oldest first; those not loaded are left to a timer
    (see `order/backorders.py`).
    """
    book.backorders.begin(shop, raised)
    waiting = [
        order
        for order in book.orders.values()
        if order.shop == shop
        and order.stock is StockStanding.MISSING
        and any(w.sku in raised for w in order.wanted())
    ]
    for order in sorted(waiting, key=attrgetter("age")):
        reserve(book, order, cause)
    for sku in sorted(raised):
        units = sum(book.levels[place].available for place in book.places(shop, sku))
        book.backorders.end(shop, sku, units, cause)


async def go_on(unit: Unit, _: str, payload: dict[str, Any]) -> None:
    """Try the next orders that wait for a SKU: the timer's handler."""
    shop, sku = payload["shop"], payload["sku"]
    book = ShelfBook(unit)
    await book.load_backorders(shop, sku, age_in(payload["after"]))
    retry(book, shop, {sku}, Envelope.read(payload["cause"]))
    await book.save()


def _order_of(placed: OrderPlaced) -> Order:
    lines = {part.line: Line(part.line, part.kind.value, part.sku, part.quantity) for part in placed.lines}
    needs_stock = any(line.is_goods and line.sku is not None for line in lines.values())
    standing = StockStanding.MISSING if needs_stock else StockStanding.NOT_REQUIRED
    return Order(placed.shop, placed.order_id, placed.code, placed.placed_at, standing, lines=lines)


def available(book: ShelfBook, order: Order, sku: str) -> dict[stock.Place, int]:
    """What an order can have of a SKU, by location, in the sequence in which it is drawn."""
    if book.backorders.are_before(order, sku):
        return {}
    return {place: book.levels[place].available for place in book.places(order.shop, sku)}


def _shortages(book: ShelfBook, order: Order) -> list[stock.Short]:
    wanted = order.wanted()
    return stock.shortages(
        wanted, {want.sku: sum(available(book, order, want.sku).values()) for want in wanted}
    )


def _say_rejected(book: ShelfBook, order: Order, cause: Envelope) -> None:
    missing = [
        MissingStock(sku=sku, requested=asked, available=free) for sku, asked, free in _shortages(book, order)
    ]
    event = StockRejected(
        shop=order.shop, order_id=order.id, code=order.code, missing=missing, position=order.position()
    )
    book.unit.emit(event, about=order, cause=cause)
