"""Deletion of an order's personal data: its units were stopped before; its movements stay, because they
explain the stock.

The order is marked, and from then on it is no longer listed as work to do.
"""

from contracts.orders.lifecycle import OrderDeleted
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.fulfillment.order.unit.unit import FulfillmentUnit


def forget(work: FulfillmentUnit, received: ReceivedMessage[OrderDeleted]) -> None:
    """Mark the order as deleted. Raises Wait for an unknown order.

    Idempotent: a repeat leaves the order deleted.
    """
    deleted = received.message
    order = work.orders.get((deleted.shop, deleted.order_id))
    if order is None:
        raise Wait(order_key(deleted.order_id), "order_unknown")
    work.forget(order, deleted.deleted_at)
