"""A batch of messages during one attempt to commit it: the outcome of each, their inbox keys, metrics and log lines."""

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from contracts.catalogue import STOREFRONT
from contracts.envelope import Envelope, uuid7_time
from services.chassis import metrics
from services.chassis.errors import describe
from services.chassis.messaging.inbound import parking
from services.chassis.messaging.inbound.parking import ProcessingFailure, RetryPolicy
from services.chassis.messaging.inbound.raw_message import (
    UNROUTABLE,
    WRONG_SENDER,
    InvalidMessage,
    RawMessage,
)
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.messaging.unit import Unit

log = structlog.get_logger()


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
class Batch:
    """State of one attempt at a batch."""

    handled: list[Handled] = field(default_factory=list)
    failures: list[ProcessingFailure] = field(default_factory=list)
    fresh: list[tuple[RawMessage, ReceivedMessage[Any]]] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)

    def end(self, arrival: RawMessage, received: ReceivedMessage[Any], detail: str = "") -> None:
        """Record that a message was handled."""
        self.handled.append(Handled(arrival, End.HANDLED, received.envelope, detail))
        self._resolve(arrival)

    def skip_duplicate(self, arrival: RawMessage, reading: ReceivedMessage[Any] | InvalidMessage) -> None:
        self.handled.append(Handled(arrival, End.DUPLICATE, reading.envelope))
        self._resolve(arrival)

    def fail_all(self, culprit: Exception, policy: RetryPolicy, now: datetime) -> None:
        """Record that all readable messages failed with this error."""
        for arrival, received in self.fresh:
            self.failures.append(parking.failed(arrival, received.envelope, culprit, policy, now))

    def park_invalid(
        self, arrival: RawMessage, invalid: InvalidMessage, *, remembered: bool, answered_by: str | None
    ) -> None:
        failure = parking.unfit(arrival, invalid)
        failure.remembered = remembered
        failure.answered_by = answered_by
        self.failures.append(failure)

    def end_failures(self) -> None:
        """Record that the failed messages wait or are parked."""
        for failure in self.failures:
            end = End.WAITING if failure.is_waiting else End.PARKED
            detail = f"{failure.code}: {failure.detail}"
            self.handled.append(Handled(failure.arrival, end, failure.envelope, detail))

    def _resolve(self, arrival: RawMessage) -> None:
        if arrival.parked_id is not None:
            self.resolved.append(arrival.parked_id)


def inbox_key(
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


class HandlerFailed(Exception):
    """A handler raised an unexpected exception. Handlers touch only memory, so it is never the database's fault."""

    def __init__(self, error: Exception) -> None:
        super().__init__(describe(error))
        self.error = error


def cause_of(error: Exception) -> Exception:
    """Return what a handler raised, or the error itself."""
    return error.error if isinstance(error, HandlerFailed) else error


def note_orders(unit: Unit, messages: Sequence[Handled]) -> None:
    """Note the orders that new messages are about: what came in about an erased one is erased again."""
    for handled in messages:
        envelope = handled.envelope
        if handled.end is End.DUPLICATE or envelope is None or envelope.shop is None:
            continue
        with contextlib.suppress(ValueError):
            unit.touch_order(envelope.shop, UUID(envelope.subject or ""))


def alike(arrivals: list[RawMessage]) -> list[RawMessage]:
    """Return the first message, and those that match it in being replayed or not. The others stay due."""
    return [arrival for arrival in arrivals if arrival.is_replayed == arrivals[0].is_replayed]


def id_reused(received: ReceivedMessage[Any]) -> InvalidMessage:
    """Return the reason to park a message whose id was used before with another body."""
    detail = (
        f"the id {received.envelope.id} was used by {received.envelope.source} for another message; "
        "retry if this one is to count as well, and give every message an id of its own"
    )
    return InvalidMessage("event_id_reused", detail, received.envelope, type(received.message))


def measure_batch(service: str, batch: Batch, seconds: float) -> None:
    """Count a committed batch's messages by outcome and log one line per message."""
    now = datetime.now(UTC)
    counts = Counter((handled.arrival.queue, handled.end) for handled in batch.handled)
    for (queue, end), count in counts.items():
        if end is End.DUPLICATE:
            metrics.DUPLICATES.labels(service, queue).inc(count)
        elif end is End.WAITING:
            metrics.WAITING.labels(service, queue).inc(count)
    for failure in batch.failures:
        if not failure.is_waiting:
            metrics.PARKED.labels(service, failure.arrival.queue, failure.code).inc()
    types = Counter(
        (h.arrival.queue, h.envelope.type) for h in batch.handled if h.end is End.HANDLED and h.envelope
    )
    for (queue, type_), count in types.items():
        metrics.HANDLED.labels(service, queue, type_).inc(count)
    for queue, size in Counter(handled.arrival.queue for handled in batch.handled).items():
        metrics.BATCH_SIZE.labels(service, queue).observe(size)
        metrics.COMMIT_SECONDS.labels(service, queue).observe(seconds)
    for handled in batch.handled:
        is_new = handled.end is End.HANDLED and not handled.arrival.is_replayed
        if is_new and handled.envelope and handled.envelope.id.version == 7:
            age = (now - uuid7_time(handled.envelope.id)).total_seconds()
            metrics.EVENT_AGE.labels(service, handled.arrival.queue).observe(max(age, 0))
        _log_line(handled, seconds)


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
