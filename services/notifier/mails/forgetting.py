"""Deletion of a customer's data: of a deleted order, only the fact that there were mails and their outcome is
kept.

Unsent mails are never sent.
"""

from contracts.orders.lifecycle import OrderDeleted
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.notifier.mails.unit import MailUnit


def forget(work: MailUnit, received: ReceivedMessage[OrderDeleted]) -> None:
    """Remove all data of the order's customer; a repeat changes nothing. Raises Wait for an unknown order."""
    deleted = received.message
    recipient = work.recipient(deleted.shop, deleted.order_id)
    if recipient is None:
        raise Wait(order_key(deleted.order_id), "order_unknown")
    if recipient.deleted_at is None:
        work.forget(recipient, deleted.deleted_at)
