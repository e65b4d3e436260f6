"""Refunds: recorded here only, or sent to the provider; a recorded refund is confirmed with a reference.

A refund is never more than was received and is neither refunded, marked nor about to be sent, of the order
and of the payment. The refund's id names everything that results from it (the entries, the effect, the
provider's idempotency key), so a repeat is the same refund, and an id that another refund has, of any
order or shop, is rejected.

A refund made of several payments is one refund per payment: the first has the command's id and its units and
answers it, the id of each further one follows from the command's id and the payment. Each is posted,
credited, refused or settled whole and by itself, so that no part depends on another's end.
"""

from collections.abc import Sequence
from uuid import uuid5

from contracts.message import Reason
from contracts.payments.refunds import ConfirmRefundMark, RefundCause, RefundMode, RefundOrder
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import find_payment, payment_key
from services.payments.accounts.refund_matching import RequestedRefund
from services.payments.accounts.unit.answering import account_of, done, not_positive, other_currency, reject
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.providers.registered import NAMES
from services.payments.refunds.crediting import beyond_due
from services.payments.refunds.payments_left import Share, held_minor, shares_of

EFFECT = "refund"
"""The kind of effect that requests a refund from the provider; its key is the refund's id."""


def refund_order(work: AccountUnit, received: ReceivedMessage[RefundOrder]) -> None:
    """Mark the refund or plan its sending, or answer with every reason against it. An existing refund counts
    as done.
    """
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    if (known := account.refunds.requested.get(command.refund_id)) and _is_repeat(command, account, known):
        return done(work, received)
    if known or work.has_refund(command.refund_id):
        return reject(work, received, [_id_used(command)])
    shares = shares_of(command, account)
    if reasons := _against(command, account, shares):
        return reject(work, received, reasons)
    for number, share in enumerate(shares):
        refund = _requested(received, share, is_first=number == 0)
        work.ask_refund(account, refund, received.envelope)
        if not refund.is_mark:
            work.unit.plan(EFFECT, str(refund.id), _order_to_send(account, refund))
            if not work.unit.has_effects:
                doubt = work.unit.why_without_effects
                account.fill_refund(refund.id, received.envelope, doubts=1, doubt=doubt)
    return None


def _is_repeat(command: RefundOrder, account: Account, known: RequestedRefund) -> bool:
    """Return whether a command requests the very refund that exists under its id. Words may differ, money and
    goods not.
    """
    parts = [one.amount_minor for one in account.refunds.requested.values() if one.part_of == known.id]
    if command.entry_id is not None:
        named = find_payment(account.shop, account.entries, command.entry_id)
        if (
            parts
            or named is None
            or named.payment_key != payment_key(known.provider or "", known.payment or "")
        ):
            return False
    refund = (command.mode, command.amount_minor, command.currency, command.cause, tuple(command.lines))
    amount_minor = known.amount_minor + sum(parts)
    return refund == (known.mode, amount_minor, account.currency, known.cause, known.lines)


def _id_used(command: RefundOrder) -> Reason:
    text = f"refund_id {command.refund_id} is that of another refund; give this one an id of its own"
    return Reason(code="refund_id_used", message=text, field="refund_id")


def confirm_mark(work: AccountUnit, received: ReceivedMessage[ConfirmRefundMark]) -> None:
    """Record the reference that confirms a mark; the same reference again counts as done."""
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    refund = account.refunds.requested.get(command.refund_id)
    if refund is not None and command.reference == refund.reference:
        return done(work, received)
    if refund is None or not refund.is_mark:
        text = f"order {account.code} has no recorded refund {command.refund_id}; check the refund's id"
        return reject(work, received, [Reason(code="refund_unknown", message=text, field="refund_id")])
    provider_refund = account.refunds.matching().fulfilled.get(refund.id)
    if known := refund.reference or (provider_refund.object_id if provider_refund else None):
        text = f"refund {refund.id} is confirmed by {known}; record another refund for other money"
        return reject(work, received, [Reason(code="already_confirmed", message=text, field="refund_id")])
    account.fill_refund(refund.id, received.envelope, reference=command.reference, confirmed_by=command.actor)
    account.causes[refund.id] = received.envelope
    return None


