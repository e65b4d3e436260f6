"""Unpacking: a parcel that has not left is taken apart, and its units are to be packed again.

The parcel stays in the books with when and by whom it was taken apart, under its number, which no other parcel gets.
"""

from dataclasses import replace

from contracts.envelope import Envelope
from contracts.fulfillment import ParcelLine, ParcelUnpacked
from services.fulfillment import position
from services.fulfillment.book import ShelfBook
from services.fulfillment.order import Order
from services.fulfillment.parcel import Parcel


def unpack(book: ShelfBook, order: Order, packed: Parcel, actor: str, cause: Envelope) -> None:
    """Take a standing parcel (see `Order.standing`) apart and say so. Raises QuantityAboveLeft for one that left."""
    for line, quantity in packed.units.items():
        book.set_line(order, position.unpack(order.lines[line], quantity))
    opened = replace(packed, unpacked_at=book.unit.now, unpacked_by=actor)
    book.set_parcel(order, opened)
    book.changed(order)
    event = ParcelUnpacked(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        parcel_id=opened.id,
        number=opened.number,
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in opened.units.items()],
        unpacked_at=book.unit.now,
        unpacked_by=actor,
        position=order.position(),
    )
    book.unit.emit(event, about=order, cause=cause)
