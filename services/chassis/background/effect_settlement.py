"""Recording of the outcomes of external effects: together where possible, else one by one.

An unavailable database raises, and the caller keeps the outcomes; a locked row is waited for, as in the group
commit; an outcome that can't be recorded becomes `uncertain`, through `record` too, so that every outcome is
reported.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.chassis import metrics
from services.chassis.background.effect_outcomes import (
    Done,
    Effect,
    Failed,
    Interrupted,
    Outcome,
    Record,
    Retry,
    Uncertain,
    Withdrawn,
)
from services.chassis.errors import describe
from services.chassis.messaging import effect_store
from services.chassis.messaging.inbound.parking import RetryPolicy, storable
from services.chassis.messaging.process import Process
from services.chassis.messaging.recovery.restored import RESTORED
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Row, is_conflict, is_outage, is_unique_violation

log = structlog.get_logger()
KEPT_SECONDS = 600.0
"""An outcome blocked by locks for so long is recorded as uncertain instead."""
CONFLICT_RETRIES = 3
"""Attempts while a key is locked by another transaction: a lasting conflict is attributed to the outcome itself."""
DIED = "the process died while it was in flight"
MEASURED = ("planned", "in_flight", "failed", "uncertain")
_STATES: dict[type, str] = {
    Done: "done",
    Retry: "planned",
    Failed: "failed",
    Uncertain: "uncertain",
    Withdrawn: "discarded",
}


@dataclass(slots=True)
class Performed:
    """An effect that was performed (or released unbegun, outcome None) and is not recorded yet."""

    effect: Effect
    outcome: Outcome | None
    since: float
    clashes: int = 0


class Settling:
    """Recorder of the outcomes of one kind of effect. A `Retry` after `attempts` attempts has failed."""

    def __init__(self, kind: str, record: Record, attempts: int, interrupted: Interrupted) -> None:
        self._kind = kind
        self._record = record
        self._attempts = attempts
        self._interrupted = interrupted

    async def settle(
        self, process: Process, performed: Sequence[Performed], extend: Callable[[], Awaitable[None]]
    ) -> list[Performed]:
        """Settle together; if that fails one by one, so that one that can't be recorded blocks no other.
        Return those whose row is locked."""
        results = [self._or_give_up(one.effect, one.outcome) for one in performed if one.outcome is not None]
        try:
            await self._settle_together(process, results)
            return []
        except Exception as error:
            if is_outage(error):
                raise
        kept = []
        for one, (effect, outcome) in zip(performed, results, strict=True):
            await extend()
            if not await self._settle_one(process, effect, outcome, one):
                kept.append(one)
        return kept

    async def _settle_one(self, process: Process, effect: Effect, outcome: Outcome, one: Performed) -> bool:
        """Settle one effect; one that can't be recorded as it is becomes uncertain. Return False when it was
        blocked by a lock and there is time to wait for it."""
        try:
            await self._settle_together(process, [(effect, outcome)])
        except Exception as error:
            if is_outage(error):
                raise
            if is_conflict(error) and self._may_wait(one, error):
                return False
            log.error("outcome can't be recorded", kind=self._kind, key=effect.key, error=describe(error))
            await self._settle_unrecordable(process, effect, outcome, error)
        return True

    def _may_wait(self, one: Performed, error: Exception) -> bool:
        one.clashes += is_unique_violation(error)
        return one.clashes < CONFLICT_RETRIES and asyncio.get_running_loop().time() - one.since < KEPT_SECONDS

    async def _settle_unrecordable(
        self, process: Process, effect: Effect, outcome: Outcome, error: Exception
    ) -> None:
        """Record that the outcome is unknown; when even that can't, update the effect without `record`."""
        detail = f"was {type(outcome).__name__.lower()}, but that could not be recorded: {describe(error)}"
        try:
            await self._settle_together(process, [(effect, Uncertain(detail))])
        except Exception as again:
            if is_outage(again):
                raise
            log.critical("effect settled without its kind's record", kind=self._kind, key=effect.key)
            async with process.unit() as unit:
                row = effect_store.OutcomeRow(
                    effect.key, "uncertain", storable(detail), next_at=None, is_try=True
                )
                await effect_store.settle_effects(unit.connection, [row], None, unit.now)

    async def _settle_together(self, process: Process, results: Sequence[tuple[Effect, Outcome]]) -> None:
        async with process.unit() as unit:
            settled = await effect_store.settle_effects(
                unit.connection, self._rows(process, unit, results), process.owner, unit.now
            )
            await self._record(
                unit, [(effect, outcome) for effect, outcome in results if effect.key in settled]
            )
        self._count(process, results)

    def _rows(
        self, process: Process, unit: Unit, results: Sequence[tuple[Effect, Outcome]]
    ) -> list[effect_store.OutcomeRow]:
        policy = process.retry_policy
        return [
            effect_store.OutcomeRow(
                key=effect.key,
                state=_STATES[type(outcome)],
                detail=storable(outcome.detail or "") or None,
                next_at=_next_at(effect, outcome, policy, unit.now),
                is_try=_is_try(outcome),
            )
            for effect, outcome in results
        ]

    def _count(self, process: Process, results: Sequence[tuple[Effect, Outcome]]) -> None:
        for _, outcome in results:
            name = outcome.counted_as if isinstance(outcome, Failed) else type(outcome).__name__.lower()
            metrics.EFFECTS.labels(process.service, self._kind, name).inc()

    def _or_give_up(self, effect: Effect, outcome: Outcome) -> tuple[Effect, Outcome]:
        if isinstance(outcome, Retry) and outcome.is_try and effect.attempts >= self._attempts:
            return effect, Failed(f"given up after {effect.attempts} tries: {outcome.detail}")
        return effect, outcome

    async def settle_lost(self, process: Process) -> None:
        """Settle effects that a dead process left in flight. One whose row is locked is picked up again when
        its lease expires."""
        async with process.acquire() as connection:
            if not await effect_store.is_any_lost(connection, self._kind):
                return
        lost: list[tuple[Effect, Outcome]] = []
        try:
            async with process.unit() as unit:
                for row in await effect_store.take_lost_effects(unit.connection, self._kind, 100):
                    effect = effect_of(row)
                    lost.append((effect, self._interrupted(effect, RESTORED if effect.is_restored else DIED)))
                if lost:
                    rows = self._rows(process, unit, lost)
                    await effect_store.settle_effects(unit.connection, rows, None, unit.now)
                    await self._record(unit, lost)
        except Exception as error:
            if is_outage(error) or not lost:
                raise
            await self._adopt(process, lost)
        else:
            self._count(process, lost)

    async def measure(self, process: Process) -> None:
        """Set the gauges of this kind; its counters exist from the first call on."""
        async with process.acquire() as connection:
            counts = await effect_store.count_effects(connection, self._kind)
            ages = await effect_store.effect_ages(connection, self._kind)
        metrics.EFFECT_DUE_AGE.labels(process.service, self._kind).set(ages.due_seconds)
        metrics.EFFECT_AGE.labels(process.service, self._kind).set(ages.begun_seconds)
        for state in MEASURED:
            metrics.EFFECT_ROWS.labels(process.service, self._kind, state).set(counts.get(state, 0))
        for outcome in _STATES:
            metrics.EFFECTS.labels(process.service, self._kind, outcome.__name__.lower())

    async def _adopt(self, process: Process, lost: Sequence[tuple[Effect, Outcome]]) -> None:
        """Settle each lost effect separately, as if this process had claimed it. One whose row is locked
        stays in flight until its lease expires again."""
        async with process.acquire() as connection:
            await effect_store.adopt_effects(connection, process.owner, [effect.key for effect, _ in lost])
        since = asyncio.get_running_loop().time()
        for effect, outcome in lost:
            await self._settle_one(process, effect, outcome, Performed(effect, outcome, since))


def effect_of(row: Row) -> Effect:
    """Return an effect from its row."""
    return Effect(row["key"], row["kind"], json.loads(row["payload"]), row["attempts"], row["detail"])


def _is_try(outcome: Outcome) -> bool:
    return outcome.is_try if isinstance(outcome, Retry) else True


def _next_at(effect: Effect, outcome: Outcome, policy: RetryPolicy, now: datetime) -> datetime | None:
    if not isinstance(outcome, Retry):
        return None
    return now + (outcome.after or policy.delay(effect.attempts - 1))
