"""A resync goes on batch by batch from where it was, never more than a little ahead of the broker."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.fulfillment.position import FulfilmentPosition, StockStanding
from contracts.fulfillment.stock import StockReserved
from services.chassis.messaging import outbox_store
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.outbound.outgoing_messages import outgoing_of, properties_of
from services.chassis.messaging.outgoing import REPLAY_HEADER, SNAPSHOT_HEADER
from services.chassis.messaging.recovery import resyncing
from services.chassis.messaging.recovery.resyncing import BATCH_ORDERS, resync_next
from services.chassis.messaging.snapshots import Snapshot, SnapshotMessage, Wanted
from services.chassis.testing import Desk
from tests.chassis.conftest import SampleDesks
from tests.chassis.operators import operator
from tests.chassis.sample import SHOP, subscribers

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ids(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The ids of two batches and a half of orders, whose snapshot the sample service can tell."""
    known = sorted(uuid4() for _ in range(BATCH_ORDERS * 5 // 2))

    async def count(_: Any, wanted: Wanted) -> int:
        return len(known) if wanted.shop == SHOP else 0

    async def find(_: Any, wanted: Wanted, after: UUID | None, limit: int) -> list[UUID]:
        return [one for one in known if after is None or one > after][:limit]

    async def read_snapshot(_: Any, shop: str, orders: Sequence[UUID]) -> list[SnapshotMessage]:
        position = FulfilmentPosition(version=7, stock=StockStanding.RESERVED, lines=[])
        return [
            SnapshotMessage(StockReserved(shop=shop, order_id=one, code="A7K3M", position=position), SINCE)
            for one in orders
        ]

    monkeypatch.setitem(subscribers.snapshots, "orders", Snapshot(count, find, read_snapshot))
    return known


async def request_resync(desk: Desk, **more: Any) -> Any:
    """What the route answers."""
    async with operator(desk.hub) as client:
        body = {"consumer": "orders", "shop": SHOP, "actor": "ann", **more}
        return (await client.post("/internal/resync", json=body)).json()


async def resynced_orders(desk: Desk) -> list[UUID]:
    """The orders told so far, as the relay would publish them to orders alone."""
    rows = await desk.fetch("SELECT * FROM msg.dispatch ORDER BY event_id")
    assert {(row["exchange"], row["routing_key"]) for row in rows} <= {
        (desk.hub.service, "orders.fulfillment")
    }
    return [UUID(json.loads(row["body"])["order_id"]) for row in rows]


async def test_a_process_that_dies_is_followed_by_one_that_goes_on(
    sample_desks: SampleDesks, ids: list[UUID]
) -> None:
    first, second = await sample_desks(), await sample_desks()
    counted = await request_resync(first, dry=True)
    assert (counted["orders"], counted["resync_id"]) == (len(ids), None)
    assert not await resync_next(first.hub, subscribers.snapshots)
    assert (await request_resync(first))["orders"] == len(ids)
    assert await resync_next(first.hub, subscribers.snapshots)
    await first.close()
    assert await resynced_orders(second) == ids[:BATCH_ORDERS]
    while await resync_next(second.hub, subscribers.snapshots):
        pass
    assert await resynced_orders(second) == ids
    async with operator(second.hub) as client:
        (shown,) = (await client.get("/internal/operations")).json()["resyncs"]
    assert (shown["told"], shown["messages"], shown["to_leave"]) == (len(ids),) * 3
    assert shown["ended_at"] is not None
    assert await second.fetchval("SELECT count(*) FROM msg.event_log") == 0


async def test_it_waits_for_the_broker_however_many_orders_there_are(
    sample_desks: SampleDesks, ids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resyncing, "MOST_TO_LEAVE", BATCH_ORDERS + 1)
    desk = await sample_desks()
    await request_resync(desk)
    assert [await resync_next(desk.hub, subscribers.snapshots) for _ in range(3)] == [True, True, False]
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    assert [await resync_next(desk.hub, subscribers.snapshots) for _ in range(2)] == [True, False]
    assert await resynced_orders(desk) == ids[2 * BATCH_ORDERS :]


async def test_a_snapshot_leaves_as_a_replay_without_a_sequence(
    sample_desks: SampleDesks, ids: list[UUID]
) -> None:
    desk = await sample_desks()
    resync_id = (await request_resync(desk))["resync_id"]
    await resync_next(desk.hub, subscribers.snapshots)
    async with desk.hub.acquire() as connection:
        rows = await outbox_store.take_dispatches(connection, desk.hub.owner, timedelta(), 1)
    [outgoing] = [outgoing_of(row, desk.hub.service) for row in rows]
    headers = dict(properties_of(outgoing, desk.hub.service, "fulfillment").headers or {})
    assert (headers[REPLAY_HEADER], outgoing.envelope.time) == (resync_id, SINCE)
    assert (outgoing.envelope.sequence, outgoing.envelope.causation_id) == (None, None)
    assert RawMessage("orders.fulfillment", headers, outgoing.body).is_snapshot
    assert not RawMessage("orders.storefront", headers, outgoing.body).is_snapshot
    del headers[SNAPSHOT_HEADER]
    assert not RawMessage("orders.fulfillment", headers, outgoing.body).is_snapshot
