"""Payment status of an order: one status, the filter it belongs to, and the amounts that need attention.

Invariant: the status is a pure function of the order's state and payments' position, and every combination
has exactly one status and therefore exactly one filter; an order in two filters would be counted twice.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts.orders.lifecycle import OrderState
from contracts.payments.accounts import AttemptState


class PaymentStatus(StrEnum):
    """Payment status of an order, as lists and mails show it."""

    VOID = "void"
    IN_PROGRESS = "in_progress"
    ABANDONED = "abandoned"
    REFUNDED = "refunded"
    REFUND_PENDING = "refund_pending"
    OVERPAID = "overpaid"
    PARTIALLY_REFUNDED = "partially_refunded"
    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    AUTHORIZED = "authorized"
    PENDING = "pending"
    UNPAID = "unpaid"


class PaymentFilter(StrEnum):
    """Values of the filter «Statut de paiement»; `not_applicable` is «Sans objet»."""

    UNPAID = "unpaid"
    PAID = "paid"
    REFUNDED = "refunded"
    ABANDONED = "abandoned"
    IN_PROGRESS = "in_progress"
    NOT_APPLICABLE = "not_applicable"


FILTER_OF: dict[PaymentStatus, PaymentFilter] = {
    PaymentStatus.VOID: PaymentFilter.NOT_APPLICABLE,
    PaymentStatus.IN_PROGRESS: PaymentFilter.IN_PROGRESS,
    PaymentStatus.ABANDONED: PaymentFilter.ABANDONED,
    PaymentStatus.REFUNDED: PaymentFilter.REFUNDED,
    PaymentStatus.REFUND_PENDING: PaymentFilter.PAID,
    PaymentStatus.OVERPAID: PaymentFilter.PAID,
    PaymentStatus.PARTIALLY_REFUNDED: PaymentFilter.PAID,
    PaymentStatus.PAID: PaymentFilter.PAID,
    PaymentStatus.PARTIALLY_PAID: PaymentFilter.UNPAID,
    PaymentStatus.AUTHORIZED: PaymentFilter.UNPAID,
    PaymentStatus.PENDING: PaymentFilter.IN_PROGRESS,
    PaymentStatus.UNPAID: PaymentFilter.UNPAID,
}
"""Filter of each status."""

IN_FLIGHT = frozenset(
    {
        AttemptState.CREATED,
        AttemptState.REQUIRES_ACTION,
        AttemptState.PENDING,
        AttemptState.AUTHORISED,
        AttemptState.CAPTURED,
    }
)
"""Attempts whose result is still unknown."""


@dataclass(frozen=True, slots=True)
class Money:
    """Payments' position in minor units of the account's currency, from which the status is derived."""

    due: int = 0
    credited: int = 0
    received: int = 0
    received_by_hand: int = 0
    refunded: int = 0
    marked: int = 0
    disputed: int = 0
    authorised: int = 0
    balance: int = 0
    attempt: AttemptState = AttemptState.NONE
    flags: tuple[str, ...] = ()
    refunds_pending: int = 0


def statuses_of(choice: PaymentFilter) -> frozenset[PaymentStatus]:
    """Return the statuses that a filter shows."""
    return frozenset(status for status, belongs_to in FILTER_OF.items() if belongs_to is choice)


def payment_status(state: OrderState, money: Money) -> PaymentStatus:
    """Return the status of an order in this state with this position; the first matching rule wins."""
    if state is OrderState.DRAFT:
        return PaymentStatus.VOID
    if state is OrderState.IN_CHECKOUT:
        return PaymentStatus.IN_PROGRESS
    net = money.received - money.refunded - money.marked
    if state is OrderState.ABANDONED and money.received == 0:
        return PaymentStatus.ABANDONED
    returned = money.refunded + money.marked
    if returned > 0 and net <= 0 and money.balance <= 0:
        return PaymentStatus.REFUND_PENDING if money.refunds_pending > 0 else PaymentStatus.REFUNDED
    if money.balance < 0:
        return PaymentStatus.OVERPAID
    if money.balance == 0:
        return _status_settled(state, money, net, returned)
    return _status_owed(money, net)


def _status_settled(state: OrderState, money: Money, net: int, returned: int) -> PaymentStatus:
    still_due = money.due - money.credited
    if still_due == 0 and net == 0 and state is OrderState.CANCELLED:
        return PaymentStatus.VOID
    if returned > 0 and money.credited > 0:
        if money.refunds_pending > 0:
            return PaymentStatus.REFUND_PENDING
        return PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.PAID


def _status_owed(money: Money, net: int) -> PaymentStatus:
    if net > 0:
        return PaymentStatus.PARTIALLY_PAID
    if money.authorised > 0 and money.authorised >= money.balance:
        return PaymentStatus.AUTHORIZED
    if money.attempt in IN_FLIGHT:
        return PaymentStatus.PENDING
    return PaymentStatus.UNPAID
