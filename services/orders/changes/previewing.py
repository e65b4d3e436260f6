"""Preview of a change of a placed order: money, stock, parcels. Changes nothing.

It is computed from local data, so fulfillment's answer may differ by units that left in the meantime. A stale
form is rejected as for the change itself.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.fulfillment.position import LinePosition
from contracts.message import Reason
from contracts.sale import LineKind, Totals
from services.chassis.messaging.process import Transactions
from services.orders.changes import cancelling, deleting, editing, edition, reinstating
from services.orders.changes.changing import NOT_PLACED, ChangeRefused, OrderIsCancelled, require_changeable
from services.orders.changes.requests import EditRequest
from services.orders.order.history import require_revision
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.store import Row
from services.orders.order.totals.content import Units, worth
from services.orders.order.unit.actions import OrderUnknown, open_orders
from services.orders.order.unit.edits import edit_store
from services.orders.order.unit.unit import OrderUnit

UnshippedParcel = tuple[UUID, int, Units]
"""Packed parcel that has not left: its id, its number, its units by line."""


@dataclass(frozen=True, slots=True)
class ParcelTouched:
    """A packed parcel that would be unpacked."""

    parcel_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Effect of a change. Units by line: to stop at fulfillment, that left and therefore stay, to add.

    `reasons` are those against it; with any reason the change would have no effect.
    """

    revision: int
    totals_before: Totals
    totals: Totals
    due_change_minor: int
    balance_minor: int
    stop: dict[int, int]
    stays: dict[int, int]
    add: dict[int, int]
    parcels: list[ParcelTouched]
    reasons: list[Reason]

    @property
    def balance_after_minor(self) -> int:
        """Return the balance after the change took effect; negative: to be paid back."""
        return self.balance_minor + self.due_change_minor


@dataclass(frozen=True, slots=True)
class CancellationSum:
    """Effect of cancelling one of many orders: the change of the amount due, the balance before, units."""

    code: str
    revision: int
    currency: str
    due_change_minor: int
    balance_minor: int
    units_stopped: int
    units_staying: int


async def preview_edit(process: Transactions, shop: str, order_id: UUID, request: EditRequest) -> Preview:
    """Return the effect of an edit. Raises OrderUnknown, Stale, OrderNotPlaced, ChangeInProgress."""
    async with process.unit() as unit:
        work = await _loaded(OrderUnit(unit), shop, order_id, request.revision)
        order, content = work.orders[shop, order_id], work.edits.contents[shop, order_id]
        withdrawn = editing.withdrawn_now(work, order)
        wanted, reasons = editing.wanted_of(work, content, request, withdrawn)
        questions = edition.questions_of(content, wanted)
        stop, stays = split(questions.off, work.edits.positions[shop, order_id])
        after = content if reasons else edition.settled(content, wanted, stays, {}, stop)
        due = edition.due_change(content, after, withdrawn)
        return await _preview(work, order, stop, stays, questions.on, due, after.totals, reasons)


async def preview_cancellation(
    process: Transactions, shop: str, order_id: UUID, revision: int | None = None
) -> Preview:
    """Return the effect of a cancellation. Raises OrderUnknown, Stale, OrderNotPlaced, ChangeInProgress."""
    async with process.unit() as unit:
        work = await _loaded(OrderUnit(unit), shop, order_id, revision)
        order, content = work.orders[shop, order_id], work.edits.contents[shop, order_id]
        wanted = cancelling.still_wanted(work, order)
        requested = {line: units for line, units in wanted.items() if units}
        stop, stays = split(requested, work.edits.positions[shop, order_id])
        reasons = [] if stop else [cancelling.had_left(stays)]
        rest = {line: units - stop.get(line, 0) for line, units in wanted.items()}
        due = worth(content, rest) - worth(content, wanted)
        return await _preview(work, order, stop, stays, {}, due, content.totals, reasons)


async def preview_cancellations(
    process: Transactions, shop: str, order_ids: Sequence[UUID]
) -> dict[UUID, CancellationSum | Refusal]:
    """Return the effect of cancelling each of these orders, or why it is impossible; unknown ones are
    missing.

    Raises TooManyOrders.
    """
    async with process.unit() as unit:
        work = await open_orders(unit, shop, order_ids)
        placed = [key for key, order in work.orders.items() if order.state not in NOT_PLACED]
        await work.edits.load(sorted(placed))
        return {order.id: _sum_of(work, order) for order in work.orders.values()}


