"""The actions by which staff change placed orders: edit, cancel, reinstate, delete.

Orders carries them out itself, together with fulfillment where units are reserved or packed: the outcome of such
a change comes with fulfillment's answer. The row, the change and the request to fulfillment are one transaction; a
change that cannot be made raises a Refusal and leaves none of them.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from contracts.envelope import uuid7
from contracts.orders.changes import ChangeCause
from services.chassis.messaging.unit import Unit
from services.orders.api.actions.action import Action, Settles, own_action
from services.orders.changes import cancelling, deleting, editing, reinstating
from services.orders.changes.requests import (
    CancellationRequest,
    DeletionRequest,
    EditRequest,
    ReinstatementRequest,
)
from services.orders.order.history import require_revision
from services.orders.order.record import Order
from services.orders.order.unit.actions import OrderUnknown, StaffAction, open_orders
from services.orders.order.unit.edits.edit import COMMAND_TYPES
from services.orders.order.unit.unit import OrderUnit

Begin = Callable[[OrderUnit, Order, StaffAction], Awaitable[None]]
Change = CancellationRequest | DeletionRequest | EditRequest | ReinstatementRequest


def edit(shop: str, order_id: UUID, key: str, actor: str, request: EditRequest) -> Action:
    """Return the action that edits an order."""

    async def begin(work: OrderUnit, order: Order, action: StaffAction) -> None:
        editing.edit(work, order, request, action.id, actor, action)

    return _change(ChangeCause.EDITED, shop, order_id, key, actor, request, begin)


def cancel(shop: str, order_id: UUID, key: str, actor: str, request: CancellationRequest) -> Action:
    """Return the action that cancels units that have not left."""

    async def begin(work: OrderUnit, order: Order, action: StaffAction) -> None:
        cancelling.cancel(
            work,
            order,
            action.id,
            actor,
            request.reason,
            action,
            notify_customer=request.notify_customer,
            public_comment=request.public_comment,
        )

    return _change(ChangeCause.CANCELLED, shop, order_id, key, actor, request, begin)


def reinstate(shop: str, order_id: UUID, key: str, actor: str, request: ReinstatementRequest) -> Action:
    """Return the action that reverses a cancellation."""

    async def begin(work: OrderUnit, order: Order, action: StaffAction) -> None:
        reinstating.reinstate(work, order, action.id, actor, request.reason, action)

    return _change(ChangeCause.REINSTATED, shop, order_id, key, actor, request, begin)


def delete(
    shop: str, order_id: UUID, key: str, actor: str, request: DeletionRequest, *, force: bool = False
) -> Action:
    """Return the action that deletes an order; `force` bypasses the guards and needs a permission of its own."""

    async def begin(work: OrderUnit, order: Order, action: StaffAction) -> None:
        against = await deleting.reasons_against(work.unit.connection, order)
        deleting.delete(work, order, action.id, actor, request.reason, action, against=against, force=force)

    return _change(ChangeCause.DELETED, shop, order_id, key, actor, request, begin)


def _change(
    cause: ChangeCause, shop: str, order_id: UUID, key: str, actor: str, request: Change, begin: Begin
) -> Action:
    """Return the action; `request.revision` is the revision it was based on, None skips that check."""
    command_id, command_type = uuid7(), COMMAND_TYPES[cause]

    async def act(unit: Unit) -> Settles:
        work = await open_orders(unit, shop, [order_id])
        order = work.orders.get((shop, order_id))
        if order is None:
            raise OrderUnknown(shop, order_id)
        await require_revision(unit.connection, order, request.revision)
        await work.edits.load([(shop, order_id)])
        await begin(work, order, StaffAction(command_id, command_type, unit.now, actor))
        await work.save()
        return Settles.NOW if command_id in work.outcomes else Settles.LATER

    content = request.model_dump_json(exclude_unset=True)
    return own_action(shop, order_id, key, command_type, actor, content, act, command_id)
