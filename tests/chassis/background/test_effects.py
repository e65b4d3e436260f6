"""External effects: once planned they are done, retried, failed or uncertain, and always recorded."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from contracts.service import CommandDone
from services.chassis.background.effects import (
    Done,
    Effect,
    EffectWorker,
    Failed,
    Outcome,
    Retry,
    Uncertain,
    decide,
)
from services.chassis.messaging.unit import Unit
from services.chassis.testing import Desk, wait_until
from tests.chassis.conftest import SampleDesks
from tests.chassis.proxy import Proxy, through
from tests.chassis.sample import SHOP, ask


class Errands:
    """The world outside: what was performed, and what the worker recorded."""

    def __init__(self, answer: Callable[[Effect], Outcome] = lambda effect: Done()) -> None:
        self.answer = answer
        self.performed: list[str] = []
        self.recorded: list[tuple[str, str]] = []
        self.unrecordable: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def perform(self, effect: Effect) -> Outcome:
        self.performed.append(effect.key)
        await self.gate.wait()
        return self.answer(effect)

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        for effect, _ in results:
            if effect.payload["sku"] in self.unrecordable:
                raise KeyError(effect.key)
            done = CommandDone(shop=SHOP, command_id=UUID(int=1), command_type="errand")
            unit.emit(done, subject=effect.key)
        self.recorded += [(effect.key, type(outcome).__name__) for effect, outcome in results]

    def worker(self, **settings: Any) -> EffectWorker:
        return EffectWorker("errand", self.perform, self.record, **settings)


async def planned(sample_desks: SampleDesks, *skus: str, **settings: Any) -> Desk:
    """A desk at which errands are planned."""
    desk = await sample_desks(**settings)
    for sku in skus:
        await desk.deliver(ask("errand", sku))
    return desk


async def states(desk: Desk) -> dict[str, str]:
    """The state of each errand by its SKU."""
    rows = await desk.fetch("SELECT payload ->> 'sku' AS sku, state FROM msg.effect")
    return {row["sku"]: row["state"] for row in rows}


async def due_now(desk: Desk) -> None:
    await desk.hub.pool.execute("UPDATE msg.effect SET next_at = now(), lease_until = now() - interval '1 s'")


@pytest.mark.parametrize(
    ("outcome", "state"), [(Done(), "done"), (Failed("no"), "failed"), (Uncertain("?"), "uncertain")]
)
async def test_it_is_performed_once_and_recorded_with_its_state(
    sample_desks: SampleDesks, outcome: Outcome, state: str
) -> None:
    desk = await planned(sample_desks, "A", "B")
    errands = Errands(lambda effect: outcome)
    worker = errands.worker()
    while await worker.run(desk.hub):
        pass
    assert await states(desk) == {"A": state, "B": state}
    assert len(errands.performed) == len(set(errands.performed)) == 2
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log WHERE subject LIKE 'errand:%'") == 2


async def test_a_retry_waits_longer_each_time_and_fails_in_the_end(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A", retry_seconds=10)
    worker, pauses = Errands(lambda effect: Retry("busy")).worker(attempts=3), []
    for _ in range(2):
        await worker.run(desk.hub)
        pauses.append(
            await desk.fetchval("SELECT extract(epoch FROM next_at - updated_at)::float FROM msg.effect")
        )
        assert not await worker.run(desk.hub)
        await desk.hub.pool.execute("UPDATE msg.effect SET next_at = now()")
    assert [5 * 2**n <= pause <= 10 * 2**n for n, pause in enumerate(pauses)] == [True, True]
    await worker.run(desk.hub)
    assert await states(desk) == {"A": "failed"}
    assert "given up after 3 tries: busy" in await desk.fetchval("SELECT detail FROM msg.effect")


async def test_one_that_raises_is_uncertain(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    await Errands(lambda effect: Done(1 / 0)).worker().run(desk.hub)  # type: ignore[arg-type]
    assert await states(desk) == {"A": "uncertain"}


async def test_one_whose_process_died_in_flight_is_uncertain_and_not_repeated(
    sample_desks: SampleDesks,
) -> None:
    desk = await planned(sample_desks, "A")
    dying = Errands()
    dying.gate.clear()
    running = asyncio.create_task(dying.worker().run(desk.hub))
    await wait_until(lambda: is_begun(dying))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await states(desk) == {"A": "in_flight"}
    await due_now(desk)
    later = Errands()
    assert not await later.worker().run(desk.hub)
    assert await states(desk) == {"A": "uncertain"}
    assert (later.performed, [outcome for _, outcome in later.recorded]) == ([], ["Uncertain"])


async def test_one_of_another_kind_is_left_to_its_own_worker(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    await desk.hub.pool.execute("UPDATE msg.effect SET kind = 'other', state = 'in_flight'")
    await due_now(desk)
    await Errands().worker().run(desk.hub)
    assert await states(desk) == {"A": "in_flight"}


async def test_the_gauges_are_measured_at_once_and_then_every_few_seconds(
    sample_desks: SampleDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, measured = await planned(sample_desks), []

    async def measure(*_: object) -> None:
        measured.append(True)

    worker = Errands().worker()
    monkeypatch.setattr(worker._settling, "measure", measure)
    for _ in range(3):
        await worker.run(desk.hub)
    assert len(measured) == 1


async def is_begun(errands: Errands) -> bool:
    return bool(errands.performed)


async def test_an_outcome_outlives_a_database_outage(sample_desks: SampleDesks, sample_database: str) -> None:
    """The mail is out; while the database is unavailable its outcome is kept, not lost."""
    async with Proxy(urlsplit(sample_database).port or 0) as proxy:
        desk = await planned(sample_desks, "A", database_url=through(sample_database, proxy.port))
        errands = Errands()
        errands.gate.clear()
        running = asyncio.create_task(errands.worker().run(desk.hub))
        await wait_until(lambda: is_begun(errands))
        proxy.become_unavailable()
        errands.gate.set()
        await wait_until(lambda: was_asked_for(proxy))
        proxy.come_back()
        assert await running
        assert await states(desk) == {"A": "done"}
        assert len(errands.performed) == 1


async def was_asked_for(proxy: Proxy) -> bool:
    """Whether somebody tried in vain."""
    return proxy.refused > 1


async def test_one_that_cannot_be_recorded_holds_up_no_other(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A", "B", "C")
    errands = Errands()
    errands.unrecordable.add("B")
    await errands.worker().run(desk.hub)
    assert await states(desk) == {"A": "done", "B": "uncertain", "C": "done"}
    assert "was done" in await desk.fetchval("SELECT detail FROM msg.effect WHERE state = 'uncertain'")


async def test_a_lost_one_that_cannot_be_recorded_holds_up_no_other(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A", "B")
    await desk.hub.pool.execute(
        "UPDATE msg.effect SET state = 'in_flight', lease_until = now() - interval '1 s'"
    )
    errands = Errands()
    errands.unrecordable.add("A")
    await errands.worker().run(desk.hub)
    assert await states(desk) == {"A": "uncertain", "B": "uncertain"}
    assert [outcome for _, outcome in errands.recorded] == ["Uncertain"]


async def test_a_stop_lets_those_begun_end_and_gives_the_others_back(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A", "B", "C", "D")
    errands = Errands()
    errands.gate.clear()
    running = asyncio.create_task(errands.worker(concurrency=1).run(desk.hub))
    await wait_until(lambda: is_begun(errands))
    desk.hub.stopping.set()
    errands.gate.set()
    await running
    assert sorted((await states(desk)).values()) == ["done", "planned", "planned", "planned"]
    assert await desk.fetchval("SELECT sum(attempts) FROM msg.effect") == 1


async def test_a_slow_one_keeps_its_lease(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    slow, other = Errands(), Errands()
    slow.gate.clear()
    running = asyncio.create_task(slow.worker(lease_seconds=3).run(desk.hub))
    taken = await wait_until(lambda: desk.fetchval("SELECT lease_until FROM msg.effect"))
    extended = "SELECT lease_until > $1::timestamptz + interval '1 s' FROM msg.effect"
    await wait_until(lambda: desk.fetchval(extended, taken))
    await other.worker().run(desk.hub)
    slow.gate.set()
    await running
    assert (other.performed, await states(desk)) == ([], {"A": "done"})


async def test_a_detail_that_postgresql_cannot_hold_is_made_storable(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    await Errands(lambda effect: Failed("550 \0 \ud800")).worker().run(desk.hub)
    assert await states(desk) == {"A": "failed"}


async def test_a_person_decides(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    await Errands(lambda effect: Uncertain("?")).worker().run(desk.hub)
    key = await desk.fetchval("SELECT key FROM msg.effect")
    async with desk.unit() as unit:
        with pytest.raises(ValueError, match="planned, done or discarded"):
            await decide(unit, key, "in_flight", "ann: no such thing")
        assert await decide(unit, key, "planned", "ann: send it again")
        assert not await decide(unit, key, "planned", "ann: twice")
    again = Errands()
    await again.worker().run(desk.hub)
    assert (len(again.performed), await states(desk)) == (1, {"A": "done"})


async def test_the_same_key_planned_twice_is_one_effect(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    for _ in range(2):
        async with desk.unit() as unit:
            unit.plan("errand", "the-key", {"sku": "A"})
            unit.plan("errand", "the-key", {"sku": "B"}, due_at=unit.now + timedelta(days=1))
    assert await states(desk) == {"A": "planned"}


async def test_a_kind_may_have_interrupted_effects_retried(sample_desks: SampleDesks) -> None:
    """Where the outside can be asked first; tries go on counting, pauses grow, so that there is an end."""
    desk = await planned(sample_desks, "A", retry_seconds=10)
    seen: list[tuple[int, bool]] = []

    def interrupted(effect: Effect, why: str) -> Outcome:
        return Retry(why) if effect.attempts < 3 else Uncertain(why)

    def answer(effect: Effect) -> Outcome:
        seen.append((effect.attempts, effect.is_first_try))
        raise RuntimeError("unforeseen")

    worker = Errands(answer).worker(interrupted=interrupted)
    for _ in range(3):
        assert await worker.run(desk.hub)
        assert not await worker.run(desk.hub)
        await due_now(desk)
    assert seen == [(1, True), (2, False), (3, False)]
    assert await states(desk) == {"A": "uncertain"}


async def test_one_that_died_and_is_tried_again_goes_on_counting(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    await desk.hub.pool.execute(
        "UPDATE msg.effect SET state = 'in_flight', attempts = 1, lease_until = now() - interval '1 s'"
    )
    later = Errands()
    worker = later.worker(interrupted=lambda effect, why: Retry(why))
    await worker.run(desk.hub)
    assert (await states(desk), later.performed) == ({"A": "planned"}, [])
    await due_now(desk)
    await worker.run(desk.hub)
    assert await desk.fetchval("SELECT attempts FROM msg.effect") == 2


async def test_an_outcome_waits_for_a_lock_and_holds_up_no_other(sample_desks: SampleDesks) -> None:
    """Two lock time-outs pass; the leases are kept meanwhile, so that no other process takes it for lost."""
    desk = await planned(sample_desks, "A", "B")
    errands = Errands()
    blocked = {"A": 3}

    async def record(unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        for effect, _ in results:
            sku = effect.payload["sku"]
            if blocked.get(sku):
                blocked[sku] -= 1
                await unit.connection.execute("DO $$ BEGIN RAISE lock_not_available; END $$")
        await errands.record(unit, results)

    await EffectWorker("errand", errands.perform, record, lease_seconds=1).run(desk.hub)
    assert await states(desk) == {"A": "done", "B": "done"}
    assert [end for _, end in errands.recorded] == ["Done", "Done"]
    assert len(errands.performed) == 2


async def test_what_cannot_be_recorded_as_it_is_is_reported_as_uncertain(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    errands = Errands()

    async def record(unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        if any(isinstance(outcome, Done) for _, outcome in results):
            raise KeyError("unreadable")
        await errands.record(unit, results)

    await EffectWorker("errand", errands.perform, record).run(desk.hub)
    assert await states(desk) == {"A": "uncertain"}
    assert [end for _, end in errands.recorded] == ["Uncertain"]


async def test_a_key_that_stays_taken_ends_uncertain(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    errands = Errands()

    async def record(unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        if any(isinstance(outcome, Done) for _, outcome in results):
            await unit.connection.execute("DO $$ BEGIN RAISE unique_violation; END $$")
        await errands.record(unit, results)

    await EffectWorker("errand", errands.perform, record).run(desk.hub)
    assert await states(desk) == {"A": "uncertain"}


async def test_after_a_staff_decision_it_is_not_a_first_attempt(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A")
    await Errands(lambda effect: Uncertain("?")).worker().run(desk.hub)
    key = await desk.fetchval("SELECT key FROM msg.effect")
    async with desk.unit() as unit:
        assert await decide(unit, key, "planned", "ann: look again")
    tries: list[tuple[int, bool]] = []

    def answer(effect: Effect) -> Outcome:
        tries.append((effect.attempts, effect.is_first_try))
        return Done()

    await Errands(answer).worker().run(desk.hub)
    assert tries == [(1, False)]
