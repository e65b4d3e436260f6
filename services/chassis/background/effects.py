"""External effects (mails, provider calls): planned with the decision, marked in flight, performed, then settled.

An effect is marked in flight before the call. One whose process died in flight, or that raised, may or may
not have happened. Its kind decides what follows (`interrupted`): `Uncertain`, for an operator to decide, or
`Retry` where the external system can be queried first. A known outcome is kept in memory until it can be
recorded, and every outcome goes through `record`. `attempts` guards against endless repetition: the program
only ever raises it, an operator's decision resets it.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.chassis.background.effect_outcomes import (
    Done,
    Effect,
    Failed,
    Interrupted,
    Outcome,
    Perform,
    Record,
    Retry,
    Uncertain,
    Withdrawn,
)
from services.chassis.background.effect_settlement import Performed, Settling, effect_of
from services.chassis.errors import describe
from services.chassis.failpoints import reach
from services.chassis.messaging import effect_store
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import is_conflict, is_outage

__all__ = [
    "Done",
    "Effect",
    "EffectWorker",
    "Failed",
    "Outcome",
    "Retry",
    "Uncertain",
    "Withdrawn",
    "decide",
    "states_of",
]
log = structlog.get_logger()
CLAIMS_PER_HAND = 2
"""Effects claimed at once per concurrent call: those claimed when the process dies become uncertain."""
LOST_EVERY_SECONDS = 1.0
"""Interval between two looks for effects of dead processes."""
MEASURE_EVERY_SECONDS = 5.0
"""Interval of the gauges: Prometheus scrapes less often, and each measurement is two queries per kind and replica."""
TOGETHER_SECONDS = 0.25
"""Effects finished within this time of one another are recorded in one transaction."""

LONGEST_PAUSE_SECONDS = 2.0
"""Longest pause between attempts to record an outcome while the database is unavailable or a row is locked."""
UNLIMITED = 2**31 - 1
"""For `attempts`, where the kind decides itself when to give up."""


def _uncertain(_: Effect, why: str) -> Outcome:
    return Uncertain(why)


class EffectWorker:
    """Worker for one kind of effect. `record` runs inside the transaction that settles a batch; `interrupted`
    returns the outcome of an effect that was in flight when its process died or that raised, and why."""

    def __init__(
        self,
        kind: str,
        perform: Perform,
        record: Record,
        concurrency: int = 8,
        attempts: int = 12,
        lease_seconds: float | None = None,
        interrupted: Interrupted = _uncertain,
    ) -> None:
        self.kind = kind
        self._perform = perform
        self._concurrency = concurrency
        self._lease_seconds = lease_seconds
        self._interrupted = interrupted
        self._settling = Settling(kind, record, attempts, interrupted)
        self._lost_checked_at = 0.0
        self._measured_at = -MEASURE_EVERY_SECONDS

    async def run(self, process: Process) -> bool:
        """Perform the effects that are due, settle those of a dead process. Return True when there may be
        more to do immediately."""
        await self._settle_lost(process)
        await self._measure(process)
        lease = timedelta(seconds=self._lease_seconds or process.settings.effect_lease_seconds)
        async with process.acquire() as connection:
            rows = await effect_store.take_effects(
                connection, self.kind, process.owner, lease, self._concurrency * CLAIMS_PER_HAND
            )
        if not rows:
            return False
        reach("effect_in_flight")
        await self._perform_all(process, [effect_of(row) for row in rows], lease)
        return True

    async def _perform_all(self, process: Process, effects: Sequence[Effect], lease: timedelta) -> None:
        """Perform and settle. An outcome is settled however long the database is unavailable or its row
        locked meanwhile."""
        gate = asyncio.Semaphore(self._concurrency)
        clock = asyncio.get_running_loop().time
        running = {asyncio.create_task(self._one(process, gate, effect)): effect for effect in effects}
        performed: list[Performed] = []
        pause = TOGETHER_SECONDS
        try:
            while running or performed:
                done, _ = await asyncio.wait(running, timeout=pause) if running else (set(), None)
                performed += [Performed(running.pop(task), task.result(), clock()) for task in done]
                try:
                    performed = await self._settle_and_extend(
                        process, performed, list(running.values()), lease
                    )
                    pause = self._pause_after(pause) if performed else TOGETHER_SECONDS
                except Exception as error:
                    if not is_outage(error) and not is_conflict(error):
                        raise
                    log.warning("outcomes can't be recorded now", kind=self.kind, error=describe(error))
                    pause = self._pause_after(pause)
                if performed and not running:
                    await asyncio.sleep(pause)
        finally:
            for task in running:
                task.cancel()

    def _pause_after(self, pause: float) -> float:
        return min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _settle_and_extend(
        self, process: Process, performed: Sequence[Performed], running: Sequence[Effect], lease: timedelta
    ) -> list[Performed]:
        """Settle performed effects, release those not begun, extend the leases of the rest. Return those to
        be settled later, since their rows are locked."""
        kept = [one for one in performed if one.outcome is not None]
        untouched = [one.effect.key for one in performed if one.outcome is None]
        if kept:
            in_hand = [*running, *(one.effect for one in kept)]
            kept = await self._settling.settle(process, kept, lambda: self._extend(process, in_hand, lease))
        if untouched:
            async with process.acquire() as connection:
                await effect_store.release_effects(connection, process.owner, untouched)
        await self._extend(process, [*running, *(one.effect for one in kept)], lease)
        return kept

    async def _extend(self, process: Process, effects: Sequence[Effect], lease: timedelta) -> None:
        if effects:
            async with process.acquire() as connection:
                await effect_store.extend_leases(
                    connection, process.owner, [effect.key for effect in effects], lease
                )

    async def _one(self, process: Process, gate: asyncio.Semaphore, effect: Effect) -> Outcome | None:
        """Return the outcome of an effect; None when the process was asked to stop before it was begun."""
        async with gate:
            if process.stopping.is_set():
                return None
            try:
                return await self._perform(effect)
            except Exception as error:
                log.error(
                    "effect raised", kind=self.kind, key=effect.key, error=describe(error), exc_info=error
                )
                return self._interrupted(effect, describe(error))

    async def _settle_lost(self, process: Process) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._lost_checked_at >= LOST_EVERY_SECONDS:
            self._lost_checked_at = now
            await self._settling.settle_lost(process)

    async def _measure(self, process: Process) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._measured_at >= MEASURE_EVERY_SECONDS:
            self._measured_at = now
            await self._settling.measure(process)


async def decide(unit: Unit, key: str, state: str, note: str) -> bool:
    """Apply an operator's decision to an effect that has ended: `planned` repeats it with its attempts reset,
    `done` or `discarded` ends it. Never for automatic repetition: that is a `Retry`, which goes on counting."""
    if state not in ("planned", "done", "discarded"):
        raise ValueError(f"an effect can be decided to be planned, done or discarded, not {state}")
    return await effect_store.decide_effect(unit.connection, key, state, note, unit.now)


async def states_of(unit: Unit, keys: Sequence[str]) -> dict[str, str]:
    """Return the states of effects by key, locked until the unit's end, so that they stay valid for a decision."""
    return await effect_store.lock_effects(unit.connection, keys)
