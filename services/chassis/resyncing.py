"""Telling anew: a service says from its own tables how its orders stand, to one listener that lost its copy of them.

The event log forgets; an owner's tables do not. What is told here is no event: it has no sequence, is in no log and
goes to the one queue alone, marked as a replay, so that it is heard once per resync and without outward effects. The
messages of a batch and how far the resync is are one commit, so a process that dies neither skips nor repeats any;
no more than `MOST_TO_LEAVE` wait in the outbox, however many orders a shop has.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from contracts.catalogue import CATALOGUE, queue_of
from contracts.envelope import Envelope, uuid7
from services.chassis import resync_store
from services.chassis.database import Connection
from services.chassis.outgoing import Standing
from services.chassis.working import Worker

if TYPE_CHECKING:
    from services.chassis.hub import Hub

WORKER = "resyncs"
BATCH_ORDERS = 100
MOST_TO_LEAVE = 2_000
MOST_NAMED = 1_000


class CannotTell(Exception):
    """What was asked can't be told anew; the text says what can."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders: all of a shop, or those named."""

    shop: str
    orders: Sequence[UUID] | None = None


@dataclass(frozen=True)
class Truth:
    """How a service tells one listener its truth. `count` and `find` say which orders it has of those wanted: how many,
    and the ids of the next ones after one, ascending. `tell` locks these orders, so that what it reads is one state,
    and gives what is to be said of them."""

    count: Callable[[Connection, Wanted], Awaitable[int]]
    find: Callable[[Connection, Wanted, UUID | None, int], Awaitable[list[UUID]]]
    tell: Callable[[Connection, str, Sequence[UUID]], Awaitable[list[Standing]]]


async def ask(hub: "Hub", body: dict[str, Any], actor: str) -> dict[str, Any]:
    """Have the truth about a shop's orders told anew to `consumer`, or with `dry` count them. Raises CannotTell."""
    truths, consumer, wanted = hub.subscribers.truths, str(body.get("consumer", "")), _wanted(body)
    if consumer not in truths:
        able = ", ".join(sorted(truths)) or "nobody; have its events replayed"
        raise CannotTell(f"{hub.service} can tell its truth to: {able}")
    queue, is_dry, resync_id = queue_of(consumer, hub.service), body.get("dry") is True, uuid7()
    async with hub.unit() as unit:
        count = await truths[consumer].count(unit.connection, wanted)
        if not count:
            raise CannotTell(
                f"{hub.service} has no such order of shop {wanted.shop}; check the shop's name and the ids"
            )
        if not is_dry:
            await resync_store.note_resync(
                unit.connection,
                resync_id,
                consumer,
                queue,
                wanted.shop,
                wanted.orders,
                count,
                actor,
                unit.now,
            )
    if not is_dry:
        hub.log.info(
            "resync", actor=actor, queue=queue, shop=wanted.shop, orders=count, resync_id=str(resync_id)
        )
        hub.nudge(WORKER)
    return {"resync_id": None if is_dry else resync_id, "queue": queue, "shop": wanted.shop, "orders": count}


def _wanted(body: dict[str, Any]) -> Wanted:
    shop, orders = body.get("shop"), body.get("orders")
    if not isinstance(shop, str) or not shop or "\0" in shop:
        raise CannotTell("give the shop whose orders are to be told anew")
    if orders is None:
        return Wanted(shop)
    if not isinstance(orders, list) or not 0 < len(orders) <= MOST_NAMED:
        raise CannotTell(f"give 1 to {MOST_NAMED} ids of orders, or leave orders out for all of the shop")
    try:
        return Wanted(shop, sorted({UUID(str(one)) for one in orders}))
    except ValueError:
        raise CannotTell("orders are ids: give UUIDs") from None


def worker() -> Worker:
    """The worker that tells what was asked for, batch by batch."""
    return Worker(WORKER, tell_on, idle_seconds=1.0)


async def tell_on(hub: "Hub") -> bool:
    """Tell the next batch of the resync that was asked for first; whether there is more to do at once."""
    async with hub.acquire() as connection:
        if not await resync_store.is_any_open(connection):
            return False
    async with hub.unit() as unit:
        connection = unit.connection
        row = await resync_store.take_open(connection)
        if (
            row is None
            or await resync_store.count_to_leave(connection, row["id"], MOST_TO_LEAVE) >= MOST_TO_LEAVE
        ):
            return False
        truth, wanted = hub.subscribers.truths[row["consumer"]], Wanted(row["shop"], row["orders"])
        ids = await truth.find(connection, wanted, row["told_until"], BATCH_ORDERS)
        told = await truth.tell(connection, wanted.shop, ids) if ids else []
        if told:
            said = [_said(hub.service, standing) for standing in told]
            await resync_store.queue_standing(
                connection, row["id"], hub.service, row["queue"], hub.owner, said
            )
        ended_at = unit.now if len(ids) < BATCH_ORDERS else None
        last = ids[-1] if ids else None
        await resync_store.advance(connection, row["id"], last, len(ids), len(told), ended_at)
    return True


def _said(service: str, standing: Standing) -> tuple[UUID, str, bytes]:
    message: Any = standing.message
    envelope = Envelope(
        id=uuid7(),
        source=f"/{service}",
        type=CATALOGUE[f"{service}.{message.wire_name}"].type,
        time=standing.since,
        shop=message.shop,
        subject=str(message.order_id),
        correlation_id=str(message.order_id),
    )
    body = message.__pydantic_serializer__.to_json(message, exclude_none=True)
    return envelope.id, json.dumps(envelope.headers()), body
