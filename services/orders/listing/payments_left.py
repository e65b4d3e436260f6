"""The refundable rest of each payment of an order, judged by its ledger here only. Pure.

Payments decides, since it also has the requests of the last seconds. A refund that was sent and is not in the
ledger yet, or whose outcome at the provider is uncertain, keeps its amount reserved here as there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.payments.refunds import RefundMode, RefundState
from contracts.sale import PaymentMethod
from services.orders.listing.documents import OrderResponse
from services.orders.listing.order_parts import LedgerEntryResponse, RefundResponse

SENDS_REFUNDS = frozenset({"stripe", "paypal"})
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
"""The effect of each kind of entry on the rest of the payment it is about."""


@dataclass(frozen=True)
class PaymentLeft:
    """A payment of the order: the amount received, and the part that can still be refunded, in minor units."""

    entry_id: UUID
    at: datetime
    method: PaymentMethod | None
    provider: str | None
    reference: str | None
    received_minor: int
    left_minor: int

    @property
    def may_be_sent(self) -> bool:
        """Return whether the refund can be requested from its provider."""
        return self.provider in SENDS_REFUNDS and self.left_minor > 0


def left_of_received(order: OrderResponse) -> int:
    """Return the received amount that is neither refunded nor marked or reserved for a refund, in minor
    units.
    """
    money = order.money
    kept = money.received_minor - money.refunded_minor - money.marked_minor
    return max(0, kept - sum(one.amount_minor for one in set_aside(order)))


def set_aside(order: OrderResponse) -> list[RefundResponse]:
    """Return the refunds that were sent, or may have been, and are not in the ledger."""
    posted = {entry.provider_reference for entry in order.ledger if entry.kind == "refund_paid"}
    return [
        one
        for one in order.refunds
        if one.mode is RefundMode.SENT
        and one.state in (RefundState.SENT, RefundState.UNCERTAIN)
        and (one.provider_reference is None or one.provider_reference not in posted)
    ]


def payments_left(
    ledger: Sequence[LedgerEntryResponse], waiting: Iterable[RefundResponse] = ()
) -> list[PaymentLeft]:
    """Return the payments of a ledger, the latest first; `waiting` are the refunds whose amounts are
    reserved.
    """
    firsts: dict[UUID, LedgerEntryResponse] = {}
    left: dict[UUID, int] = {}
    received: dict[UUID, int] = {}
    for entry in ledger:
        payment = entry.payment_entry_id or entry.entry_id
        if entry.kind in _RECEIPTS:
            firsts.setdefault(payment, entry)
            received[payment] = received.get(payment, 0) + entry.amount_minor
        left[payment] = left.get(payment, 0) + _SIGNS.get(entry.kind, 0) * entry.amount_minor
    for refund in waiting:
        for key, first in firsts.items():
            if (first.provider, first.provider_reference) == (refund.provider, refund.payment_reference):
                left[key] -= refund.amount_minor
    return [_payment(first, received[key], left[key]) for key, first in reversed(firsts.items())]


def _payment(first: LedgerEntryResponse, received_minor: int, left_minor: int) -> PaymentLeft:
    return PaymentLeft(
        entry_id=first.entry_id,
        at=first.occurred_at,
        method=first.method,
        provider=first.provider,
        reference=first.reference or first.provider_reference,
        received_minor=received_minor,
        left_minor=max(0, left_minor),
    )
