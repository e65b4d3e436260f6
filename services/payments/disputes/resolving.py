"""A staff decision on a lost dispute: the merchant bears the loss, or the customer owes the amount again.

There is one decision per dispute; the same one again counts as done, another is rejected. While a dispute is open
there is nothing to decide: the provider does.
"""

from contracts.message import Reason
from contracts.payments.disputes import ResolveDispute
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.disputes import Decision, Dispute
from services.payments.accounts.unit.answering import account_of, deleted, done, reject
from services.payments.accounts.unit.unit import AccountUnit


def resolve_dispute(work: AccountUnit, received: ReceivedMessage[ResolveDispute]) -> None:
    """Record the decision, or answer with every reason against it. Waits for an order that has not arrived yet."""
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    dispute = account.disputes.find((command.provider, command.provider_reference))
    if dispute and dispute.decision and dispute.decision.resolution is command.resolution:
        return done(work, received)
    if reasons := _against(command, account, dispute):
        return reject(work, received, reasons)
    account.decide_dispute(_decision(received), received.envelope)
    return None


def _against(command: ResolveDispute, account: Account, dispute: Dispute | None) -> list[Reason]:
    reasons = deleted(account)
    if dispute is None:
        text = f"order {account.code} has no dispute {command.provider_reference} at {command.provider}"
        return [*reasons, _reason("dispute_unknown", f"{text}; check the dispute's id")]
    if dispute.decision is not None:
        known = dispute.decision
        text = f"dispute {dispute.object_id} was {known.resolution} by {known.actor}; record a payment or a credit"
        return [*reasons, _reason("dispute_resolved", text)]
    if not dispute.is_lost:
        text = f"dispute {dispute.object_id} is {dispute.state}; only a lost one leaves something to decide"
        return [*reasons, _reason("dispute_not_lost", text)]
    return reasons


def _reason(code: str, text: str) -> Reason:
    return Reason(code=code, message=text, field="provider_reference")


def _decision(received: ReceivedMessage[ResolveDispute]) -> Decision:
    command = received.message
    return Decision(
        provider=command.provider,
        object_id=command.provider_reference,
        resolution=command.resolution,
        command_id=received.envelope.id,
        actor=command.actor,
        note=command.note,
        decided_at=received.envelope.time,
    )
