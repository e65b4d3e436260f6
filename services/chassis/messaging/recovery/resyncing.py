"""Resync: re-emit the current state of a shop's orders to one consumer that lost its copy, from the owner's tables.

The event log expires; an owner's tables do not. A snapshot is not an event: it has no sequence number, is in
no log and goes to the one queue only, marked as a replay, so that it is handled once per resync and without
external effects. The messages of a batch and the progress of the resync are one commit, so a process that
dies neither skips nor repeats any; at most `MOST_TO_LEAVE` wait in the outbox, however many orders a shop
has.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from contracts.catalogue import CATALOGUE, queue_of
from contracts.envelope import Envelope, uuid7
from services.chassis.messaging.process import Process, Transactions
from services.chassis.messaging.recovery import resync_store
from services.chassis.messaging.snapshots import Snapshot, SnapshotMessage, Wanted

log = structlog.get_logger()
WORKER = "resyncs"
IDLE_SECONDS = 1.0
BATCH_ORDERS = 100
MOST_TO_LEAVE = 2_000
MOST_NAMED = 1_000


class CannotResync(Exception):
    """The requested resync is not possible; the text names what is."""


async def ask(
    process: Process, snapshots: Mapping[str, Snapshot], body: dict[str, Any], actor: str
) -> dict[str, Any]:
    """Start a resync of a shop's orders to `consumer`, or with `dry` count them. Raises CannotResync."""
    consumer, wanted = str(body.get("consumer", "")), _wanted(body)
    if consumer not in snapshots:
        able = ", ".join(sorted(snapshots))
        raise CannotResync(
            f"{process.service} can resync these consumers: {able}, not {consumer or 'nobody'}"
            if able
            else f"{process.service} can resync no consumer; replay its events instead"
        )
    queue, is_dry, resync_id = queue_of(consumer, process.service), body.get("dry") is True, uuid7()
    async with process.unit() as unit:
        count = await snapshots[consumer].count(unit.connection, wanted)
        if not count:
            raise CannotResync(
                f"{process.service} has no such order of shop {wanted.shop}; check the shop's name and the ids"
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
        log.info("resync", actor=actor, queue=queue, shop=wanted.shop, orders=count, resync_id=str(resync_id))
        process.nudge(WORKER)
    return {"resync_id": None if is_dry else resync_id, "queue": queue, "shop": wanted.shop, "orders": count}


def _wanted(body: dict[str, Any]) -> Wanted:
    shop, orders = body.get("shop"), body.get("orders")
    if not isinstance(shop, str) or not shop or "\0" in shop:
        raise CannotResync("shop is missing: name the shop whose orders are to be resynced")
    if orders is None:
        return Wanted(shop)
    if not isinstance(orders, list) or not 0 < len(orders) <= MOST_NAMED:
        raise CannotResync(f"give 1 to {MOST_NAMED:,} ids of orders, or leave orders out for all of the shop")
    return Wanted(shop, sorted({_order_id(one) for one in orders}))


def _order_id(given: Any) -> UUID:
    try:
        return UUID(str(given))
    except ValueError:
        raise CannotResync(
            f"{str(given)[:40]!r} is not an order's id: give the UUID, such as 0192f0c1-7a5e-7c3b-9d1e-2f6a8b4c5d7e"
        ) from None


async def resync_next(process: Transactions, snapshots: Mapping[str, Snapshot]) -> bool:
    """Emit the next batch of the resync that was requested first. Return True when there may be more to do
    immediately.
    """
    async with process.acquire() as connection:
        if not await resync_store.is_any_open(connection):
            return False
    async with process.unit() as unit:
        connection = unit.connection
        row = await resync_store.take_open(connection)
        if (
            row is None
            or await resync_store.count_to_leave(connection, row["id"], MOST_TO_LEAVE) >= MOST_TO_LEAVE
        ):
            return False
        snapshot, wanted = snapshots[row["consumer"]], Wanted(row["shop"], row["orders"])
        ids = await snapshot.find(connection, wanted, row["told_until"], BATCH_ORDERS)
        messages = await snapshot.read(connection, wanted.shop, ids) if ids else []
        if messages:
            rows = [_row(process.service, message) for message in messages]
            await resync_store.queue_snapshot(
                connection, row["id"], process.service, row["queue"], process.owner, rows
            )
        ended_at = unit.now if len(ids) < BATCH_ORDERS else None
        last = ids[-1] if ids else None
        await resync_store.advance(connection, row["id"], last, len(ids), len(messages), ended_at)
    return True


def _row(service: str, snapshot: SnapshotMessage) -> resync_store.SnapshotRow:
    message: Any = snapshot.message
    envelope = Envelope(
        id=uuid7(),
        source=f"/{service}",
        type=CATALOGUE[f"{service}.{message.wire_name}"].type,
        time=snapshot.since,
        shop=message.shop,
        subject=str(message.order_id),
        correlation_id=str(message.order_id),
    )
    body = message.__pydantic_serializer__.to_json(message, exclude_none=True)
    return resync_store.SnapshotRow(id=envelope.id, headers=json.dumps(envelope.headers()), body=body)