def _sum_of(work: OrderUnit, order: Order) -> CancellationSum | Refusal:
    try:
        require_changeable(work, order)
    except Refusal as refusal:
        return refusal
    wanted = cancelling.still_wanted(work, order)
    requested = {line: units for line, units in wanted.items() if units}
    if not requested:
        return OrderIsCancelled(order)
    content = work.edits.contents[order.shop, order.id]
    stop, stays = split(requested, work.edits.positions[order.shop, order.id])
    if not stop:
        return ChangeRefused(order, [cancelling.had_left(stays)])
    rest = {line: units - stop.get(line, 0) for line, units in wanted.items()}
    return CancellationSum(
        order.code,
        order.revision,
        content.currency,
        worth(content, rest) - worth(content, wanted),
        order.money.balance,
        sum(stop.values()),
        sum(stays.values()),
    )


async def preview_reinstatement(
    process: Transactions, shop: str, order_id: UUID, revision: int | None = None
) -> Preview:
    """Return the effect of a reinstatement, if stock suffices.

    Raises OrderUnknown, Stale, OrderNotPlaced, ChangeInProgress.
    """
    async with process.unit() as unit:
        work = await _loaded(OrderUnit(unit), shop, order_id, revision)
        order, content = work.orders[shop, order_id], work.edits.contents[shop, order_id]
        add: dict[int, int] = {}
        for one in reinstating.cancellations(work, order):
            for line, quantity in one.stopped.items():
                add[line] = add.get(line, 0) + quantity
        due = -sum(one.due_change_minor for one in reinstating.cancellations(work, order))
        return await _preview(work, order, {}, {}, add, due, content.totals, [])


async def reasons_against_deletion(process: Transactions, shop: str, order_id: UUID) -> list[Reason]:
    """Return every reason why an order may not be deleted without force.

    Raises the same errors as the previews.
    """
    async with process.unit() as unit:
        work = await _loaded(OrderUnit(unit), shop, order_id, None)
        return await deleting.reasons_against(unit.connection, work.orders[shop, order_id])


async def _loaded(work: OrderUnit, shop: str, order_id: UUID, revision: int | None) -> OrderUnit:
    work = await open_orders(work.unit, shop, [order_id])
    order = work.orders.get((shop, order_id))
    if order is None:
        raise OrderUnknown(shop, order_id)
    await require_revision(work.unit.connection, order, revision)
    await work.edits.load([(shop, order_id)])
    require_changeable(work, order)
    return work


async def _preview(
    work: OrderUnit,
    order: Order,
    stop: dict[int, int],
    stays: dict[int, int],
    add: dict[int, int],
    due_change_minor: int,
    totals: Totals,
    reasons: list[Reason],
) -> Preview:
    key = (order.shop, order.id)
    parcels = await edit_store.read_unshipped_parcels(work.unit.connection, *key)
    return Preview(
        revision=order.revision,
        totals_before=work.edits.contents[key].totals,
        totals=totals,
        due_change_minor=0 if reasons else due_change_minor,
        balance_minor=order.money.balance,
        stop=stop,
        stays=stays,
        add=add,
        parcels=touched(map(_unshipped_parcel, parcels), work.edits.positions[key], stop),
        reasons=reasons,
    )


def split(requested: Units, positions: Iterable[LinePosition]) -> tuple[dict[int, int], dict[int, int]]:
    """Return the requested units that can still be stopped, and those that left; together they are all
    requested units.
    """
    known = {position.line: position for position in positions}
    stop, stays = {}, {}
    for line, quantity in requested.items():
        position = known.get(line)
        gone = 0 if position is None else _gone(position)
        needed = quantity if position is None else position.ordered - position.cancelled
        if able := min(quantity, max(0, needed - gone)):
            stop[line] = able
        if rest := quantity - able:
            stays[line] = rest
    return stop, stays


def _gone(position: LinePosition) -> int:
    return position.shipped - position.lost if position.kind is LineKind.SHIP else position.delivered


def touched(
    parcels: Iterable[UnshippedParcel], positions: Iterable[LinePosition], stop: Units
) -> list[ParcelTouched]:
    """Return the parcels that would be unpacked to stop these units: the newest first, and as few as
    possible.
    """
    free = {p.line: p.ordered - p.cancelled - p.packed + p.lost for p in positions}
    short = {line: units - free.get(line, units) for line, units in stop.items()}
    found = []
    for parcel_id, number, units in parcels:
        if any(short.get(line, 0) > 0 for line in units):
            found.append(ParcelTouched(parcel_id, number))
            for line, quantity in units.items():
                short[line] = short.get(line, 0) - quantity
    return found


def _unshipped_parcel(row: Row) -> UnshippedParcel:
    units = {part["line"]: part["quantity"] for part in json.loads(row["lines"])}
    return row["parcel_id"], row["number"], units
