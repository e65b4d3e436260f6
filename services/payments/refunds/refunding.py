"""Refunds: recorded here only, or sent to the provider; a recorded refund is confirmed with a reference.

A refund is never more than was received and is neither refunded, marked nor about to be sent, of the order
and of the payment. The refund's id names everything that results from it (the entries, the effect, the
provider's idempotency key), so a repeat is the same refund, and an id that another refund has, of whatever
order or shop, is rejected.
"""

from dataclasses import dataclass

from contracts.message import Reason
from contracts.payments import ConfirmRefundMark, RefundCause, RefundMode, RefundOrder
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import Kind, find_payment, payment_key
from services.payments.accounts.refunds import RequestedRefund
from services.payments.accounts.remarks import is_disputed
from services.payments.accounts.unit.answering import account_of, done, not_positive, other_currency, reject
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.providers import stripe
from services.payments.refunds.crediting import beyond_due

EFFECT = "refund"
"""The kind of effect that requests a refund from the provider; its key is the refund's id."""
SENDING = frozenset((stripe.PROVIDER,))
"""Providers that refunds can be sent to."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an account and the part of it that could still be refunded, in minor units."""

    provider: str
    object_id: str
    left_minor: int


def refund_order(work: AccountUnit, received: ReceivedMessage[RefundOrder]) -> None:
    """Mark the refund or plan its sending, or answer with every reason against it. An existing refund counts
    as done.
    """
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    if (known := account.refunds.asked.get(command.refund_id)) and _is_repeat(command, account, known):
        return done(work, received)
    if known or work.has_refund(command.refund_id):
        return reject(work, received, [_id_used(command)])
    payment = _payment_for(command, account)
    if reasons := _against(command, account, payment):
        return reject(work, received, reasons)
    asked = _asked(received, payment)
    work.ask_refund(account, asked, received.envelope)
    if not asked.is_mark:
        work.unit.plan(EFFECT, str(asked.id), _order_to_send(account, asked))
    return None


def _is_repeat(command: RefundOrder, account: Account, known: RequestedRefund) -> bool:
    """Return whether a command requests the very refund that exists under its id. Words may differ, money and
    goods not.
    """
    if command.entry_id is not None:
        named = find_payment(account.shop, account.entries, command.entry_id)
        if named is None or named.payment_key != payment_key(known.provider or "", known.payment or ""):
            return False
    asked = (command.mode, command.amount_minor, command.currency, command.cause, tuple(command.lines))
    return asked == (known.mode, known.amount_minor, account.currency, known.cause, known.lines)


def _id_used(command: RefundOrder) -> Reason:
    text = f"refund_id {command.refund_id} is that of another refund; give this one an id of its own"
    return Reason(code="refund_id_used", message=text, field="refund_id")


def confirm_mark(work: AccountUnit, received: ReceivedMessage[ConfirmRefundMark]) -> None:
    """Record the reference that confirms a mark; the same reference again counts as done."""
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    asked = account.refunds.asked.get(command.refund_id)
    if asked is not None and command.reference == asked.reference:
        return done(work, received)
    if asked is None or not asked.is_mark:
        text = f"order {account.code} has no recorded refund {command.refund_id}; check the refund's id"
        return reject(work, received, [Reason(code="refund_unknown", message=text, field="refund_id")])
    made = account.refunds.matching().fulfilled.get(asked.id)
    if known := asked.reference or (made.object_id if made else None):
        text = f"refund {asked.id} is confirmed by {known}; record another refund for other money"
        return reject(work, received, [Reason(code="already_confirmed", message=text, field="refund_id")])
    account.fill_refund(asked.id, received.envelope, reference=command.reference, confirmed_by=command.actor)
    account.causes[asked.id] = received.envelope
    return None


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


def _taken_minor(account: Account, payment: str) -> int:
    """Return the part of a payment that is refunded already, or is marked or about to be sent."""
    refunds = account.refunds
    matching = refunds.matching()
    made = sum(
        one.amount_minor
        for one in refunds.made.values()
        if one.is_live and payment_key(one.provider, one.payment) == payment
    )
    waiting = {one.id for one in refunds.waiting()}
    own = sum(
        one.amount_minor
        for one in refunds.asked.values()
        if one.provider
        and one.payment
        and payment_key(one.provider, one.payment) == payment
        and (one.id in waiting or refunds.counts_by_word(one) or (one.is_mark and matching.is_in_force(one)))
    )
    return made + own


