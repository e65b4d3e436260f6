"""Deleted orders: the account is closed, and money it holds or still receives is reported as unmatched.

The ledger stays, for accounting records are never erased. A webhook for a closed account waits nowhere: its
money appears in «À identifier», like money that came before orders deleted the order.
"""

from uuid import UUID

from contracts.orders.lifecycle import OrderDeleted
from contracts.payments.accounts import PaymentUnmatched
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.payments.accounts.account import Account
from services.payments.accounts.facts import Facts
from services.payments.accounts.ledger import Kind
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.accounts.unit.webhook_store import Ending

REASON = "order_deleted"
_REPORTED = frozenset(("webhook", "reconcile"))
"""Sources of entries whose object is the provider's payment."""


def close(work: AccountUnit, received: ReceivedMessage[OrderDeleted]) -> None:
    """Close the account and report receipts that are not refunded; a repeat changes nothing. Raises Wait for
    an unknown order.
    """
    deleted = received.message
    account = work.find(deleted.shop, deleted.order_id)
    if account is None:
        raise Wait(order_key(deleted.order_id), "order_unknown")
    if account.closed_at is not None:
        return
    work.close(account, deleted.deleted_at)
    position = account.position
    if position.received_minor <= position.refunded_minor + position.marked_minor:
        return
    for entry in account.entries:
        if entry.kind is Kind.PAYMENT_RECEIVED:
            reference = entry.object_id if entry.source in _REPORTED else entry.reference or entry.object_id
            report = PaymentUnmatched(
                shop=account.shop,
                provider=entry.provider,
                provider_reference=reference,
                amount_minor=entry.amount_minor,
                currency=account.currency,
                received_at=entry.occurred_at,
                reason=REASON,
            )
            work.unit.emit(report, cause=received.envelope, subject=reference)


def end_webhook(work: AccountUnit, account: Account, facts: Facts, webhook_id: UUID) -> Ending:
    """End a webhook about a payment for a deleted order: money is reported, an event without money is set
    aside.
    """
    if not facts.received_minor or not facts.currency:
        return Ending(webhook_id, "irrelevant", REASON, f"order {account.code} was deleted", account.id)
    report = PaymentUnmatched(
        shop=account.shop,
        provider=facts.provider,
        provider_reference=facts.object_id,
        amount_minor=facts.received_minor,
        currency=facts.currency,
        received_at=facts.occurred_at,
        reason=REASON,
    )
    work.unit.emit(report, subject=facts.object_id)
    detail = (
        f"{facts.object_id}: {facts.received_minor} {facts.currency} for order {account.code}, deleted at "
        f"{account.closed_at}; assign it to another order, or refund it at the provider"
    )
    money = (facts.object_id, facts.received_minor, facts.currency)
    return Ending(webhook_id, "parked", REASON, detail, account.id, *money)
