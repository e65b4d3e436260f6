"""The commands by which people change placed orders: edit, cancel, reinstate, delete.

Orders carries them out itself, but like every other command each is a row with one outcome that pages wait
for, sent once per Idempotency-Key. The row, the change and the request to fulfillment are one transaction; a
change that cannot be made raises a Refusal and leaves none of them.
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from contracts.envelope import uuid7
from contracts.orders import ChangeCause
from services.chassis.messaging.process import Transactions
from services.chassis.messaging.unit import Unit
from services.orders.api.actions import store as api_store
from services.orders.api.actions.commanding import WAIT_SECONDS, KeyTaken, Sent
from services.orders.changes import cancelling, deleting, editing, reinstating
from services.orders.changes.requests import (
    CancellationRequest,
    DeletionRequest,
    EditRequest,
    ReinstatementRequest,
)
from services.orders.order.history import require_revision
from services.orders.order.record import Order
from services.orders.order.requests import RequestBody
from services.orders.order.unit.actions import OrderUnknown, StaffAction, open_orders
from services.orders.order.unit.edit import COMMAND_TYPES
from services.orders.order.unit.unit import OrderUnit
from services.orders.order.unit.waiting import waiting

Begin = Callable[[OrderUnit, Order, StaffAction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A requested change. `revision` is the revision it was based on; None skips the check."""

    command_id: UUID
    shop: str
    order_id: UUID
    key: str
    type: str
    actor: str
    request_hash: bytes
    revision: int | None
    begin: Begin


def edit(shop: str, order_id: UUID, key: str, actor: str, asked: EditRequest) -> ChangeRequest:
    """Return the command to edit an order."""

    async def begin(command_id: UUID, work: OrderUnit, order: Order, deed: StaffAction) -> None:
        editing.edit(work, order, asked, command_id, actor, deed)

    return _asking(ChangeCause.EDITED, shop, order_id, key, actor, asked, asked.revision, begin)


def cancel(shop: str, order_id: UUID, key: str, actor: str, asked: CancellationRequest) -> ChangeRequest:
    """Return the command to cancel units that have not left."""

    async def begin(command_id: UUID, work: OrderUnit, order: Order, deed: StaffAction) -> None:
        cancelling.cancel(
            work,
            order,
            command_id,
            actor,
            asked.reason,
            deed,
            notify_customer=asked.notify_customer,
            public_comment=asked.public_comment,
        )

    return _asking(ChangeCause.CANCELLED, shop, order_id, key, actor, asked, asked.revision, begin)


def reinstate(shop: str, order_id: UUID, key: str, actor: str, asked: ReinstatementRequest) -> ChangeRequest:
    """Return the command to reinstate a cancellation."""

    async def begin(command_id: UUID, work: OrderUnit, order: Order, deed: StaffAction) -> None:
        reinstating.reinstate(work, order, command_id, actor, asked.reason, deed)

    return _asking(ChangeCause.REINSTATED, shop, order_id, key, actor, asked, asked.revision, begin)


def delete(
    shop: str, order_id: UUID, key: str, actor: str, asked: DeletionRequest, *, force: bool = False
) -> ChangeRequest:
    """Return the command to delete an order; `force` bypasses the guards and needs a permission of its own."""

    async def begin(command_id: UUID, work: OrderUnit, order: Order, deed: StaffAction) -> None:
        against = await deleting.reasons_against(work.unit.connection, order)
        deleting.delete(work, order, command_id, actor, asked.reason, deed, against=against, force=force)

    return _asking(ChangeCause.DELETED, shop, order_id, key, actor, asked, asked.revision, begin)


async def send(process: Transactions, asking: ChangeRequest) -> Sent:
    """Start a change, once per key; return its command's id and whether it already has its outcome.

    Raises KeyTaken, OrderUnknown, Stale and whatever the change itself raises.
    """
    async with process.unit() as unit:
        if await api_store.add_commands(unit.connection, [asking], unit.now):
            return Sent(asking.command_id, await _begin(unit, asking))
        known = await api_store.read_keys(unit.connection, [asking])
    first = known[asking.shop, asking.key]
    if first["request_hash"] != asking.request_hash:
        raise KeyTaken(asking.key, first["command_id"], first["type"])
    return Sent(first["command_id"], first["state"] != "pending")


async def carry_out(process: Transactions, asking: ChangeRequest) -> api_store.Row:
    """Start a change and wait up to `WAIT_SECONDS`; return its command's row, `pending` while there is no
    outcome.

    Raises what `send` raises.
    """
    sent = await send(process, asking)
    if not sent.is_settled:
        await waiting.wait(sent.command_id, WAIT_SECONDS, partial(_settled_among, process))
    async with process.acquire() as connection:
        row = await api_store.read_command(connection, asking.shop, sent.command_id)
    assert row is not None, f"command {sent.command_id} was committed a moment ago"
    return row


async def _begin(unit: Unit, asking: ChangeRequest) -> bool:
    work = await open_orders(unit, asking.shop, [asking.order_id])
    key = (asking.shop, asking.order_id)
    order = work.orders.get(key)
    if order is None:
        raise OrderUnknown(asking.shop, asking.order_id)
    await require_revision(unit.connection, order, asking.revision)
    await work.edits.load([key])
    deed = StaffAction(asking.command_id, asking.type, unit.now, asking.actor)
    await asking.begin(work, order, deed)
    await work.save()
    return asking.command_id in work.outcomes


def _asking(
    cause: ChangeCause,
    shop: str,
    order_id: UUID,
    key: str,
    actor: str,
    asked: RequestBody,
    revision: int | None,
    begin: Callable[[UUID, OrderUnit, Order, StaffAction], Awaitable[None]],
) -> ChangeRequest:
    command_id, command_type = uuid7(), COMMAND_TYPES[cause]
    content = f"{command_type}\n{order_id}\n{actor}\n{asked.model_dump_json(exclude_unset=True)}"
    digest = hashlib.sha256(content.encode()).digest()
    return ChangeRequest(
        command_id,
        shop,
        order_id,
        key,
        command_type,
        actor,
        digest,
        revision,
        partial(begin, command_id),
    )


async def _settled_among(process: Transactions, command_ids: Collection[UUID]) -> list[UUID]:
    async with process.acquire() as connection:
        return await api_store.settled_among(connection, command_ids)