def _against(command: RefundOrder, account: Account, shares: Sequence[Share]) -> list[Reason]:
    reasons = [*other_currency(account, command.currency), *not_positive(command.amount_minor)]
    if command.mode is RefundMode.EXTERNAL:
        text = "a refund is recorded or sent; external ones are reported by the provider"
        reasons.append(Reason(code="mode_not_possible", message=text, field="mode"))
    if command.cause is RefundCause.CREDIT:
        reasons += beyond_due(account, command.amount_minor)
    return [*reasons, *_against_amount(command, account), *_against_payments(command, account, shares)]


def _against_amount(command: RefundOrder, account: Account) -> list[Reason]:
    left, received = held_minor(account), account.position.received_minor
    if command.amount_minor <= left:
        return []
    text = (
        f"{command.amount_minor} to refund, {max(0, left)} left of {received} {account.currency} received; "
        "refund at most that"
    )
    return [Reason(code="refund_exceeds_received", message=text, field="amount_minor")]


def _against_payments(command: RefundOrder, account: Account, shares: Sequence[Share]) -> list[Reason]:
    if not shares and command.entry_id is not None:
        text = f"order {account.code} has no payment {command.entry_id}; name the entry of a payment"
        return [Reason(code="payment_unknown", message=text, field="entry_id")]
    payments = [share.payment for share in shares if share.payment]
    if command.entry_id is not None and command.amount_minor > payments[0].left_minor:
        text = f"{command.amount_minor} to refund, {payments[0].left_minor} left of this payment; refund at most that"
        return [Reason(code="refund_exceeds_payment", message=text, field="amount_minor")]
    if command.mode is not RefundMode.SENT:
        return []
    if not payments or payments[0].provider not in NAMES:
        text = (
            f"the payments of order {account.code} by {', '.join(NAMES)} do not cover it; "
            "record the refund instead"
        )
        return [Reason(code="provider_cannot_refund", message=text, field="mode")]
    disputed = [p for p in payments if account.disputes.is_disputed(p.object_id)]
    if account.position.disputed_minor > 0 or disputed:
        name = (disputed or payments)[0].object_id
        text = f"payment {name} of order {account.code} is disputed; wait for the dispute's end"
        return [Reason(code="payment_disputed", message=text, field="mode")]
    return []


def _requested(received: ReceivedMessage[RefundOrder], share: Share, *, is_first: bool) -> RequestedRefund:
    command, payment = received.message, share.payment
    part = "" if is_first or payment is None else payment.key
    reference = command.reference if command.mode is RefundMode.RECORDED else None
    return RequestedRefund(
        id=uuid5(command.refund_id, part) if part else command.refund_id,
        part_of=command.refund_id if part else None,
        command_id=received.envelope.id,
        mode=command.mode,
        amount_minor=share.amount_minor,
        provider=payment.provider if payment else None,
        payment=payment.object_id if payment else None,
        cause=command.cause,
        reason=command.reason,
        lines=() if part else tuple(command.lines),
        actor=command.actor,
        asked_at=received.envelope.time,
        reference=reference,
        confirmed_by=command.actor if reference else None,
        notify_customer=command.notify_customer,
        public_comment=command.public_comment if command.notify_customer else None,
    )


def _order_to_send(account: Account, refund: RequestedRefund) -> dict[str, object]:
    return {
        "provider": refund.provider,
        "asked_at": refund.asked_at.isoformat(),
        "shop": account.shop,
        "order_id": str(account.id),
        "refund_id": str(refund.id),
        "payment": refund.payment,
        "amount_minor": refund.amount_minor,
        "currency": account.currency,
        "is_duplicate": refund.cause is RefundCause.OVERPAID,
    }
