"""Staff actions on orders that involve no other service: cause, orders, results.

Invariant: an action locks its orders in one order (by id), like a batch of messages, so that two people and a
message can never deadlock; and an action on many orders returns a result for each of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.messaging.unit import Unit
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.unit.unit import OrderUnit

MOST_ORDERS = 1000
"""Maximum number of orders per action; more orders take several actions."""


class TooManyOrders(Refusal):
    """Error: an action names more orders than one transaction should lock."""

    code = "too_many_orders"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} orders are named, at most {MOST_ORDERS} can be changed at once; split the request"
        )


class OrderUnknown(Refusal):
    """Error: the shop has no such order."""

    code = "order_unknown"
    status = 404

    def __init__(self, shop: str, order_id: UUID) -> None:
        super().__init__(f"shop {shop} has no order {order_id}; look for it in the list")
        self.order_id = order_id


@dataclass(frozen=True, slots=True)
class OrderResult:
    """Result of an action on one order: `changed`, or the reason as a code and a sentence; `code` is the
    order's.
    """

    order_id: UUID
    code: str | None
    changed: bool
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class StaffAction:
    """Staff action without a message, as the cause of its consequences.

    `type` has the format of message types.
    """

    id: UUID
    type: str
    time: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Reason why an order is not changed: a stable code and a sentence."""

    reason: str
    detail: str


def new_action(unit: Unit, type: str, actor: str) -> StaffAction:
    """Return a new action in this unit."""
    return StaffAction(uuid7(), type, unit.now, actor)


async def open_orders(unit: Unit, shop: str, order_ids: Iterable[UUID]) -> OrderUnit:
    """Lock these orders and return their unit of work; unknown ones are missing in it. Raises TooManyOrders."""
    keys = sorted({(shop, order_id) for order_id in order_ids})
    if len(keys) > MOST_ORDERS:
        raise TooManyOrders(len(keys))
    work = OrderUnit(unit)
    await work.load_orders(keys)
    return work


def each_order(
    work: OrderUnit, shop: str, order_ids: Sequence[UUID], change: Callable[[Order], Rejection | None]
) -> list[OrderResult]:
    """Change each of these orders once, in the order given, and return the results.

    `change` returns the reason why it changed nothing, or None.
    """
    results = []
    for order_id in dict.fromkeys(order_ids):
        order = work.orders.get((shop, order_id))
        if order is None:
            results.append(
                OrderResult(order_id, None, False, OrderUnknown.code, str(OrderUnknown(shop, order_id)))
            )
            continue
        no = change(order)
        if no is None:
            results.append(OrderResult(order_id, order.code, True))
        else:
            results.append(OrderResult(order_id, order.code, False, no.reason, no.detail))
    return results
