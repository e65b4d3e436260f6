"""Group commit: a batch of messages is one transaction, and every message has one of four outcomes.

Inbox rows are written first (duplicates are dropped), then the service's unit of work is locked and loaded,
the handlers run in memory, the unit is saved and its messages are written to the outbox; commit. If the batch
fails, each message is tried separately and the culprit is parked: a poison message never blocks others.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from time import perf_counter
from typing import Any, Generic
from uuid import UUID

import structlog

from contracts.catalogue import STOREFRONT, heard_by
from contracts.envelope import Envelope, uuid7_time
from contracts.message import Message, Reason
from services.chassis import metrics
from services.chassis.errors import describe, places
from services.chassis.failpoints import reach
from services.chassis.messaging import store
from services.chassis.messaging.inbound import parking
from services.chassis.messaging.inbound.arriving import (
    BEYOND_READING,
    UNROUTABLE,
    WRONG_SENDER,
    InvalidMessage,
    RawMessage,
    event_id_of,
    read,
)
from services.chassis.messaging.inbound.parking import ProcessingFailure, RetryPolicy
from services.chassis.messaging.inbound.recognising import Seen, recognise
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
from services.chassis.storage.database import ACQUIRE_SECONDS, Pool, is_conflict, is_outage, transaction

log = structlog.get_logger()
CONFLICT_RETRIES = 3


class End(StrEnum):
    """The outcome of a message."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"
    WAITING = "waiting"
    PARKED = "parked"


@dataclass(slots=True)
class Handled:
    """The result for one raw message."""

    arrival: RawMessage
    end: End
    envelope: Envelope | None = None
    detail: str = ""


@dataclass(slots=True)
class _Batch:
    """State of one attempt at a batch."""

    handled: list[Handled] = field(default_factory=list)
    setbacks: list[ProcessingFailure] = field(default_factory=list)
    fresh: list[tuple[RawMessage, ReceivedMessage[Any]]] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)


