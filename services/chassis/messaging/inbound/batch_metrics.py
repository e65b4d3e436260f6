"""Metrics and log lines of a committed batch."""

from collections import Counter
from datetime import UTC, datetime

import structlog

from contracts.envelope import uuid7_time
from services.chassis import metrics
from services.chassis.messaging.inbound.batch import Batch, End, Handled

log = structlog.get_logger()


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
