"""Forgetting: an order was deleted. Nothing of its customer stays here, but that there were mails and what became of
them. Mails that did not go yet never go.
"""

from contracts.orders import OrderDeleted
from services.chassis.messaging.subscribers import Delivery, Wait, order_key
from services.notifier.mails.unit import MailBook


def forget(book: MailBook, delivery: Delivery[OrderDeleted]) -> None:
    """Have everything of the order's customer removed; a repeat changes nothing. Raises Wait for an unknown order."""
    deleted = delivery.message
    addressee = book.addressee(deleted.shop, deleted.order_id)
    if addressee is None:
        raise Wait(order_key(deleted.order_id), "order_unknown")
    if addressee.deleted_at is None:
        book.forget(addressee, deleted.deleted_at)
