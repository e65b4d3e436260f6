"""Setting of stock on hand after a count or an import, all levels of the command or none; adjustment of one
level.

A count below what orders have reserved is rejected with every such level: units promised to customers must
not vanish. A later count replaces an earlier one, so counts, unlike everything else here, depend on their
order. An adjustment is added to the current level, so a command is applied only once, even when staff retry
it long after the inbox dropped it: its change is stored under its id.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from contracts.fulfillment.stock import AdjustStock, SetStock, StockLevel, StockLevelChanged
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order import stock
from services.fulfillment.order.stock import (
    BelowReserved,
    ChangeAboveMost,
    ChangeBelowReserved,
    Level,
    LevelUnknown,
    StockPlace,
)
from services.fulfillment.order.unit.answering import done, reject
from services.fulfillment.order.unit.unit import FulfillmentUnit
from services.fulfillment.stock import reserving


def set_stock(work: FulfillmentUnit, received: ReceivedMessage[SetStock]) -> None:
    """Set the levels, explain each by an adjustment, and retry orders that waited; or reject with every
    reason.

    Idempotent: levels that already have the requested values are answered as done.
    """
    command = received.message
    counts = {StockPlace(command.shop, level.sku, level.location): level.on_hand for level in command.levels}
    if reasons := _reasons_against(work, command):
        return reject(work, received, *reasons)
    changed = {place: on_hand for place, on_hand in counts.items() if _differs(work, place, on_hand)}
    if not changed:
        return done(work, received)
    raised = set()
    for place, on_hand in changed.items():
        level, adjustment = stock.count(place, work.levels.get(place, Level()), on_hand)
        work.set_level(place, level, adjustment, received.envelope.id)
        if adjustment > 0:
            raised.add(place.sku)
    _explain(work, received, changed, raised)
    return None


def adjust(work: FulfillmentUnit, received: ReceivedMessage[AdjustStock]) -> None:
    """Change one level and retry orders that waited for it; or reject. A repeat is answered as done."""
    command = received.message
    place = StockPlace(command.shop, command.sku, command.location)
    if (command.shop, received.envelope.id) in work.stock_changes:
        return done(work, received)
    if command.change == 0:
        reason = Reason(
            code="nothing_to_change", message="A change of 0 units; send how many.", field="change"
        )
        return reject(work, received, reason)
    try:
        level = stock.adjust(place, work.levels.get(place), command.change)
    except (LevelUnknown, ChangeBelowReserved, ChangeAboveMost) as error:
        return reject(work, received, _refusal(error))
    work.set_level(place, level, command.change, received.envelope.id)
    _explain(work, received, [place], {command.sku} if command.change > 0 else set(), command.reason)
    return None


def _explain(
    work: FulfillmentUnit,
    received: ReceivedMessage[SetStock] | ReceivedMessage[AdjustStock],
    changed: Iterable[StockPlace],
    raised: Collection[str],
    reason: str | None = None,
) -> None:
    """Serve orders that waited for raised SKUs, store who changed stock and why, and publish it."""
    command = received.message
    reserving.retry(work, command.shop, raised, received.envelope)
    work.note_stock_change(command.shop, received.envelope.id, command.actor, reason)
    event = StockLevelChanged(
        shop=command.shop,
        levels=[_say(place, work.levels[place]) for place in changed],
        changed_by=command.actor,
        reason=reason,
    )
    work.unit.emit(event, cause=received.envelope)


def _refusal(error: LevelUnknown | ChangeBelowReserved | ChangeAboveMost) -> Reason:
    codes = {
        LevelUnknown: ("level_unknown", "sku"),
        ChangeBelowReserved: ("on_hand_below_reserved", "change"),
        ChangeAboveMost: ("on_hand_above_most", "change"),
    }
    code, field = codes[type(error)]
    return Reason(code=code, message=f"{error}."[:1000], field=field)


def _differs(work: FulfillmentUnit, place: StockPlace, on_hand: int) -> bool:
    return place not in work.levels or work.levels[place].on_hand != on_hand


def _reasons_against(work: FulfillmentUnit, command: SetStock) -> list[Reason]:
    reasons = []
    named = Counter(StockPlace(command.shop, level.sku, level.location) for level in command.levels)
    for index, wish in enumerate(command.levels):
        place = StockPlace(command.shop, wish.sku, wish.location)
        if named[place] > 1:
            message = f"SKU {wish.sku} at {wish.location} is named {named[place]} times; name it once."
            reasons.append(Reason(code="level_repeated", message=message, field=f"levels[{index}]"))
        try:
            stock.count(place, work.levels.get(place, Level()), wish.on_hand)
        except BelowReserved as below:
            field = f"levels[{index}].on_hand"
            reasons.append(Reason(code="on_hand_below_reserved", message=f"{below}.", field=field))
    return reasons


def _say(place: StockPlace, level: Level) -> StockLevel:
    return StockLevel(sku=place.sku, location=place.location, on_hand=level.on_hand, reserved=level.reserved)
