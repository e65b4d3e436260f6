"""Forgetting: an order was deleted. Its units were stopped before; its movements stay, for they explain the stock.

The order is marked, and from then on nobody is shown it as work to do.
"""

from contracts.orders import OrderDeleted
from services.chassis.messaging.subscribers import Delivery, Wait, order_key
from services.fulfillment.order.unit import ShelfBook


def forget(book: ShelfBook, delivery: Delivery[OrderDeleted]) -> None:
    """Mark the order as deleted. Raises Wait for an unknown order."""
    deleted = delivery.message
    order = book.orders.get((deleted.shop, deleted.order_id))
    if order is None:
        raise Wait(order_key(deleted.order_id), "order_unknown")
    book.forget(order, deleted.deleted_at)
