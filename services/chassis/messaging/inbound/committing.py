"""Group commit: a batch of messages is one transaction, and every message has one of four outcomes.

Inbox rows are written first (duplicates are dropped), then the service's unit of work is locked and loaded,
the handlers run in memory, the unit is saved and its messages are written to the outbox; commit. If the batch
fails, each message is tried separately and the culprit is parked: a poison message never blocks others.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from time import perf_counter
from typing import Any, Generic
from uuid import UUID

import structlog

from contracts.catalogue import consumed_by
from contracts.message import Reason
from services.chassis.errors import describe, places
from services.chassis.failpoints import reach
from services.chassis.messaging import parked_store
from services.chassis.messaging.inbound import parking
from services.chassis.messaging.inbound.batch import (
    Batch,
    Handled,
    HandlerFailed,
    alike,
    cause_of,
    id_reused,
    inbox_key,
    measure_batch,
    note_orders,
)
from services.chassis.messaging.inbound.inbox import Seen, recognise
from services.chassis.messaging.inbound.message_reader import read
from services.chassis.messaging.inbound.parking import RetryPolicy
from services.chassis.messaging.inbound.raw_message import (
    BEYOND_READING,
    InvalidMessage,
    RawMessage,
    event_id_of,
)
from services.chassis.messaging.subscribers import (
    B,
    ReceivedMessage,
    Refuse,
    SubjectDeleted,
    Subscribers,
    Unreadable,
    Wait,
)
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Pool, Row, acquire, is_conflict, is_outage, transaction

log = structlog.get_logger()
CONFLICT_RETRIES = 3
OpenUnit = Callable[[Any], Unit]


class Committer(Generic[B]):
    """Committer of batches of raw messages. `after` gets each committed unit, to relay its messages. `taken`
    counts messages by queue, whatever their outcome."""

    def __init__(
        self,
        subscribers: Subscribers[B],
        pool: Pool,
        open_unit: OpenUnit,
        after: Callable[[Unit], None],
        window: Callable[[], tuple[UUID, UUID]],
        policy: RetryPolicy,
    ) -> None:
        self._subscribers = subscribers
        self._service = subscribers.service
        self._pool = pool
        self._open_unit = open_unit
        self._after = after
        self._window = window
        self._policy = policy
        self.taken: Counter[str] = Counter()
        self._types = {
            entry.type: entry for entry in consumed_by(self._service) if entry.message in subscribers.handlers
        }

    async def commit(self, arrivals: Sequence[RawMessage]) -> list[Handled]:
        """Handle a batch. Raise only when the database is unavailable; then either nothing or everything was
        committed."""
        handled: list[Handled] = []
        for _, group in groupby(arrivals, key=attrgetter("is_replayed")):
            handled += await self._commit_alike(list(group))
        return handled

    async def _commit_alike(self, arrivals: Sequence[RawMessage]) -> list[Handled]:
        for _ in range(CONFLICT_RETRIES):
            try:
                return await self._attempt(arrivals)
            except Exception as error:
                if is_outage(error):
                    raise
                if not is_conflict(error):
                    break
        return [await self._commit_one(arrival) for arrival in arrivals]

    async def retry_due(self, limit: int) -> int:
        """Retry the parked messages that are due. Return how many were retried."""
        async with acquire(self._pool) as connection:
            if not await parked_store.list_due(connection, 1):
                return 0
        try:
            return len(
                await self._attempt([], due=lambda connection: parked_store.take_due(connection, limit))
            )
        except Exception as error:
            if is_outage(error):
                raise
        async with acquire(self._pool) as connection:
            ids = await parked_store.list_due(connection, limit)
        for parked_id in ids:
            try:
                await self._retry_one(parked_id)
            except Exception as error:
                if is_outage(error):
                    raise
                await self._postpone(parked_id, error)
        return len(ids)

    async def _commit_one(self, arrival: RawMessage) -> Handled:
        error: Exception | None = None
        for _ in range(CONFLICT_RETRIES):
            try:
                return (await self._attempt([arrival]))[0]
            except Exception as caught:
                if is_outage(caught):
                    raise
                error = caught
                if not is_conflict(caught):
                    break
        assert error is not None
        cause = cause_of(error)
        log.error("message failed", queue=arrival.queue, error=describe(cause), places=places(cause))
        return (await self._attempt([arrival], culprit=cause))[0]

    async def _retry_one(self, parked_id: int) -> None:
        take = _taking(lambda connection: parked_store.take_parked(connection, parked_id))
        for tries_left in reversed(range(CONFLICT_RETRIES)):
            try:
                await self._attempt([], due=take)
                return
            except Exception as error:
                if is_outage(error):
                    raise
                if is_conflict(error) and tries_left:
                    continue
                cause = cause_of(error)
                log.error(
                    "parked message failed again",
                    parked_id=parked_id,
                    error=describe(cause),
                    places=places(cause),
                )
                await self._attempt([], due=take, culprit=cause)
                return

    async def _postpone(self, parked_id: int, error: Exception) -> None:
        """Postpone a message whose failure could not be written, so that the others proceed and it is retried
        later."""
        log.critical("a parked message can't be written", parked_id=parked_id, error=describe(error))
        async with acquire(self._pool) as connection:
            await parked_store.postpone(connection, parked_id, parking.LONGEST_DELAY)

    async def _attempt(
        self,
        arrivals: Sequence[RawMessage],
        due: Callable[[Any], Awaitable[list[Row]]] | None = None,
        culprit: Exception | None = None,
    ) -> list[Handled]:
        """Run one transaction over a batch; with `culprit` the messages are parked for that error instead of
        handled."""
        began = perf_counter()
        batch = Batch()
        async with acquire(self._pool) as connection, transaction(connection):
            unit = self._open_unit(connection)
            if due is not None:
                arrivals = alike([parking.arrival_of(row) for row in await due(connection)])
            unit.has_effects &= not any(arrival.is_replayed for arrival in arrivals)
            place = "retries" if due is not None else arrivals[0].queue
            await self._read(unit, arrivals, batch, answer=culprit is None)
            reach("inbox_written", place)
            if culprit is None:
                await self._handle(unit, batch)
            else:
                batch.fail_all(culprit, self._policy, unit.now)
            await self._set_aside(unit, batch)
            note_orders(unit, batch.handled)
            await unit.flush()
            reach("before_commit", place)
        reach("after_commit", place)
        self._run_after_commit(unit, batch, perf_counter() - began)
        return batch.handled

    def _run_after_commit(self, unit: Unit, batch: Batch, seconds: float) -> None:
        """Run what follows the commit. An error here must not look like a failed batch, which would be
        retried."""
        for step in (unit.committed, lambda: self._after(unit), lambda: self._measure(batch, seconds)):
            try:
                step()
            except Exception as error:
                log.error("failed after a commit", error=describe(error), places=places(error))

    def _measure(self, batch: Batch, seconds: float) -> None:
        self.taken.update(handled.arrival.queue for handled in batch.handled)
        measure_batch(self._service, batch, seconds)

    async def _read(self, unit: Unit, arrivals: Sequence[RawMessage], batch: Batch, answer: bool) -> None:
        window = self._window()
        adapters = self._subscribers.adapters
        readings = [(arrival, read(arrival, self._types, window, unit.now, adapters)) for arrival in arrivals]
        keys = [inbox_key(arrival, reading, window) for arrival, reading in readings]
        named = [(key, arrival.body) for key, (arrival, _) in zip(keys, readings, strict=True) if key]
        seen = iter(await recognise(unit.connection, self._service, named, unit.now) if named else ())
        for key, (arrival, reading) in zip(keys, readings, strict=True):
            arrival.has_inbox_row = arrival.remembered or key is not None
            state = next(seen) if key is not None else Seen.NEW
            if state is Seen.DUPLICATE:
                batch.skip_duplicate(arrival, reading)
                continue
            if state is Seen.REUSED:
                arrival.reuses_id = True
            fitting = self._fitting(arrival, reading)
            if isinstance(fitting, InvalidMessage):
                is_new = answer and arrival.parked_id is None
                is_answered = is_new and await self._answer_unreadable(unit, arrival, fitting)
                answered_by = self._service if is_answered else None
                batch.park_invalid(arrival, fitting, remembered=key is not None, answered_by=answered_by)
            else:
                batch.fresh.append((arrival, fitting))

    def _fitting(
        self, arrival: RawMessage, reading: ReceivedMessage[Any] | InvalidMessage
    ) -> ReceivedMessage[Any] | InvalidMessage:
        """Return the reading, or the reason why it is parked: its id was used for another body, and its
        handler has no `answers_reused_ids`."""
        if isinstance(reading, InvalidMessage) or not arrival.reuses_id:
            return reading
        handler = self._subscribers.handlers[type(reading.message)]
        if arrival.parked_id is not None or handler.answers_reused_ids:
            return replace(reading, reuses_id=True)
        return id_reused(reading)

    async def _handle(self, unit: Unit, batch: Batch) -> None:
        if not batch.fresh:
            return
        work = await self._subscribers.load(unit, [delivery for _, delivery in batch.fresh])
        for arrival, delivery in batch.fresh:
            try:
                self._subscribers.handle(work, delivery)
            except SubjectDeleted as deleted:
                batch.end(arrival, delivery, str(deleted))
            except Wait as wait:
                batch.failures.append(parking.waits(arrival, delivery.envelope, wait, self._policy, unit.now))
            except Refuse as refusal:
                batch.failures.append(parking.refused(arrival, delivery.envelope, refusal))
            except Exception as error:
                raise HandlerFailed(error) from error
            else:
                batch.end(arrival, delivery)
        await work.save()

    async def _answer_unreadable(self, unit: Unit, arrival: RawMessage, unfit: InvalidMessage) -> bool:
        """Answer the sender, if the service does that. Return whether it was answered."""
        answer, envelope = self._subscribers.answer_unreadable, unfit.envelope
        if answer is None or unfit.code not in BEYOND_READING:
            return False
        entry = self._types.get(envelope.type) if envelope else None
        event_id = envelope.id if envelope else event_id_of(arrival.headers)
        reasons = unfit.reasons or (Reason(code=unfit.code, message=unfit.detail[:1000]),)
        message = entry.message if entry else None
        try:
            unreadable = Unreadable(message, envelope, event_id, arrival.user_id, reasons, arrival.body)
            return await answer(unit, unreadable)
        except Exception as error:
            raise HandlerFailed(error) from error

    async def _set_aside(self, unit: Unit, batch: Batch) -> None:
        batch.end_failures()
        if batch.failures:
            await parking.write(unit, batch.failures)
        if batch.resolved:
            await parked_store.resolve(unit.connection, batch.resolved, unit.now)


def _taking(one: Callable[[Any], Awaitable[Row | None]]) -> Callable[[Any], Awaitable[list[Row]]]:
    async def take(connection: Any) -> list[Row]:
        row = await one(connection)
        return [row] if row is not None else []

    return take
