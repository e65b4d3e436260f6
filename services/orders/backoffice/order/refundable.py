"""The refundable part of an order's money, payment by payment, according to the ledger copy in orders. Pure.

It is for display: payments also knows the refunds about to be sent, and rejects an amount above what is left. It
proposes only the overpayment: units start at zero, and the amount is the price of the chosen ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter

from contracts.message import LineUnits
from contracts.payments.refunds import RefundCause, RefundMode, RefundState
from contracts.sale import Customer, PaymentMethod
from services.orders.api.actions.refund_rules import position_of, still_due
from services.orders.listing.documents import OrderResponse
from services.orders.listing.order_parts import LedgerEntryResponse, LineResponse, RefundResponse
from services.orders.listing.payments_left import PaymentLeft, left_of_received, payments_left, set_aside
from services.orders.order.totals.content import Content, ContentLine, worth

_UNITS = TypeAdapter(list[LineUnits])


@dataclass(frozen=True)
class Refundable:
    """The total refundable amount, the refundable units of each line, and the proposed amount and cause."""

    payments: Sequence[PaymentLeft]
    left_minor: int
    most: Mapping[int, int]
    overpaid_minor: int

    @property
    def cause(self) -> RefundCause:
        """Return the proposed cause; overpayment has precedence: it returns no goods."""
        return RefundCause.OVERPAID if self.overpaid_minor else RefundCause.CREDIT

    @property
    def sendable(self) -> Sequence[PaymentLeft]:
        """Return the payments whose provider can make a refund."""
        return [one for one in self.payments if one.may_be_sent]


def refundable(order: OrderResponse) -> Refundable:
    """Return the refundable part of the order."""
    left = left_of_received(order)
    overpaid = min(left, max(0, -order.balance_minor))
    return Refundable(payments_left(order.ledger, set_aside(order)), left, units_left(order), overpaid)


def units_left(order: OrderResponse) -> dict[int, int]:
    """Return the refundable units of each line: neither cancelled nor named by a refund that is in effect.

    A refund's units that had not been shipped are among the cancelled ones, so only the others are subtracted
    again.
    """
    named: dict[int, int] = {}
    for refund in order.refunds:
        if refund.state is not RefundState.FAILED:
            cancelled = _cancelled_by(order, refund.refund_id)
            for part in refund.lines:
                had_left = max(0, part.quantity - cancelled.get(part.line, 0))
                named[part.line] = named.get(part.line, 0) + had_left
    return {line.line: max(0, _wanted(line) - named.get(line.line, 0)) for line in order.lines}


def worth_of(order: OrderResponse, units: Mapping[int, int]) -> int:
    """Return the amount that refunds these units, in minor units: their price among the units left, at most
    the amount still due and the amount received. Shipping and fees are refunded with the last one.
    """
    if not any(units.values()):
        return 0
    content, before = _content(order), units_left(order)
    after = {line: most - min(most, units.get(line, 0)) for line, most in before.items()}
    cost = worth(content, before) - worth(content, after)
    if not any(after.values()):
        cost = still_due(order)
    return max(0, min(cost, still_due(order), left_of_received(order)))


def _wanted(line: LineResponse) -> int:
    at = position_of(line)
    return max(0, min(line.quantity, at.ordered - at.cancelled))


def _cancelled_by(order: OrderResponse, refund_id: UUID) -> dict[int, int]:
    """Return the units that a refund cancelled, as fulfillment reported."""
    for one in order.activity:
        if one.kind == "stock_restocked" and one.item == refund_id and isinstance(one.data, dict):
            parts = _UNITS.validate_python(one.data.get("cancelled", []))
            return {part.line: part.quantity for part in parts}
    return {}


def may_be_reversed(entry: LedgerEntryResponse, ledger: Sequence[LedgerEntryResponse]) -> bool:
    """Return whether a user entered this payment and it has not been reversed."""
    if entry.kind != "payment_received" or entry.provider is not None:
        return False
    about = [one for one in ledger if one.payment_entry_id == entry.entry_id]
    return not any(one.kind in ("payment_reversed", "transfer_out") for one in about)


def is_to_settle(refund: RefundResponse) -> bool:
    """Return whether a user has to decide the outcome of a sent refund, or give its reference."""
    is_nameless = refund.provider_reference is None and refund.reference is None
    return refund.state is RefundState.UNCERTAIN or (
        refund.state is RefundState.SENT and refund.mode is RefundMode.SENT and is_nameless
    )


def is_open_mark(state: RefundState, mode: str) -> bool:
    """Return whether a refund was recorded here and waits for its confirmation."""
    return state is RefundState.MARKED and mode == "recorded"


def _content(order: OrderResponse) -> Content:
    lines = [
        ContentLine.model_construct(**dict(line), reduced=0) for line in order.lines if line.quantity > 0
    ]
    assert order.totals is not None, f"{order.code} was placed"
    return Content.model_construct(
        currency=order.currency,
        prices_include_tax=order.prices_include_tax is not False,
        method=order.payment_method or PaymentMethod.OTHER,
        customer=Customer.model_construct(name="", email=""),
        lines=lines,
        shipping=order.shipping,
        extra_lines=order.extra_lines,
        totals=order.totals,
    )
