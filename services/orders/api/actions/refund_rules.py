"""The effect of a refund on the units it names, and the rule that ties its amount to them. Pure.

Invariant: no refund cancels an order while money is kept that pays for nothing. A refund credits its amount
and cancels the named units that have not left; if those are the last wanted ones, the amount must be all that
is still due. Otherwise five euros of goodwill would cancel an order of 365 and leave it settled, with 360
kept and nobody notified.
"""

from dataclasses import dataclass

from contracts.fulfillment.position import LinePosition
from contracts.message import Reason
from contracts.payments.refunds import RefundCause
from services.orders.api.actions.refund_requests import RefundRequest
from services.orders.changes.previewing import split
from services.orders.listing.documents import OrderResponse
from services.orders.listing.order_parts import LineResponse
from services.orders.listing.payments_left import SENDS_REFUNDS, left_of_received, payments_left, set_aside
from services.orders.order.totals.amounts import written
from services.orders.order.totals.content import Units


@dataclass(frozen=True, slots=True)
class UnitsRefunded:
    """Units by line that a refund cancels, those that had left, and whether no wanted unit remains."""

    cancelled: dict[int, int]
    left: dict[int, int]
    cancels_order: bool


def units_refunded(order: OrderResponse, units: Units, cause: RefundCause) -> UnitsRefunded:
    """Return the effect of a refund of these units on the order's goods, as far as positions are known here.

    Only a refund that credits cancels units; the others leave them unchanged.
    """
    positions = [position_of(line) for line in order.lines]
    if cause is not RefundCause.CREDIT:
        return UnitsRefunded({}, dict(units), False)
    cancelled, left = split(units, positions)
    wanted = sum(max(0, one.ordered - one.cancelled) for one in positions)
    return UnitsRefunded(cancelled, left, 0 < wanted == sum(cancelled.values()))


def faults_of_amount(
    order: OrderResponse, amount_minor: int, units: Units, cause: RefundCause
) -> list[Reason]:
    """Return the reason against a refund that would cancel the order and credit less than is still due, if
    any.
    """
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


def faults_of_refund(order: OrderResponse, request: RefundRequest) -> list[Reason]:
    """Return every reason against a refund that is known here, by the rules and codes of payments.

    Payments decides, since it also has the requests of the last seconds. This check informs staff before anything
    is sent.
    """
    found = faults_of_amount(order, request.amount_minor, request.units, request.cause)
    if request.cause is RefundCause.CREDIT:
        found += _beyond(order, request.amount_minor, still_due(order), "credit_exceeds_due", "still due")
    left = left_of_received(order)
    found += _beyond(
        order, request.amount_minor, left, "refund_exceeds_received", "left of what was received"
    )
    return [*found, *_against_payment(order, request)]


def _beyond(order: OrderResponse, amount_minor: int, most: int, code: str, what: str) -> list[Reason]:
    if amount_minor <= most:
        return []
    message = (
        f"{written(amount_minor, order.currency)} to refund, {written(most, order.currency)} {what} of order "
        f"{order.code}; refund at most that."
    )
    return [Reason(code=code, message=message, field="amount_minor")]


def _against_payment(order: OrderResponse, request: RefundRequest) -> list[Reason]:
    """Return the reasons given by the refunded payment: the one named, else the latest that covers the
    amount.
    """
    payments = payments_left(order.ledger, set_aside(order))
    payment = next((one for one in payments if one.entry_id == request.entry_id), None)
    if payment is None and request.entry_id is not None:
        message = f"Order {order.code} has no payment {request.entry_id}; name the entry of a payment."
        return [Reason(code="payment_unknown", message=message, field="entry_id")]
    found: list[Reason] = []
    if payment is not None:
        left, code = payment.left_minor, "refund_exceeds_payment"
        found = _beyond(order, request.amount_minor, left, code, "left of this payment")
    if request.mode != "sent" or found:
        return found
    covering = [payment] if payment else [one for one in payments if one.left_minor >= request.amount_minor]
    if not any(one.provider in SENDS_REFUNDS for one in covering):
        message = (
            f"No payment of order {order.code} that can be sent back covers it; record the refund instead."
        )
        return [Reason(code="provider_cannot_refund", message=message, field="mode")]
    if order.money.disputed_minor > 0:
        message = f"A payment of order {order.code} is disputed; wait for the dispute's end."
        return [Reason(code="payment_disputed", message=message, field="mode")]
    return []


def still_due(order: OrderResponse) -> int:
    """Return the order's cost after all credits, in minor units, paid or not."""
    return max(0, order.money.due_minor - order.money.credited_minor)


def position_of(line: LineResponse) -> LinePosition:
    """Return the line's quantities; before fulfillment has answered, all units are wanted and none has left."""
    return line.position or LinePosition(line=line.line, kind=line.kind, ordered=line.quantity)
