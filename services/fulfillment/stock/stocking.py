"""Setting what is on hand after a count or an import, all levels of the command or none; adjusting one level.

A count below what orders have reserved is refused with every such level: units promised to customers do not
vanish. A later count replaces an earlier one, so counts, unlike everything else here, have an effect by their
sequence. An adjustment adds up with what is there, so the very same command is taken only once, even when a person
redrives it long after the inbox forgot it: what it changed is kept under its id.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from contracts.fulfillment import AdjustStock, SetStock, StockLevel, StockLevelChanged
from contracts.message import Reason
from services.chassis.messaging.subscribers import Delivery
from services.fulfillment.order import stock
from services.fulfillment.order.answering import done, reject
from services.fulfillment.order.stock import (
    BelowReserved,
    ChangeAboveMost,
    ChangeBelowReserved,
    Level,
    LevelUnknown,
    Place,
)
from services.fulfillment.order.unit import ShelfBook
from services.fulfillment.stock import reserving


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
    _explain(book, delivery, changed, raised)
    return None


def adjust(book: ShelfBook, delivery: Delivery[AdjustStock]) -> None:
    """Change one level and try orders that waited for it; or refuse. What was done already is done."""
    command = delivery.message
    place = Place(command.shop, command.sku, command.location)
    if (command.shop, delivery.envelope.id) in book.stock_changes:
        return done(book, delivery)
    if command.change == 0:
        reason = Reason(
            code="nothing_to_change", message="A change of 0 units; send how many.", field="change"
        )
        return reject(book, delivery, reason)
    try:
        level = stock.adjust(place, book.levels.get(place), command.change)
    except (LevelUnknown, ChangeBelowReserved, ChangeAboveMost) as error:
        return reject(book, delivery, _refusal(error))
    book.set_level(place, level, command.change, delivery.envelope.id)
    _explain(book, delivery, [place], {command.sku} if command.change > 0 else set(), command.reason)
    return None


def _explain(
    book: ShelfBook,
    delivery: Delivery[SetStock] | Delivery[AdjustStock],
    changed: Iterable[Place],
    raised: Collection[str],
    reason: str | None = None,
) -> None:
    """Serve orders that waited for what was raised, keep who changed stock and why, and say so."""
    command = delivery.message
    reserving.retry(book, command.shop, raised, delivery.envelope)
    book.note_stock_change(command.shop, delivery.envelope.id, command.actor, reason)
    event = StockLevelChanged(
        shop=command.shop,
        levels=[_say(place, book.levels[place]) for place in changed],
        changed_by=command.actor,
        reason=reason,
    )
    book.unit.emit(event, cause=delivery.envelope)


def _refusal(error: LevelUnknown | ChangeBelowReserved | ChangeAboveMost) -> Reason:
    codes = {
        LevelUnknown: ("level_unknown", "sku"),
        ChangeBelowReserved: ("on_hand_below_reserved", "change"),
        ChangeAboveMost: ("on_hand_above_most", "change"),
    }
    code, field = codes[type(error)]
    return Reason(code=code, message=f"{error}."[:1000], field=field)


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
