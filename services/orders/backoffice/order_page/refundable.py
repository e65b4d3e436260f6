"""What of an order's money can go back, payment by payment, as far as its ledger here tells. Pure.

It is for the eyes: payments knows also what is about to be sent, and refuses what is more than is left. What it
proposes is either what the customer paid too much, or all of the order that was not refunded yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.payments import RefundCause, RefundState
from contracts.storefront import Customer, PaymentMethod
from services.orders.content import Content, ContentLine, worth
from services.orders.documents import LedgerEntryShown, OrderShown

SENDS_REFUNDS = frozenset({"stripe"})
"""Providers that payments can send refunds to."""
_RECEIPTS = frozenset({"payment_received", "transfer_in"})
_SIGNS = {
    "payment_received": 1,
    "transfer_in": 1,
    "payment_reversed": -1,
    "transfer_out": -1,
    "refund_paid": -1,
    "refund_failed": 1,
    "refund_marked": -1,
    "refund_mark_reversed": 1,
}
"""How each kind of entry changes what is left of the payment it is about."""


@dataclass(frozen=True)
class PaymentLeft:
    """A payment of the order: what was received, and what of it could still go back, in minor units."""

    entry_id: UUID
    at: datetime
    method: PaymentMethod | None
    provider: str | None
    reference: str | None
    received_minor: int
    left_minor: int

    @property
    def may_be_sent(self) -> bool:
        """Whether its provider can be asked for the refund."""
        return self.provider in SENDS_REFUNDS and self.left_minor > 0


@dataclass(frozen=True)
class Refundable:
    """What could go back altogether, and what is proposed: amount, units by line, cause."""

    payments: Sequence[PaymentLeft]
    left_minor: int
    amount_minor: int
    units: Mapping[int, int]
    most: Mapping[int, int]
    cause: RefundCause

    @property
    def sendable(self) -> Sequence[PaymentLeft]:
        """The payments whose provider can be asked."""
        return [one for one in self.payments if one.may_be_sent]


def refundable(order: OrderShown) -> Refundable:
    """What of the order can be refunded. Paid too much comes first: it takes no goods back."""
    money = order.money
    left = max(0, money.received_minor - money.refunded_minor - money.marked_minor)
    most = units_left(order)
    if order.balance_minor < 0:
        amount, units, cause = min(left, -order.balance_minor), dict.fromkeys(most, 0), RefundCause.OVERPAID
    else:
        due = money.due_minor - money.credited_minor
        amount, units, cause = max(0, min(left, due)), most, RefundCause.CREDIT
    return Refundable(payments_left(order.ledger), left, amount, units, most, cause)


def payments_left(ledger: Sequence[LedgerEntryShown]) -> list[PaymentLeft]:
    """The payments of a ledger, the latest first."""
    firsts: dict[UUID, LedgerEntryShown] = {}
    left: dict[UUID, int] = {}
    received: dict[UUID, int] = {}
    for entry in ledger:
        payment = entry.payment_entry_id or entry.entry_id
        if entry.kind in _RECEIPTS:
            firsts.setdefault(payment, entry)
            received[payment] = received.get(payment, 0) + entry.amount_minor
        left[payment] = left.get(payment, 0) + _SIGNS.get(entry.kind, 0) * entry.amount_minor
    return [_payment(first, received[key], left[key]) for key, first in reversed(firsts.items())]


def units_left(order: OrderShown) -> dict[int, int]:
    """The units of each line that no refund is for yet; one that failed counts not, for its money is still here."""
    named: dict[int, int] = {}
    standing = [refund for refund in order.refunds if refund.state is not RefundState.FAILED]
    for refund in standing:
        for part in refund.lines:
            named[part.line] = named.get(part.line, 0) + part.quantity
    return {line.line: max(0, line.quantity - named.get(line.line, 0)) for line in order.lines}


def worth_of(order: OrderShown, units: Mapping[int, int]) -> int:
    """What these units cost of those not refunded yet, in minor units; shipping and fees go with the last one."""
    content, before = _content(order), units_left(order)
    after = {line: most - min(most, units.get(line, 0)) for line, most in before.items()}
    return worth(content, before) - worth(content, after)


def may_be_reversed(entry: LedgerEntryShown, ledger: Sequence[LedgerEntryShown]) -> bool:
    """Whether a person entered this payment and nobody has taken it back."""
    if entry.kind != "payment_received" or entry.provider is not None:
        return False
    about = [one for one in ledger if one.payment_entry_id == entry.entry_id]
    return not any(one.kind in ("payment_reversed", "transfer_out") for one in about)


def is_open_mark(state: RefundState, mode: str) -> bool:
    """Whether a refund was recorded here and waits for what confirms it."""
    return state is RefundState.MARKED and mode == "recorded"


def _payment(first: LedgerEntryShown, received_minor: int, left_minor: int) -> PaymentLeft:
    return PaymentLeft(
        entry_id=first.entry_id,
        at=first.occurred_at,
        method=first.method,
        provider=first.provider,
        reference=first.reference or first.provider_reference,
        received_minor=received_minor,
        left_minor=max(0, left_minor),
    )


def _content(order: OrderShown) -> Content:
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
