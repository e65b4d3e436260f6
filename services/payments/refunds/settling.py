"""A staff decision on a refund with an uncertain outcome: try again, it was made, it was not made.

Trying again never makes a second one: the provider is first asked whether it has the refund. One that was
made is named by the provider's reference and posted under it, so the provider's own report of it, should it
still arrive, posts nothing more. Regardless of what was decided here, the provider's own refund counts once it is
recorded. A refund declared made without any reference (an earlier version accepted that) keeps its sum
reserved until it is settled like an uncertain one. Invariant: only a refund without a recorded refund of the
provider, and whose effect rests, is settled.
"""

from contracts.message import Reason
from contracts.payments.refunds import RefundVerdict, SettleRefund
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.refund_matching import RequestedRefund
from services.payments.accounts.unit.answering import account_of, done, reject
from services.payments.accounts.unit.unit import AccountUnit

_RESTING = ("done", "uncertain", "failed", "discarded")
"""States of the effect of a refund declared made, in which it does nothing by itself any more."""


def settle_refund(work: AccountUnit, received: ReceivedMessage[SettleRefund]) -> None:
    """Settle the refund, or answer with the reasons against it."""
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    refund = account.refunds.requested.get(command.refund_id)
    if refund is None or refund.is_mark:
        text = f"order {account.code} has no sent refund {command.refund_id}; check the refund's id"
        return reject(work, received, [Reason(code="refund_unknown", message=text, field="refund_id")])
    if not (refund.is_uncertain or refund.is_untraced) or account.refunds.matching().of(refund) is not None:
        text = f"refund {refund.id} is not uncertain; look at the order again"
        return reject(work, received, [Reason(code="refund_not_uncertain", message=text, field="refund_id")])
    if work.effect_states.get(str(refund.id)) not in (_RESTING if refund.is_untraced else ("uncertain",)):
        text = f"the provider is being asked about refund {refund.id}; wait for its answer"
        return reject(work, received, [Reason(code="refund_being_asked", message=text, field="refund_id")])
    if reasons := _against_reference(work, account, refund, command):
        return reject(work, received, reasons)
    _apply(work, account, refund, received)
    return done(work, received)


def _against_reference(
    work: AccountUnit, account: Account, refund: RequestedRefund, command: SettleRefund
) -> list[Reason]:
    """Return the reasons against the reference: it goes with a refund that was made, and names no object
    recorded as something else.
    """
    named = command.provider_reference
    if command.verdict is not RefundVerdict.MADE:
        if named is None:
            return []
        text = f"provider_reference {named} goes with the verdict made only; leave it out"
        return [Reason(code="reference_not_needed", message=text, field="provider_reference")]
    if named is None:
        text = f"provider_reference is missing: send {refund.provider}'s id of the refund that was made, or ask again"
        return [Reason(code="refund_reference_missing", message=text, field="provider_reference")]
    if work.knows_object(account, refund.provider or "", named):
        text = f"{named} is known as something else; send {refund.provider}'s id of this refund"
        return [Reason(code="refund_reference_used", message=text, field="provider_reference")]
    return []


def _apply(
    work: AccountUnit, account: Account, refund: RequestedRefund, received: ReceivedMessage[SettleRefund]
) -> None:
    command, envelope = received.message, received.envelope
    note = f"{command.verdict} by {command.actor}" + (f": {command.reason}" if command.reason else "")
    if command.verdict is RefundVerdict.ASK_AGAIN:
        work.decide_effect(str(refund.id), "planned", note)
    elif command.verdict is RefundVerdict.MADE:
        work.decide_effect(str(refund.id), "done", note)
        named = {"reference": command.provider_reference, "confirmed_by": command.actor}
        account.fill_refund(refund.id, envelope, is_sent=True, **named)
        account.causes[refund.id] = envelope
        work.link(account, refund.provider or "", command.provider_reference or "")
    else:
        work.decide_effect(str(refund.id), "discarded", note)
        account.fill_refund(refund.id, envelope, refusal=note)
