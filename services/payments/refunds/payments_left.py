"""The part of each payment that can still be refunded, and the payments that a refund is made of. Pure.

Providers refund one payment at a time. A refund that is sent and that no single payment covers is therefore
made in parts, one per payment, the oldest first, since refunds of old payments are refused; each part is a
refund of its own for everything that follows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from contracts.payments.refunds import RefundMode, RefundOrder
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import Kind, find_payment, payment_key
from services.payments.providers.registered import NAMES, OLDEST_FIRST


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an account and the part of it that could still be refunded, in minor units."""

    provider: str
    object_id: str
    left_minor: int

    @property
    def key(self) -> str:
        return payment_key(self.provider, self.object_id)


@dataclass(frozen=True, slots=True)
class Share:
    """The amount of a refund that is made of one payment, in minor units; None: of none in particular."""

    payment: Payment | None
    amount_minor: int


def payments_of(account: Account) -> list[Payment]:
    """Return the account's payments with the part of each that could still be refunded, the latest first."""
    keys = dict.fromkeys(
        entry.payment_key
        for entry in reversed(account.entries)
        if entry.kind in (Kind.PAYMENT_RECEIVED, Kind.TRANSFER_IN)
    )
    return [Payment(*_split(key), account.net_received(key) - _taken_minor(account, key)) for key in keys]


def held_minor(account: Account) -> int:
    """Return the part of all receipts that is neither refunded, nor marked, nor about to be sent."""
    p = account.position
    return p.received_minor - p.refunded_minor - p.marked_minor - account.refunds.planned_minor


def shares_of(command: RefundOrder, account: Account) -> Sequence[Share]:
    """Return the payments a refund is made of, with amounts that sum to the refund's; none if they can't be
    found. A payment that the command names is returned even if the amount exceeds it.
    """
    payments = payments_of(account)
    if command.entry_id is not None:
        named = find_payment(account.shop, account.entries, command.entry_id)
        return [Share(p, command.amount_minor) for p in payments if named and p.key == named.payment_key]
    sendable = [p for p in payments if p.provider in NAMES]
    if payment := _covering(payments if command.mode is not RefundMode.SENT else sendable, command):
        return [Share(payment, command.amount_minor)]
    if command.mode is not RefundMode.SENT:
        return [Share(None, command.amount_minor)]
    parts = list(_spread(sendable[::-1], command.amount_minor))
    return parts if sum(part.amount_minor for part in parts) == command.amount_minor else []


def _covering(payments: Sequence[Payment], command: RefundOrder) -> Payment | None:
    """Return the latest payment that covers the amount; the oldest where the provider takes refunds of old
    payments for a limited time only.
    """
    covering = [p for p in payments if p.left_minor >= command.amount_minor]
    if covering and covering[0].provider in OLDEST_FIRST:
        return [p for p in covering if p.provider == covering[0].provider][-1]
    return covering[0] if covering else None


def _spread(payments: Sequence[Payment], amount_minor: int) -> Iterator[Share]:
    """Yield the part of each payment that is refunded, in the order of the payments."""
    for payment in payments:
        if (part := min(amount_minor, payment.left_minor)) > 0:
            yield Share(payment, part)
            amount_minor -= part


def at_most(payment: Payment, amount_minor: int) -> Payment:
    """Return the payment with at most this amount left."""
    return replace(payment, left_minor=min(payment.left_minor, amount_minor))


def _taken_minor(account: Account, payment: str) -> int:
    """Return the part of a payment that is refunded already, or is marked or about to be sent."""
    refunds = account.refunds
    matching = refunds.matching()
    sent_minor = sum(
        one.amount_minor
        for one in refunds.made.values()
        if one.is_live and payment_key(one.provider, one.payment) == payment
    )
    waiting = {one.id for one in refunds.waiting()}
    own = sum(
        one.amount_minor
        for one in refunds.requested.values()
        if one.provider
        and one.payment
        and payment_key(one.provider, one.payment) == payment
        and (one.id in waiting or refunds.counts_by_word(one) or (one.is_mark and matching.is_active(one)))
    )
    return sent_minor + own


def _split(payment: str) -> tuple[str, str]:
    provider, _, object_id = payment.partition(":")
    return provider, object_id
