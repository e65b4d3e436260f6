"""Declined requests: the order is not cancelled, and the customer gets the reason, by mail and on the order's page.

Accepting a request is the cancellation itself.
"""

from uuid import UUID

from contracts.envelope import uuid7
from contracts.notifier.page import CancellationDeclined
from services.chassis.messaging.unit import Unit
from services.chassis.texts import trimmed
from services.orders.order.cancellation import DECLINED
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.unit.actions import OrderUnknown, open_orders

LONGEST_REASON = 2000


class NoRequestOpen(Refusal):
    """Error: the order has no open request."""

    code = "no_request_open"
    status = 409

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.code} has no open request to cancel; look at its activity")


class ReasonUnusable(Refusal):
    """Error: the reason for the customer is empty or too long."""

    code = "reason_unusable"

    def __init__(self, length: int) -> None:
        super().__init__(f"the reason has {length} characters; write 1 to {LONGEST_REASON} for the customer")


async def decline(unit: Unit, shop: str, order_id: UUID, reason: str, actor: str) -> None:
    """Decline the order's open request, with a reason for the customer.

    Raises OrderUnknown, NoRequestOpen, ReasonUnusable.
    """
    work = await open_orders(unit, shop, [order_id])
    order = work.orders.get((shop, order_id))
    if order is None:
        raise OrderUnknown(shop, order_id)
    if order.cancellation_requested_at is None:
        raise NoRequestOpen(order)
    text = trimmed(reason.replace("\0", ""))
    if not 1 <= len(text) <= LONGEST_REASON:
        raise ReasonUnusable(len(text))
    declined = CancellationDeclined(
        shop=shop, order_id=order_id, code=order.code, public_comment=text, actor=actor
    )
    cause = unit.emit(declined, about=order)
    order.cancellation_requested_at = None
    work.note(shop, order_id, DECLINED, uuid7(), actor, cause, {"reason": text})
    work.changed(order, cause, actor)
    await work.save()
