"""What people do to orders here without asking another service: its cause, its orders, its result.

Invariant: a deed's orders are locked in one sequence (by id) like those of a batch of messages, so that two people and
a message can never wait for each other in a circle; and a deed on many orders answers for each of them.
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
"""Orders of one deed: more are done in several."""


class TooManyOrders(Refusal):
    """A deed names more orders than one transaction should lock."""

    code = "too_many_orders"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} orders are named, at most {MOST_ORDERS} can be changed at once; send parts"
        )


class OrderUnknown(Refusal):
    """The shop has no such order."""

    code = "order_unknown"
    status = 404

    def __init__(self, shop: str, order_id: UUID) -> None:
        super().__init__(f"shop {shop} has no order {order_id}; look for it in the list")
        self.order_id = order_id


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What a deed did to one order: `changed`, or why not, as a code and a sentence; `code` is the order's."""

    order_id: UUID
    code: str | None
    changed: bool
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class StaffAction:
    """A person's deed that is no message, as the cause of what follows. `type` is written like a message's."""

    id: UUID
    type: str
    time: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an order is not changed: a stable code and a sentence."""

    reason: str
    detail: str


def deed(unit: Unit, type: str, actor: str) -> StaffAction:
    """A new deed in this unit."""
    return StaffAction(uuid7(), type, unit.now, actor)


async def open_orders(unit: Unit, shop: str, order_ids: Iterable[UUID]) -> OrderUnit:
    """A book with these orders locked; unknown ones are missing in it. Raises TooManyOrders."""
    keys = sorted({(shop, order_id) for order_id in order_ids})
    if len(keys) > MOST_ORDERS:
        raise TooManyOrders(len(keys))
    work = OrderUnit(unit)
    await work.load_orders(keys)
    return work


def each_order(
    work: OrderUnit, shop: str, order_ids: Sequence[UUID], change: Callable[[Order], Rejection | None]
) -> list[OrderResult]:
    """Change each of these orders, in the sequence asked for, each once: what became of it. `change` gives why it
    did nothing, or None."""
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
