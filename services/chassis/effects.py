"""External effects (mails, provider calls): planned with the decision, marked in flight before the call, settled after.

An effect whose process died in flight may or may not have happened. Nobody can know, so it becomes `uncertain` and a
person or a policy decides; it is never silently repeated.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from services.chassis import metrics, store
from services.chassis.database import describe, is_outage
from services.chassis.failpoints import reach
from services.chassis.parking import RetryPolicy, storable
from services.chassis.unit import Unit

if TYPE_CHECKING:
    from services.chassis.hub import Hub

log = structlog.get_logger()
CLAIMS_PER_HAND = 2
"""Effects claimed at once per concurrent call: whatever is claimed when the process dies becomes uncertain."""
TOGETHER_SECONDS = 0.25
"""Effects finished within this time of one another are recorded in one transaction."""

LONGEST_OUTAGE_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to perform. `attempts` counts the tries including this one."""

    key: str
    kind: str
    payload: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Done:
    """It happened."""

    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It surely did not happen; try again after a while."""

    detail: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was refused for good."""

    detail: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody knows whether it happened."""

    detail: str


Outcome = Done | Retry | Failed | Uncertain
Perform = Callable[[Effect], Awaitable[Outcome]]
Record = Callable[[Unit, Sequence[tuple[Effect, Outcome]]], Awaitable[None]]
_STATES: dict[type, str] = {Done: "done", Retry: "planned", Failed: "failed", Uncertain: "uncertain"}


class EffectWorker:
    """Performs one kind of effect. `record` runs inside the transaction that settles a batch."""

    def __init__(
        self,
        kind: str,
        perform: Perform,
        record: Record,
        concurrency: int = 8,
        attempts: int = 12,
        lease_seconds: float | None = None,
    ) -> None:
        self.kind = kind
        self._perform = perform
        self._record = record
        self._concurrency = concurrency
        self._attempts = attempts
        self._lease_seconds = lease_seconds
        self._lost_checked_at = 0.0

    async def run(self, hub: "Hub") -> bool:
        """Perform what is due, settle what a dead process left. True when there may be more at once."""
        await self._settle_lost(hub)
        lease = timedelta(seconds=self._lease_seconds or hub.settings.effect_lease_seconds)
        async with hub.acquire() as connection:
            rows = await store.take_effects(
                connection, self.kind, hub.owner, lease, self._concurrency * CLAIMS_PER_HAND
            )
        if not rows:
            return False
        reach("effect_in_flight")
        effects = [Effect(r["key"], r["kind"], json.loads(r["payload"]), r["attempts"]) for r in rows]
        await self._perform_all(hub, effects, lease)
        return True

    async def _perform_all(self, hub: "Hub", effects: Sequence[Effect], lease: timedelta) -> None:
        """Perform and settle. What was performed is settled however long the database is away meanwhile."""
        gate = asyncio.Semaphore(self._concurrency)
        running = {asyncio.create_task(self._one(hub, gate, effect)): effect for effect in effects}
        performed: list[tuple[Effect, Outcome | None]] = []
        pause = TOGETHER_SECONDS
        try:
            while running or performed:
                done, _ = await asyncio.wait(running, timeout=pause) if running else (set(), None)
                performed += [(running.pop(task), task.result()) for task in done]
                try:
                    await self._keep_books(hub, performed, list(running.values()), lease)
                    performed, pause = [], TOGETHER_SECONDS
                except Exception as error:
                    if not is_outage(error):
                        raise
                    log.warning("database away, keeping outcomes", kind=self.kind, error=describe(error))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_OUTAGE_PAUSE_SECONDS)
        finally:
            for task in running:
                task.cancel()

    async def _keep_books(
        self,
        hub: "Hub",
        performed: Sequence[tuple[Effect, Outcome | None]],
        running: Sequence[Effect],
        lease: timedelta,
    ) -> None:
        results = [(effect, outcome) for effect, outcome in performed if outcome is not None]
        if results:
            await self._settle(hub, results)
        untouched = [effect.key for effect, outcome in performed if outcome is None]
        if untouched or running:
            async with hub.acquire() as connection:
                await store.release_effects(connection, hub.owner, untouched)
                await store.extend_leases(connection, hub.owner, [e.key for e in running], lease)

    async def _one(self, hub: "Hub", gate: asyncio.Semaphore, effect: Effect) -> Outcome | None:
        """What became of it; None when the process was told to stop before it was begun."""
        async with gate:
            if hub.stopping.is_set():
                return None
            try:
                return await self._perform(effect)
            except Exception as error:
                log.error(
                    "effect raised", kind=self.kind, key=effect.key, error=describe(error), exc_info=error
                )
                return Uncertain(describe(error))

    async def _settle(self, hub: "Hub", results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Settle together; if that fails each alone, so that one that can't be recorded holds up no other."""
        results = [self._or_give_up(effect, outcome) for effect, outcome in results]
        try:
            await self._settle_together(hub, results)
        except Exception as error:
            if is_outage(error):
                raise
            for effect, outcome in results:
                await self._settle_alone(hub, effect, outcome)
        for _, outcome in results:
            metrics.EFFECTS.labels(hub.service, self.kind, type(outcome).__name__.lower()).inc()

    async def _settle_alone(self, hub: "Hub", effect: Effect, outcome: Outcome) -> None:
        try:
            await self._settle_together(hub, [(effect, outcome)])
        except Exception as error:
            if is_outage(error):
                raise
            log.error("outcome can't be recorded", kind=self.kind, key=effect.key, error=describe(error))
            detail = (
                f"was {type(outcome).__name__.lower()}, but that could not be recorded: {describe(error)}"
            )
            row = (effect.key, "uncertain", storable(detail), None)
            async with hub.unit() as unit:
                await store.settle_effects(unit.connection, [row], None, unit.now)

    async def _settle_together(self, hub: "Hub", results: Sequence[tuple[Effect, Outcome]]) -> None:
        policy = hub.retry_policy
        async with hub.unit() as unit:
            rows = [
                (e.key, _STATES[type(o)], storable(o.detail or "") or None, _next_at(e, o, policy, unit.now))
                for e, o in results
            ]
            settled = await store.settle_effects(unit.connection, rows, hub.owner, unit.now)
            await self._record(
                unit, [(effect, outcome) for effect, outcome in results if effect.key in settled]
            )

    def _or_give_up(self, effect: Effect, outcome: Outcome) -> tuple[Effect, Outcome]:
        if isinstance(outcome, Retry) and effect.attempts >= self._attempts:
            return effect, Failed(f"given up after {effect.attempts} tries: {outcome.detail}")
        return effect, outcome

    async def _settle_lost(self, hub: "Hub") -> None:
        now = asyncio.get_running_loop().time()
        if now - self._lost_checked_at < 1.0:
            return
        self._lost_checked_at = now
        lost: list[tuple[Effect, Outcome]] = []
        try:
            async with hub.unit() as unit:
                for row in await store.take_lost_effects(unit.connection, self.kind, 100):
                    effect = Effect(row["key"], row["kind"], json.loads(row["payload"]), row["attempts"])
                    lost.append((effect, Uncertain("the process died while it was in flight")))
                if lost:
                    states = [(effect.key, "uncertain", outcome.detail, None) for effect, outcome in lost]
                    await store.settle_effects(unit.connection, states, None, unit.now)
                    await self._record(unit, lost)
        except Exception as error:
            if is_outage(error) or not lost:
                raise
            await self._adopt(hub, lost)

    async def _adopt(self, hub: "Hub", lost: Sequence[tuple[Effect, Outcome]]) -> None:
        """Settle each lost effect alone, as if it had been ours."""
        async with hub.acquire() as connection:
            await store.adopt_effects(connection, hub.owner, [effect.key for effect, _ in lost])
        for effect, outcome in lost:
            await self._settle_alone(hub, effect, outcome)


def _next_at(effect: Effect, outcome: Outcome, policy: RetryPolicy, now: datetime) -> datetime | None:
    if not isinstance(outcome, Retry):
        return None
    return now + (outcome.after or policy.delay(effect.attempts - 1))


async def decide(unit: Unit, key: str, state: str, note: str) -> bool:
    """A person's decision on a failed or uncertain effect: `planned` repeats it, `done` or `discarded` ends it."""
    if state not in ("planned", "done", "discarded"):
        raise ValueError(f"an effect can be decided to be planned, done or discarded, not {state}")
    return await store.decide_effect(unit.connection, key, state, note, unit.now)
