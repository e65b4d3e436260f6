"""Squaring: posting of the entries that the account's refunds require and the ledger lacks. Pure.

The sum each refund should count for is a function of the recorded refunds; what the ledger lacks of it is
posted, and an excess is reversed by a counter-entry. A refund made at the provider without us counts as a
credit as far as the customer would otherwise owe by it, since a customer refunded there returned the goods,
or had been credited.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.payments.accounts import Position
from contracts.payments.refunds import RefundCause
from contracts.sale import PaymentMethod
from services.payments.accounts.ledger import MANUAL, ORDER, Entry, Kind, Origin, payment_key
from services.payments.accounts.refund_matching import Matching, ProviderRefund, RequestedRefund
from services.payments.accounts.refunds import Refunds


class RefundLedger(Protocol):
    """The ledger of one order with its refunds: the part of an account that squaring uses."""

    @property
    def id(self) -> UUID: ...

    @property
    def cause(self) -> Envelope | None: ...

    @property
    def refunds(self) -> Refunds: ...

    @property
    def position(self) -> Position: ...

    def post(self, entry: Entry, cause: Envelope | None = None) -> bool:
        """Add an entry; return False when it is there already."""

    def posted(self, provider: str, object_id: str, kind: Kind) -> tuple[int, int]:
        """Return how much of a kind was posted for one object (minor units), and in how many steps."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """One money object of the account and the two kinds of entry that raise and lower its sum."""

    provider: str
    object_id: str
    up: Kind
    down: Kind


def square(account: RefundLedger, origin: Origin) -> None:
    """Post the missing entries; a repeat posts nothing. Called by `Account.square`."""
    matching = account.refunds.matching()
    for refund in sorted(account.refunds.requested.values(), key=lambda one: one.id):
        _square_requested(account, refund, matching, origin)
    for provider_refund in matching.external:
        _reach(
            account,
            _of_made(provider_refund),
            provider_refund.amount_minor if provider_refund.is_live else 0,
            _made_entry(provider_refund, None, origin),
        )
    _square_external_credit(account, matching, origin)


def _square_requested(
    account: RefundLedger, refund: RequestedRefund, matching: Matching, origin: Origin
) -> None:
    provider_refund = matching.of(refund)
    if refund.cause is RefundCause.CREDIT and (
        refund.is_mark or refund.is_sent or provider_refund is not None
    ):
        _post_credit(account, refund)
    counts_by_mark = refund.is_mark and (
        provider_refund is None or _stands_for(account, refund, provider_refund, matching)
    )
    if refund.is_mark:
        target = refund.amount_minor if counts_by_mark else 0
        _reach(account, _of_mark(refund), target, _mark_entry(refund, provider_refund, origin))
    if provider_refund is not None:
        target = provider_refund.amount_minor if provider_refund.is_live and not counts_by_mark else 0
        _reach(account, _of_made(provider_refund), target, _made_entry(provider_refund, refund, origin))
    if refund.is_vouched and refund.vouched_key not in account.refunds.made:
        _reach(account, *_vouched(refund, origin, counts=account.refunds.counts_by_word(refund)))


def _stands_for(
    account: RefundLedger, mark: RequestedRefund, provider_refund: ProviderRefund, matching: Matching
) -> bool:
    """Return whether the mark, posted before the refund that confirms it was reported, goes on counting in
    its place.
    """
    is_confirmed = mark.id in matching.fulfilled
    return (
        is_confirmed and _net(account, _of_mark(mark)) > 0 and _net(account, _of_made(provider_refund)) == 0
    )


def _square_external_credit(account: RefundLedger, matching: Matching, origin: Origin) -> None:
    credit = _Sum(ORDER, f"external-refunds/{account.id}", Kind.CREDIT_GRANTED, Kind.CREDIT_REVERSED)
    refunded = sum(one.amount_minor for one in matching.external if one.is_live and not one.is_duplicate)
    owed_without = account.position.balance_minor + _net(account, credit)
    target = max(0, min(refunded, owed_without))
    entry = Entry(
        Kind.CREDIT_GRANTED,
        0,
        ORDER,
        credit.object_id,
        0,
        origin.source,
        origin.caused_by,
        origin.occurred_at,
        origin.actor,
    )
    _reach(account, credit, target, entry)


def _net(account: RefundLedger, sums: _Sum) -> int:
    raised, _ = account.posted(sums.provider, sums.object_id, sums.up)
    lowered, _ = account.posted(sums.provider, sums.object_id, sums.down)
    return raised - lowered


def _reach(account: RefundLedger, sums: _Sum, target_minor: int, like: Entry) -> None:
    missing = target_minor - _net(account, sums)
    if not missing:
        return
    kind = sums.up if missing > 0 else sums.down
    _, steps = account.posted(sums.provider, sums.object_id, kind)
    account.post(like.changed(kind=kind, amount_minor=abs(missing), step=steps), account.cause)


def _of_mark(mark: RequestedRefund) -> _Sum:
    return _Sum(MANUAL, str(mark.id), Kind.REFUND_MARKED, Kind.REFUND_MARK_REVERSED)


def _of_made(provider_refund: ProviderRefund) -> _Sum:
    return _Sum(provider_refund.provider, provider_refund.object_id, Kind.REFUND_PAID, Kind.REFUND_FAILED)


def _mark_entry(mark: RequestedRefund, provider_refund: ProviderRefund | None, origin: Origin) -> Entry:
    """Return the entry of a mark, attributed to the person who made it; its reversal is attributed to the person
    who voided it.
    """
    is_void = provider_refund is not None
    return Entry(
        Kind.REFUND_MARKED,
        mark.amount_minor,
        MANUAL,
        str(mark.id),
        0,
        origin.source if is_void else "manual",
        origin.caused_by if is_void else mark.command_id,
        origin.occurred_at if is_void else mark.asked_at,
        origin.actor if is_void else mark.actor,
        reference=provider_refund.object_id if provider_refund is not None else mark.reference,
        note=mark.reason,
        payment=_payment_of(mark),
    )


def _vouched(refund: RequestedRefund, origin: Origin, *, counts: bool) -> tuple[_Sum, int, Entry]:
    """Return the provider's refund that staff named, under its own id: a later report of the provider is
    the same refund.
    """
    provider, object_id = refund.vouched_key
    entry = Entry(
        Kind.REFUND_PAID,
        refund.amount_minor,
        provider,
        object_id,
        0,
        origin.source,
        origin.caused_by,
        origin.occurred_at,
        refund.confirmed_by or refund.actor,
        method=PaymentMethod.CARD,
        note=refund.reason,
        payment=_payment_of(refund),
    )
    sums = _Sum(provider, object_id, Kind.REFUND_PAID, Kind.REFUND_FAILED)
    return sums, refund.amount_minor if counts else 0, entry


def _made_entry(provider_refund: ProviderRefund, refund: RequestedRefund | None, origin: Origin) -> Entry:
    return Entry(
        Kind.REFUND_PAID,
        provider_refund.amount_minor,
        provider_refund.provider,
        provider_refund.object_id,
        0,
        origin.source,
        origin.caused_by,
        provider_refund.made_at if provider_refund.is_live else origin.occurred_at,
        refund.actor if refund else provider_refund.provider,
        method=PaymentMethod.CARD,
        note=refund.reason if refund else None,
        payment=payment_key(provider_refund.provider, provider_refund.payment),
    )


def _post_credit(account: RefundLedger, refund: RequestedRefund) -> None:
    account.post(
        Entry(
            Kind.CREDIT_GRANTED,
            refund.amount_minor,
            MANUAL,
            str(refund.id),
            0,
            "manual",
            refund.command_id,
            refund.asked_at,
            refund.actor,
            note=refund.reason,
        ),
        account.cause,
    )


def _payment_of(refund: RequestedRefund) -> str | None:
    return payment_key(refund.provider, refund.payment) if refund.provider and refund.payment else None
