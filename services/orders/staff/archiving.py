"""Archiving: finished orders leave the active list, and can be restored.

Invariant: archiving changes nothing else of an order: neither state nor money, goods or mails. An archived
order that a later fact makes unfinished stays archived; its state shows this, and staff can restore it.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from contracts.envelope import uuid7
from contracts.orders.lifecycle import OrderState
from services.chassis.messaging.unit import Unit
from services.orders.order.record import Order
from services.orders.order.unit.actions import (
    OrderResult,
    Rejection,
    StaffAction,
    each_order,
    new_action,
    open_orders,
)

ARCHIVE, UNARCHIVE = "orders.order.archive", "orders.order.unarchive"
FINISHED = frozenset({OrderState.COMPLETED, OrderState.CANCELLED, OrderState.ABANDONED})
"""Shown states of orders that need no more work."""
Refuse = Callable[[Order], Rejection | None]


async def archive(unit: Unit, shop: str, order_ids: Sequence[UUID], actor: str) -> list[OrderResult]:
    """Archive finished orders; others are skipped with a reason: `not_finished`, `archived_already`.

    Raises TooManyOrders.
    """
    cause = new_action(unit, ARCHIVE, actor)
    return await _move(unit, shop, order_ids, cause, refuse_to_archive, "archived")


async def unarchive(unit: Unit, shop: str, order_ids: Sequence[UUID], actor: str) -> list[OrderResult]:
    """Restore archived orders; others are skipped with a reason: `not_archived`. Raises TooManyOrders."""
    cause = new_action(unit, UNARCHIVE, actor)
    return await _move(unit, shop, order_ids, cause, refuse_to_unarchive, "unarchived")


def refuse_to_archive(order: Order) -> Rejection | None:
    """Return the reason why an order cannot be archived, if there is one."""
    if order.archived_at is not None:
        return Rejection(
            "archived_already", f"order {order.code} is archived since {order.archived_at:%Y-%m-%d}"
        )
    if order.state not in FINISHED:
        return Rejection(
            "not_finished",
            f"order {order.code} is {order.state}; archive it when it is completed, cancelled or abandoned",
        )
    return None


def refuse_to_unarchive(order: Order) -> Rejection | None:
    """Return the reason why an order cannot be restored, if there is one."""
    if order.archived_at is None:
        return Rejection("not_archived", f"order {order.code} is not archived; it is in the active list")
    return None


async def _move(
    unit: Unit, shop: str, order_ids: Sequence[UUID], cause: StaffAction, refuse: Refuse, kind: str
) -> list[OrderResult]:
    work = await open_orders(unit, shop, order_ids)

    def move(order: Order) -> Rejection | None:
        if no := refuse(order):
            return no
        order.archived_at = unit.now if kind == "archived" else None
        work.note(shop, order.id, kind, uuid7(), cause.actor, cause, {})
        work.changed(order, cause, cause.actor)
        return None

    results = each_order(work, shop, order_ids, move)
    await work.save()
    return results
