"""What a refund does to the units it names, and the rule that ties its amount to them. Pure.

Invariant: no refund cancels an order while money is kept that pays for nothing. A refund credits its amount and cancels
the named units that have not left; if those are the last wanted ones, the amount must be all that is still due.
Otherwise five euros of goodwill would cancel an order of 365 and leave it settled, with 360 kept and nobody told.
"""

from dataclasses import dataclass

from contracts.fulfillment import LinePosition
from contracts.message import Reason
from contracts.payments import RefundCause
from services.orders.amounts import written
from services.orders.content import Units
from services.orders.documents import LineShown, OrderShown
from services.orders.previewing import split


@dataclass(frozen=True, slots=True)
class UnitsRefunded:
    """Units by line that a refund cancels, and those that had left; whether nothing wanted remains."""

    cancelled: dict[int, int]
    left: dict[int, int]
    cancels_order: bool


def units_refunded(order: OrderShown, units: Units, cause: RefundCause) -> UnitsRefunded:
    """The effect of a refund of these units on the order's goods, as far as positions are known here.

    Only a refund that credits cancels units; the others leave them as they are.
    """
    positions = [position_of(line) for line in order.lines]
    if cause is not RefundCause.CREDIT:
        return UnitsRefunded({}, dict(units), False)
    cancelled, left = split(units, positions)
    wanted = sum(max(0, one.ordered - one.cancelled) for one in positions)
    return UnitsRefunded(cancelled, left, 0 < wanted == sum(cancelled.values()))


def faults_of_amount(order: OrderShown, amount_minor: int, units: Units, cause: RefundCause) -> list[Reason]:
    """The reason against a refund that would cancel the order and credit less than is still due, if it would."""
    if not units or not units_refunded(order, units, cause).cancels_order:
        return []
    due = still_due(order)
    if amount_minor >= due:
        return []
    message = (
        f"These are the last units of order {order.code}, so refunding them cancels it; {written(due, order.currency)} "
        f"is still due and {written(amount_minor, order.currency)} would be refunded. Refund "
        f"{written(due, order.currency)}, or name no lines, or cancel the order and refund what it then owes."
    )
    return [Reason(code="refund_keeps_money", message=message, field="amount_minor")]


def still_due(order: OrderShown) -> int:
    """What the order costs after all credits, in minor units, paid or not."""
    return max(0, order.money.due_minor - order.money.credited_minor)


def left_of_received(order: OrderShown) -> int:
    """What was received and has neither gone back nor been marked so, in minor units."""
    return max(0, order.money.received_minor - order.money.refunded_minor - order.money.marked_minor)


def position_of(line: LineShown) -> LinePosition:
    """The line's quantities; before fulfillment has answered, all of it is wanted and none has left."""
    return line.position or LinePosition(line=line.line, kind=line.kind, ordered=line.quantity)