class HandlerFailed(Exception):
    """A handler raised an unexpected exception. Handlers touch only memory, so it is never the database's fault."""

    def __init__(self, error: Exception) -> None:
        super().__init__(describe(error))
        self.error = error


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
        self._heard = {
            entry.type: entry for entry in heard_by(self._service) if entry.message in subscribers.handlers
        }

    async def commit(self, arrivals: Sequence[RawMessage]) -> list[Handled]:
        """Handle a batch. Raise only when the database is unavailable; then either nothing or everything was
        committed."""
        handled: list[Handled] = []
        for _, alike in groupby(arrivals, key=_is_replayed):
            handled += await self._commit_alike(list(alike))
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
        return [await self._alone(arrival) for arrival in arrivals]

    async def retry_due(self, limit: int) -> int:
        """Retry the parked messages that are due. Return how many were retried."""
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            if not await store.list_due(connection, 1):
                return 0
        try:
            return len(await self._attempt_due(limit))
        except Exception as error:
            if is_outage(error):
                raise
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            ids = await store.list_due(connection, limit)
        for parked_id in ids:
            try:
                await self._retry_alone(parked_id)
            except Exception as error:
                if is_outage(error):
                    raise
                await self._postpone(parked_id, error)
        return len(ids)

    async def _alone(self, arrival: RawMessage) -> Handled:
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
        cause = _cause(error)
        log.error("message failed", queue=arrival.queue, error=describe(cause), places=places(cause))
        return (await self._attempt([arrival], culprit=cause))[0]

    async def _retry_alone(self, parked_id: int) -> None:
        take = _taking(lambda connection: store.take_parked(connection, parked_id))
        for tries_left in reversed(range(CONFLICT_RETRIES)):
            try:
                await self._attempt([], due=take)
                return
            except Exception as error:
                if is_outage(error):
                    raise
                if is_conflict(error) and tries_left:
                    continue
                cause = _cause(error)
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
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            await store.postpone(connection, parked_id, parking.LONGEST_DELAY)

    async def _attempt_due(self, limit: int) -> list[Handled]:
        return await self._attempt([], due=lambda connection: store.take_due(connection, limit))

    async def _attempt(
        self,
        arrivals: Sequence[RawMessage],
        due: Callable[[Any], Awaitable[list[store.Row]]] | None = None,
        culprit: Exception | None = None,
    ) -> list[Handled]:
        """Run one transaction over a batch; with `culprit` the messages are parked for that error instead of
        handled."""
        began = perf_counter()
        batch = _Batch()
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection, transaction(connection):
            unit = self._open_unit(connection)
            if due is not None:
                arrivals = _alike([parking.arrival_of(row) for row in await due(connection)])
            unit.has_effects = not any(map(_is_replayed, arrivals))
            place = "retries" if due is not None else arrivals[0].queue
            await self._read(unit, arrivals, batch, answer=culprit is None)
            reach("inbox_written", place)
            if culprit is None:
                await self._handle(unit, batch)
            else:
                self._blame(batch, culprit, unit.now)
            await self._set_aside(unit, batch)
            await unit.flush()
            reach("before_commit", place)
        reach("after_commit", place)
        self._tell(unit, batch, perf_counter() - began)
        return batch.handled

    def _tell(self, unit: Unit, batch: _Batch, seconds: float) -> None:
        """Run what follows the commit. An error here must not look like a failed batch, which would be tried
        again."""
        for tell in (unit.committed, lambda: self._after(unit), lambda: self._measure(batch, seconds)):
            try:
                tell()
            except Exception as error:
                log.error("failed after a commit", error=describe(error), places=places(error))

    async def _read(self, unit: Unit, arrivals: Sequence[RawMessage], batch: _Batch, answer: bool) -> None:
        window = self._window()
        adapters = self._subscribers.adapters
        readings = [(arrival, read(arrival, self._heard, window, unit.now, adapters)) for arrival in arrivals]
        keys = [_inbox_key(arrival, reading, window) for arrival, reading in readings]
        named = [(key, arrival.body) for key, (arrival, _) in zip(keys, readings, strict=True) if key]
        seen = iter(await recognise(unit.connection, self._service, named, unit.now) if named else ())
        for key, (arrival, reading) in zip(keys, readings, strict=True):
            arrival.has_inbox_row = arrival.remembered or key is not None
            standing = next(seen) if key is not None else Seen.NEW
            if standing is Seen.DUPLICATE:
                self._skip_duplicate(arrival, reading, batch)
                continue
            if standing is Seen.REUSED:
                arrival.reuses_id = True
            fitting = self._fitting(arrival, reading)
            if isinstance(fitting, InvalidMessage):
                is_new = answer and arrival.parked_id is None
                told = is_new and await self._answer_unreadable(unit, arrival, fitting)
                self._park_unfit(arrival, fitting, batch, remembered=key is not None, told=told)
            else:
                batch.fresh.append((arrival, fitting))

    def _fitting(
        self, arrival: RawMessage, reading: ReceivedMessage[Any] | InvalidMessage
    ) -> ReceivedMessage[Any] | InvalidMessage:
        """Return the reading, or the reason why it is parked: its id was used for another body, and its
        handler has no `answers_reused_ids`."""
        if isinstance(reading, InvalidMessage) or not arrival.reuses_id:
            return reading
        if arrival.parked_id is not None or self._answers_reused_ids(type(reading.message)):
            return replace(reading, reuses_id=True)
        detail = (
            f"the id {reading.envelope.id} was used by {reading.envelope.source} for another message; "
            "redrive if this one is to count as well, and give every message an id of its own"
        )
        return InvalidMessage("event_id_reused", detail, reading.envelope, type(reading.message))

    def _answers_reused_ids(self, message: type[Message]) -> bool:
        return self._subscribers.handlers[message].answers_reused_ids

    async def _handle(self, unit: Unit, batch: _Batch) -> None:
        if not batch.fresh:
            return
        work = await self._subscribers.load(unit, [delivery for _, delivery in batch.fresh])
        for arrival, delivery in batch.fresh:
            try:
                self._subscribers.handle(work, delivery)
            except SubjectDeleted as bygone:
                self._done(batch, arrival, delivery, str(bygone))
            except Wait as wait:
                batch.setbacks.append(parking.waits(arrival, delivery.envelope, wait, self._policy, unit.now))
            except Refuse as refusal:
                batch.setbacks.append(parking.refused(arrival, delivery.envelope, refusal))
            except Exception as error:
                raise HandlerFailed(error) from error
            else:
                self._done(batch, arrival, delivery)
        await work.save()

    def _done(
        self, batch: _Batch, arrival: RawMessage, received: ReceivedMessage[Any], detail: str = ""
    ) -> None:
        batch.handled.append(Handled(arrival, End.HANDLED, received.envelope, detail))
        if arrival.parked_id is not None:
            batch.resolved.append(arrival.parked_id)

    def _blame(self, batch: _Batch, culprit: Exception, now: datetime) -> None:
        for arrival, delivery in batch.fresh:
            batch.setbacks.append(parking.failed(arrival, delivery.envelope, culprit, self._policy, now))

    def _skip_duplicate(
        self, arrival: RawMessage, reading: ReceivedMessage[Any] | InvalidMessage, batch: _Batch
    ) -> None:
        batch.handled.append(Handled(arrival, End.DUPLICATE, reading.envelope))
        if arrival.parked_id is not None:
            batch.resolved.append(arrival.parked_id)

    def _park_unfit(
        self, arrival: RawMessage, unfit: InvalidMessage, batch: _Batch, *, remembered: bool, told: bool
    ) -> None:
        setback = parking.unfit(arrival, unfit)
        setback.remembered = remembered
        setback.answered_by = self._service if told else None
        batch.setbacks.append(setback)

    async def _answer_unreadable(self, unit: Unit, arrival: RawMessage, unfit: InvalidMessage) -> bool:
        """Answer the sender, if the service does that. Return whether it was answered."""
        answer, envelope = self._subscribers.answer_unreadable, unfit.envelope
        if answer is None or unfit.code not in BEYOND_READING:
            return False
        entry = self._heard.get(envelope.type) if envelope else None
        event_id = envelope.id if envelope else event_id_of(arrival.headers)
        reasons = unfit.reasons or (Reason(code=unfit.code, message=unfit.detail[:1000]),)
        message = entry.message if entry else None
        try:
            unreadable = Unreadable(message, envelope, event_id, arrival.user_id, reasons, arrival.body)
            return await answer(unit, unreadable)
        except Exception as error:
            raise HandlerFailed(error) from error

    async def _set_aside(self, unit: Unit, batch: _Batch) -> None:
        for setback in batch.setbacks:
            end = End.WAITING if setback.is_waiting else End.PARKED
            batch.handled.append(
                Handled(setback.arrival, end, setback.envelope, f"{setback.code}: {setback.detail}")
            )
        await parking.write(unit, batch.setbacks)
        if batch.resolved:
            await store.resolve(unit.connection, batch.resolved, unit.now)

    def _measure(self, batch: _Batch, seconds: float) -> None:
        now = datetime.now(UTC)
        self.taken.update(handled.arrival.queue for handled in batch.handled)
        counts = Counter((handled.arrival.queue, handled.end) for handled in batch.handled)
        for (queue, end), count in counts.items():
            if end is End.DUPLICATE:
                metrics.DUPLICATES.labels(self._service, queue).inc(count)
            elif end is End.WAITING:
                metrics.WAITING.labels(self._service, queue).inc(count)
        for setback in batch.setbacks:
            if not setback.is_waiting:
                metrics.PARKED.labels(self._service, setback.arrival.queue, setback.code).inc()
        types = Counter(
            (h.arrival.queue, h.envelope.type) for h in batch.handled if h.end is End.HANDLED and h.envelope
        )
        for (queue, type_), count in types.items():
            metrics.HANDLED.labels(self._service, queue, type_).inc(count)
        for queue, size in Counter(handled.arrival.queue for handled in batch.handled).items():
            metrics.BATCH_SIZE.labels(self._service, queue).observe(size)
            metrics.COMMIT_SECONDS.labels(self._service, queue).observe(seconds)
        for handled in batch.handled:
            is_new = handled.end is End.HANDLED and not _is_replayed(handled.arrival)
            if is_new and handled.envelope and handled.envelope.id.version == 7:
                age = (now - uuid7_time(handled.envelope.id)).total_seconds()
                metrics.EVENT_AGE.labels(self._service, handled.arrival.queue).observe(max(age, 0))
            _log_line(handled, seconds)


