"""Reading of the objects that webhooks name, from the provider's API: planned, called, and the answer stored.

A webhook whose signature does not bind its body moves no money by itself. It waits (`object_unread`) until the
object was read with our own credentials, and is then applied from the answer. While the API is unavailable,
gives unusable answers or rejects our calls, it goes on waiting with the reason, and is read again with growing
pauses. An object that the API does not know after several attempts is left to staff.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from contracts.envelope import uuid7
from services.chassis.background.effects import UNLIMITED, Done, Effect, EffectWorker, Failed, Outcome, Retry
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.payments.accounts.facts import Parked
from services.payments.endpoints.loading import look_again
from services.payments.providers.port import (
    ObjectMissing,
    ObjectNamed,
    ObjectReader,
    ProviderRefused,
    ProviderUnavailable,
)
from services.payments.settings import PaymentsSettings
from services.payments.webhooks import answer_store

WORKER = "webhooks"
"""The worker that applies webhooks."""
EFFECT = "object_read"
OBJECT_UNREAD = answer_store.OBJECT_UNREAD
PATIENT_TRIES = 5
"""Attempts until an object that is unknown, or contradicts its event, is believed to be so: APIs lag behind."""
CONCURRENCY = 8
LONGEST_PAUSE = timedelta(minutes=15)


def plan_reading(unit: Unit, row: asyncpg.Record, named: ObjectNamed) -> None:
    """Plan the reading of the object that a stored webhook names."""
    payload = {
        "webhook_id": str(row["id"]),
        "provider": row["provider"],
        "endpoint": row["endpoint"],
        "kind": named.kind,
        "object_id": named.object_id,
        "event_type": named.event_type,
    }
    unit.plan(EFFECT, f"{EFFECT}:{uuid7()}", payload, changes_outside=False)


class WebhookReader:
    """The reader of objects of this process's endpoints."""

    def __init__(self, process: Process) -> None:
        assert isinstance(process.settings, PaymentsSettings)
        self._process = process
        self._providers = process.settings.providers
        self._answers: dict[str, bytes] = {}
        self.effects = EffectWorker(
            EFFECT, self.perform, self.record, CONCURRENCY, UNLIMITED, interrupted=_interrupted
        )

    def worker(self) -> Worker:
        """Return the worker that reads the objects that are due."""
        return Worker(EFFECT, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Read one object. Its answer is kept in memory until it is recorded; a lost one is read again."""
        name, slug = effect.payload["provider"], effect.payload["endpoint"]
        if not self._providers.knows(name, slug):
            await look_again(self._process)
        provider = self._providers.get(name)
        if provider is None or provider.reader is None or slug not in provider.endpoints:
            return Failed(f"endpoint {slug} is no longer in the settings; add it again, then look again")
        try:
            return await self._read(effect, provider.reader, slug)
        except ObjectMissing as missing:
            named = _named(effect)
            text = f"{provider.title} does not know {named.kind} {named.object_id}: {missing}"
            return Retry(text) if effect.attempts < PATIENT_TRIES else Failed(text)
        except ProviderUnavailable as away:
            after = away.after_seconds
            return Retry(str(away), timedelta(seconds=after) if after is not None else None)
        except ProviderRefused as refused:
            return Retry(f"{provider.title} refuses to show it: {refused}; check {provider.setting}")

    async def _read(self, effect: Effect, reader: ObjectReader, slug: str) -> Outcome:
        named = _named(effect)
        answer = await reader.fetch(slug, named)
        reading = reader.read_answer(slug, named, answer)
        if isinstance(reading, Parked) and effect.attempts < PATIENT_TRIES:
            return Retry(reading.detail)
        self._answers[effect.key] = answer
        return Done()

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Store the answers, and the reasons for which there are none yet. Runs in the transaction that settles
        the effects.
        """
        for effect, outcome in sorted(results, key=lambda pair: str(pair[0].payload["webhook_id"])):
            webhook_id = UUID(effect.payload["webhook_id"])
            if isinstance(outcome, Done) and effect.key in self._answers:
                await answer_store.store_answer(unit.connection, webhook_id, self._answers[effect.key])
            elif isinstance(outcome, Retry):
                await answer_store.note_reason(unit.connection, webhook_id, outcome.detail or "")
            else:
                await answer_store.park(unit.connection, webhook_id, outcome.detail or "", unit.now)
        unit.after_commit(lambda: self._recorded([effect.key for effect, _ in results]))

    def _recorded(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._answers.pop(key, None)
        self._process.nudge(WORKER)


def _interrupted(effect: Effect, why: str) -> Outcome:
    """Return the next step of a reading whose process died, or that raised: read again, which changes nothing."""
    return Retry(why, min(timedelta(seconds=2.0 ** min(effect.attempts, 10)), LONGEST_PAUSE))


def _named(effect: Effect) -> ObjectNamed:
    payload = effect.payload
    return ObjectNamed(payload["kind"], payload["object_id"], payload["event_type"])