def _payment_for(command: RefundOrder, account: Account) -> Payment | None:
    """Return the payment that is named, else the latest from which the amount can be refunded."""
    payments = payments_of(account)
    if command.entry_id is not None:
        named = find_payment(account.shop, account.entries, command.entry_id)
        return next(
            (p for p in payments if named and payment_key(p.provider, p.object_id) == named.payment_key), None
        )
    fitting = [p for p in payments if command.mode is not RefundMode.SENT or p.provider in SENDING]
    return next((p for p in fitting if p.left_minor >= command.amount_minor), None)


def _against(command: RefundOrder, account: Account, payment: Payment | None) -> list[Reason]:
    reasons = [*other_currency(account, command.currency), *not_positive(command.amount_minor)]
    if command.mode is RefundMode.EXTERNAL:
        text = "a refund is recorded or sent; external ones are told by the provider"
        reasons.append(Reason(code="mode_not_possible", message=text, field="mode"))
    if command.cause is RefundCause.CREDIT:
        reasons += beyond_due(account, command.amount_minor)
    return [*reasons, *_against_amount(command, account), *_against_payment(command, account, payment)]


def _against_amount(command: RefundOrder, account: Account) -> list[Reason]:
    left, received = held_minor(account), account.position.received_minor
    if command.amount_minor <= left:
        return []
    text = (
        f"{command.amount_minor} to refund, {max(0, left)} left of {received} {account.currency} received; "
        "refund at most that"
    )
    return [Reason(code="refund_exceeds_received", message=text, field="amount_minor")]


def _against_payment(command: RefundOrder, account: Account, payment: Payment | None) -> list[Reason]:
    if payment is None and command.entry_id is not None:
        text = f"order {account.code} has no payment {command.entry_id}; name the entry of a payment"
        return [Reason(code="payment_unknown", message=text, field="entry_id")]
    if payment is not None and command.amount_minor > payment.left_minor:
        text = f"{command.amount_minor} to refund, {payment.left_minor} left of this payment; refund at most that"
        return [Reason(code="refund_exceeds_payment", message=text, field="amount_minor")]
    if command.mode is not RefundMode.SENT:
        return []
    if payment is None or payment.provider not in SENDING:
        text = (
            f"no payment of order {account.code} by {', '.join(SENDING)} covers it; record the refund instead"
        )
        return [Reason(code="provider_cannot_refund", message=text, field="mode")]
    if account.position.disputed_minor > 0 or is_disputed(account.remarks, payment.object_id):
        text = f"payment {payment.object_id} of order {account.code} is disputed; wait for the dispute's end"
        return [Reason(code="payment_disputed", message=text, field="mode")]
    return []


def _asked(received: ReceivedMessage[RefundOrder], payment: Payment | None) -> RequestedRefund:
    command = received.message
    reference = command.reference if command.mode is RefundMode.RECORDED else None
    return RequestedRefund(
        id=command.refund_id,
        command_id=received.envelope.id,
        mode=command.mode,
        amount_minor=command.amount_minor,
        provider=payment.provider if payment else None,
        payment=payment.object_id if payment else None,
        cause=command.cause,
        reason=command.reason,
        lines=tuple(command.lines),
        actor=command.actor,
        asked_at=received.envelope.time,
        reference=reference,
        confirmed_by=command.actor if reference else None,
        notify_customer=command.notify_customer,
        public_comment=command.public_comment if command.notify_customer else None,
    )


def _order_to_send(account: Account, asked: RequestedRefund) -> dict[str, object]:
    return {
        "shop": account.shop,
        "order_id": str(account.id),
        "refund_id": str(asked.id),
        "payment": asked.payment,
        "amount_minor": asked.amount_minor,
        "currency": account.currency,
        "is_duplicate": asked.cause is RefundCause.OVERPAID,
    }


def _split(payment: str) -> tuple[str, str]:
    provider, _, object_id = payment.partition(":")
    return provider, object_id