def _inbox_key(
    arrival: RawMessage, reading: ReceivedMessage[Any] | InvalidMessage, window: tuple[UUID, UUID]
) -> tuple[UUID, str] | None:
    """Return the inbox key of a message; None if parking wrote its row, or the inbox can't record it.

    A message that another login sends under a sender's name must never make the sender's own message a
    duplicate.
    """
    envelope = reading.envelope
    if arrival.remembered or envelope is None or not window[0] <= envelope.id < window[1]:
        return None
    if isinstance(reading, InvalidMessage) and reading.code in (WRONG_SENDER, UNROUTABLE):
        return None
    if arrival.sender == STOREFRONT and arrival.user_id:
        return envelope.id, f"/{arrival.user_id.replace('.', '/')}"
    if arrival.replay_id is not None:
        return envelope.id, f"{envelope.source}#replay-{arrival.replay_id}"
    return envelope.id, envelope.source


def _is_replayed(arrival: RawMessage) -> bool:
    return arrival.replay_id is not None


def _alike(arrivals: list[RawMessage]) -> list[RawMessage]:
    """Return the first message, and those that match it in being replayed or not. The others stay due."""
    return [arrival for arrival in arrivals if _is_replayed(arrival) == _is_replayed(arrivals[0])]


def _cause(error: Exception) -> Exception:
    return error.error if isinstance(error, HandlerFailed) else error


def _log_line(handled: Handled, seconds: float) -> None:
    envelope = handled.envelope
    write = log.warning if handled.end is End.PARKED else log.info
    write(
        "message",
        end=handled.end.value,
        queue=handled.arrival.queue,
        type=envelope.type if envelope else None,
        event_id=str(envelope.id) if envelope else None,
        order_id=envelope.subject if envelope else None,
        correlation_id=envelope.correlation_id if envelope else None,
        detail=handled.detail or None,
        batch_seconds=round(seconds, 4),
    )


def _taking(one: Callable[[Any], Awaitable[store.Row | None]]) -> Callable[[Any], Awaitable[list[store.Row]]]:
    async def take(connection: Any) -> list[store.Row]:
        row = await one(connection)
        return [row] if row is not None else []

    return take
