"""A timer fires once, in the transaction that removes it."""

import asyncio
from datetime import timedelta
from typing import Any

from services.chassis.background.workers import timer_worker
from services.chassis.messaging.unit import Unit
from services.chassis.testing import Desk
from tests.chassis.conftest import SampleDesks


async def fire(unit: Unit, key: str, payload: dict[str, Any]) -> None:
    """Note that it fired; some never can."""
    if payload.get("broken"):
        raise ValueError(key)
    await unit.connection.execute("INSERT INTO opened VALUES ($1)", key)


WORKER = timer_worker({"bell": fire})


async def set_bells(desk: Desk, *keys: str, kind: str = "bell", minutes: float = -1, **payload: Any) -> None:
    async with desk.unit() as unit:
        for key in keys:
            unit.set_timer(kind, key, unit.now + timedelta(minutes=minutes), payload)


async def fired(desk: Desk) -> list[str]:
    """Fire all that is due; the keys of all that have fired so far."""
    while await WORKER._run(desk.hub):
        pass
    return sorted(row["key"] for row in await desk.fetch("SELECT key FROM opened"))


async def test_what_is_due_fires_once_also_with_several_processes(sample_desks: SampleDesks) -> None:
    desks = [await sample_desks() for _ in range(3)]
    await set_bells(desks[0], *"abcdef")
    await set_bells(desks[0], "later", minutes=5)
    await asyncio.gather(*map(fired, desks))
    assert await fired(desks[0]) == [*"abcdef"]


async def test_set_again_it_moves_and_cancelled_it_is_gone(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await set_bells(desk, "moved", "cancelled")
    await set_bells(desk, "moved", minutes=5)
    async with desk.unit() as unit:
        unit.cancel_timer("bell", "cancelled")
        unit.set_timer("bell", "never", unit.now, {})
        unit.cancel_timer("bell", "never")
        unit.cancel_timer("bell", "anew")
        unit.set_timer("bell", "anew", unit.now - timedelta(seconds=1), {})
    assert await fired(desk) == ["anew"]
    assert await desk.fetchval("SELECT string_agg(key, ',') FROM msg.timer") == "moved"


async def test_one_that_fails_or_that_nobody_handles_lets_the_others_fire(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await set_bells(desk, "broken", minutes=-9, broken=True)
    await set_bells(desk, "unknown", kind="gong", minutes=-8)
    await set_bells(desk, "good")
    assert await fired(desk) == ["good"]
    kept = await desk.fetch("SELECT key, due_at > now() AS later FROM msg.timer ORDER BY key")
    assert [(row["key"], row["later"]) for row in kept] == [("broken", True), ("unknown", True)]


async def test_none_goes_unfired_by_a_plan_made_for_a_single_one(sample_desks: SampleDesks) -> None:
    """Statistics of a table with one row made a plan that removed more timers than it returned."""
    desk = await sample_desks()
    await set_bells(desk, "first")
    await desk.hub.pool.execute("ANALYZE msg.timer")
    keys = [f"{number:02}" for number in range(20)]
    await set_bells(desk, *keys)
    assert await fired(desk) == [*keys, "first"]


async def test_a_batch_that_moves_a_timer_while_it_fires_goes_first(sample_desks: SampleDesks) -> None:
    """Each holds what the other wants: the handler waits for the order, and must not hold the timer meanwhile."""
    desk = await sample_desks()
    await desk.hub.pool.execute("INSERT INTO opened VALUES ('order')")
    entered = asyncio.Event()

    async def touch(unit: Unit, key: str, payload: dict[str, Any]) -> None:
        entered.set()
        await unit.connection.execute("UPDATE opened SET key = 'fired' WHERE key = 'order'")

    worker = timer_worker({"bell": touch})
    await set_bells(desk, "bell")
    async with desk.unit() as unit:
        await unit.connection.execute("SELECT FROM opened WHERE key = 'order' FOR UPDATE")
        firing = asyncio.ensure_future(worker._run(desk.hub))
        await entered.wait()
        unit.set_timer("bell", "bell", unit.now + timedelta(minutes=5), {})
    assert await firing
    assert await desk.fetchval("SELECT key FROM opened") == "order", "it was moved, so it has not fired"
    assert await desk.fetchval("SELECT due_at > now() FROM msg.timer")
