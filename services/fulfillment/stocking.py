"""Setting what is on hand, after a count or an import: all levels of the command or none.

A count below what orders have reserved is refused with every such level: units promised to customers do not
vanish. A later count replaces an earlier one, so counts, unlike everything else here, have an effect by their
sequence.
"""

from collections import Counter

from contracts.fulfillment import SetStock, StockLevel, StockLevelChanged
from contracts.message import Reason
from services.chassis.subscribers import Delivery
from services.fulfillment import reserving, stock
from services.fulfillment.answering import done, reject
from services.fulfillment.book import ShelfBook
from services.fulfillment.stock import BelowReserved, Level, Place


def set_stock(book: ShelfBook, delivery: Delivery[SetStock]) -> None:
    """Set the levels, explain each by an adjustment, try orders that waited; or refuse with every reason."""
    command = delivery.message
    counts = {Place(command.shop, level.sku, level.location): level.on_hand for level in command.levels}
    if reasons := _reasons_against(book, command):
        return reject(book, delivery, *reasons)
    changed = {place: on_hand for place, on_hand in counts.items() if _differs(book, place, on_hand)}
    if not changed:
        return done(book, delivery)
    raised = set()
    for place, on_hand in changed.items():
        level, adjustment = stock.count(place, book.levels.get(place, Level()), on_hand)
        book.set_level(place, level, adjustment, delivery.envelope.id)
        if adjustment > 0:
            raised.add(place.sku)
    reserving.retry(book, command.shop, raised, delivery.envelope)
    event = StockLevelChanged(
        shop=command.shop, levels=[_say(place, book.levels[place]) for place in changed]
    )
    book.unit.emit(event, cause=delivery.envelope)
    return None


def _differs(book: ShelfBook, place: Place, on_hand: int) -> bool:
    return place not in book.levels or book.levels[place].on_hand != on_hand


def _reasons_against(book: ShelfBook, command: SetStock) -> list[Reason]:
    reasons = []
    named = Counter(Place(command.shop, level.sku, level.location) for level in command.levels)
    for index, wish in enumerate(command.levels):
        place = Place(command.shop, wish.sku, wish.location)
        if named[place] > 1:
            message = f"SKU {wish.sku} at {wish.location} is named {named[place]} times; name it once."
            reasons.append(Reason(code="level_repeated", message=message, field=f"levels[{index}]"))
        try:
            stock.count(place, book.levels.get(place, Level()), wish.on_hand)
        except BelowReserved as below:
            field = f"levels[{index}].on_hand"
            reasons.append(Reason(code="on_hand_below_reserved", message=f"{below}.", field=field))
    return reasons


def _say(place: Place, level: Level) -> StockLevel:
    return StockLevel(sku=place.sku, location=place.location, on_hand=level.on_hand, reserved=level.reserved)
