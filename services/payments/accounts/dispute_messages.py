"""Messages about disputes: one whenever a dispute is not as it was published last. Pure.

A consumer receives each dispute whole with the position's version, so messages about one dispute may arrive in
any order. A dispute that is over when it is first seen (a SEPA return) is published as opened and as closed.
"""

from collections.abc import Iterator

from contracts.envelope import Envelope
from contracts.payments.disputes import Dispute as DisputePart
from contracts.payments.disputes import DisputeClosed, DisputeFee, DisputeOpened, DisputeUpdated
from services.chassis.messaging.snapshots import SnapshotMessage
from services.payments.accounts.account import Account
from services.payments.accounts.disputes import ENDED, Dispute
from services.payments.accounts.ledger import entry_id_of_payment, payment_key

DisputeMessage = DisputeOpened | DisputeUpdated | DisputeClosed


def news(account: Account) -> Iterator[tuple[DisputeMessage, Envelope | None, Dispute]]:
    """Yield the messages to publish since the account was loaded, each with the command it answers."""
    for dispute in account.disputes.all():
        published = account.disputes.published.get(dispute.key)
        if published == dispute:
            continue
        for message in _messages(published, dispute):
            yield _word(account, dispute, message), _cause(account, published, dispute, message), dispute


def disputes_of(account: Account) -> Iterator[SnapshotMessage]:
    """Yield the current message about every dispute of the account, since it was opened."""
    for dispute in account.disputes.all():
        kind = DisputeClosed if dispute.state in ENDED else DisputeOpened
        yield SnapshotMessage(_word(account, dispute, kind), dispute.opened_at)


def _messages(published: Dispute | None, dispute: Dispute) -> list[type[DisputeMessage]]:
    is_over = dispute.state in ENDED
    if published is None:
        return [DisputeOpened, DisputeClosed] if is_over else [DisputeOpened]
    is_news = published.state not in ENDED or published.decision != dispute.decision
    return [DisputeClosed if is_over and is_news else DisputeUpdated]


def _cause(
    account: Account, published: Dispute | None, dispute: Dispute, message: type[DisputeMessage]
) -> Envelope | None:
    """Return the command by which a lost dispute was resolved just now."""
    decision = dispute.decision
    if message is not DisputeClosed or decision is None or (published and published.decision == decision):
        return None
    return account.causes.get(decision.command_id)


def _word(account: Account, dispute: Dispute, message: type[DisputeMessage]) -> DisputeMessage:
    return message(shop=account.shop, order_id=account.id, code=account.code, dispute=_part(account, dispute))


def _part(account: Account, dispute: Dispute) -> DisputePart:
    decision = dispute.decision
    return DisputePart(
        provider=dispute.provider,
        provider_reference=dispute.object_id,
        version=account.position.version,
        state=dispute.state,
        amount_minor=dispute.amount_minor,
        currency=account.currency,
        withdrawn_minor=dispute.withdrawn_minor,
        reinstated_minor=dispute.reinstated_minor,
        fees=[DisputeFee(amount_minor=fee, currency=currency) for currency, fee in dispute.fees],
        payment_reference=dispute.payment,
        payment_entry_id=entry_id_of_payment(account.shop, payment_key(dispute.provider, dispute.payment)),
        reason=dispute.reason or None,
        due_at=dispute.due_at,
        is_due_soon=dispute.is_due_soon,
        opened_at=dispute.opened_at,
        updated_at=dispute.updated_at,
        resolution=decision.resolution if decision else None,
        resolved_by=decision.actor if decision else None,
        resolved_at=decision.decided_at if decision else None,
        note=decision.note if decision else None,
    )
