"""Parked messages: waiting for what they need, failing, or never acceptable.

They are removed from the broker and kept in `msg.parked` with a fingerprint, so that none blocks another and
an operator can read, retry or discard them.
"""

import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.envelope import MAX_BODY_BYTES, Envelope
from contracts.service import MessageParked
from services.chassis.errors import describe
from services.chassis.messaging import parked_store
from services.chassis.messaging.inbound.raw_message import (
    UNROUTABLE,
    WRONG_SENDER,
    InvalidMessage,
    RawMessage,
    dedupe_key,
    fingerprint,
    suffix_of,
)
from services.chassis.messaging.subscribers import Refuse, Wait
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Row

KEPT_BYTES = 65_536
"""The part that is kept of a body larger than any message may be: enough to recognise it."""

SENDER_NOTIFIED = "its sender was notified"
LONGEST_DELAY = timedelta(minutes=15)
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class RetryPolicy:
    """Delays double from `first` to 15 minutes with full jitter; after `attempts` a failing message is dead."""

    first: timedelta
    attempts: int

    def delay(self, attempts: int) -> timedelta:
        """Return the delay before the next attempt, after so many attempts."""
        ceiling = min(self.first * float(2 ** min(attempts, 20)), LONGEST_DELAY)
        return ceiling * random.uniform(0.5, 1.0)


@dataclass(slots=True)
class ProcessingFailure:
    """The reason why a message was not handled. `next_at` is None when only an operator can help, or no
    action is needed: `answered_by` is the service that answered the sender, who is the only one who can fix
    it. Such a message is kept, set aside."""

    arrival: RawMessage
    envelope: Envelope | None
    code: str
    detail: str
    fingerprint: str
    next_at: datetime | None = None
    give_up_at: datetime | None = None
    wait_key: str | None = None
    remembered: bool = True
    answered_by: str | None = None

    @property
    def is_waiting(self) -> bool:
        return self.next_at is not None


def waits(
    arrival: RawMessage, envelope: Envelope, wait: Wait, policy: RetryPolicy, now: datetime
) -> ProcessingFailure:
    """Return the failure of a message that waits for a key, until it gives up."""
    give_up_at = arrival.give_up_at or (arrival.first_seen_at or now) + wait.give_up_after
    over = now >= give_up_at
    print_ = fingerprint(arrival.queue, envelope.type, wait.reason)
    detail = f"{wait}; since {arrival.first_seen_at or now:%Y-%m-%d %H:%M}Z"
    next_at = None if over else min(now + policy.delay(arrival.attempts), give_up_at)
    return ProcessingFailure(
        arrival, envelope, wait.reason, detail, print_, next_at, give_up_at, None if over else wait.key
    )


def refused(arrival: RawMessage, envelope: Envelope, refusal: Refuse) -> ProcessingFailure:
    """Return the failure of a message that will never be acceptable as it is."""
    print_ = fingerprint(arrival.queue, envelope.type, refusal.code)
    return ProcessingFailure(arrival, envelope, refusal.code, refusal.message, print_)


def unfit(arrival: RawMessage, reading: InvalidMessage) -> ProcessingFailure:
    """Return the failure of a message that can't be passed to a handler."""
    type_ = reading.envelope.type if reading.envelope else None
    return ProcessingFailure(
        arrival,
        reading.envelope,
        reading.code,
        reading.detail,
        fingerprint(arrival.queue, type_, reading.code),
    )


def failed(
    arrival: RawMessage, envelope: Envelope, error: Exception, policy: RetryPolicy, now: datetime
) -> ProcessingFailure:
    """Return an unexpected failure of the handler: retried with growing delays, then dead."""
    over = arrival.attempts + 1 >= policy.attempts
    detail = describe(error)
    print_ = fingerprint(arrival.queue, envelope.type, "error", error)
    next_at = None if over else now + policy.delay(arrival.attempts)
    return ProcessingFailure(arrival, envelope, "error", detail, print_, next_at)


async def write(unit: Unit, failures: Sequence[ProcessingFailure]) -> None:
    """Write the failures of a batch; emit MessageParked for those that only an operator can fix.

    A message that was parked before and redelivered (its ack was lost) changes nothing and is not reported
    twice.
    """
    fresh = {
        _key_of(failure): row_of(failure, unit.now)
        for failure in reversed(failures)
        if failure.arrival.parked_id is None
    }
    written = await parked_store.park(unit.connection, list(fresh.values())) if fresh else set()
    for failure in failures:
        if failure.arrival.parked_id is not None:
            await _write_again(unit, failure)
        elif (key := _key_of(failure)) in written:
            written.discard(key)
        else:
            continue
        if not failure.is_waiting and not failure.answered_by:
            emit_parked(unit, failure)


def arrival_of(row: Row) -> RawMessage:
    """Return a parked row as a raw message, for another attempt."""
    return RawMessage(
        queue=row["queue"],
        headers=json.loads(row["headers"]),
        body=row["body"],
        user_id=row["user_id"],
        parked_id=row["id"],
        attempts=row["attempts"] + 1,
        first_seen_at=row["first_at"],
        give_up_at=row["give_up_at"],
        remembered=row["remembered"],
        reuses_id=row["dedupe_key"].endswith(suffix_of(row["body"])),
        true_bytes=row["body_bytes"],
    )


async def _write_again(unit: Unit, failure: ProcessingFailure) -> None:
    assert failure.arrival.parked_id is not None
    await parked_store.park_again(
        unit.connection,
        failure.arrival.parked_id,
        "waiting" if failure.is_waiting else "dead",
        failure.code,
        storable(failure.detail),
        failure.fingerprint,
        failure.wait_key,
        failure.next_at,
        unit.now,
        failure.arrival.has_inbox_row,
    )


def emit_parked(unit: Unit, failure: ProcessingFailure) -> None:
    """Emit the event that a message waits for an operator."""
    envelope, shop = failure.envelope, _shop_of(failure)
    unit.emit(
        MessageParked(
            shop=shop if _SHOP.fullmatch(shop or "") else None,
            message_id=envelope.id if envelope else None,
            message_type=envelope.type if envelope else None,
            queue=failure.arrival.queue,
            reason=failure.code,
            fingerprint=failure.fingerprint,
        ),
        cause=envelope,
        shop=shop,
        subject=envelope.subject if envelope else None,
    )


def _key_of(failure: ProcessingFailure) -> str:
    """Return the key of a parked message: one under a false sender's name must not block the real sender's,
    nor a misrouted one the same message sent again."""
    is_other = failure.code in (WRONG_SENDER, UNROUTABLE)
    return dedupe_key(failure.arrival, None if is_other else failure.envelope)


def row_of(failure: ProcessingFailure, now: datetime) -> parked_store.ParkedRow:
    """Return the parked row of a failure."""
    envelope, arrival = failure.envelope, failure.arrival
    event_id: UUID | None = envelope.id if envelope else None
    return parked_store.ParkedRow(
        dedupe_key=_key_of(failure),
        queue=arrival.queue,
        state="waiting" if failure.is_waiting else "discarded" if failure.answered_by else "dead",
        reason=failure.code,
        detail=storable(failure.detail),
        fingerprint=failure.fingerprint,
        wait_key=failure.wait_key,
        event_id=event_id,
        source=envelope.source if envelope else None,
        type=envelope.type if envelope else None,
        shop=_shop_of(failure),
        subject=envelope.subject if envelope else None,
        user_id=arrival.user_id,
        headers=json.dumps(readable_headers(arrival)),
        body=arrival.body if arrival.size <= MAX_BODY_BYTES else arrival.body[:KEPT_BYTES],
        attempts=arrival.attempts,
        remembered=failure.remembered,
        next_at=failure.next_at,
        give_up_at=failure.give_up_at,
        first_at=arrival.first_seen_at or now,
        last_at=now,
        body_bytes=arrival.size if arrival.size > MAX_BODY_BYTES else None,
        actor=failure.answered_by,
        note=SENDER_NOTIFIED if failure.answered_by else None,
    )


def _shop_of(failure: ProcessingFailure) -> str | None:
    """Return the shop: that of the sending login, regardless of what the message states; of a service's
    message, the one it names."""
    envelope = failure.envelope
    return failure.arrival.login_shop or (envelope.shop if envelope else None)


def readable_headers(arrival: RawMessage) -> dict[str, Any]:
    """Return the headers in a form that JSON can represent; other values are replaced by their description."""
    return {storable(str(name)): _plain(value) for name, value in arrival.headers.items()}


def storable(text: str) -> str:
    """Return the text without what PostgreSQL can't store: NUL and lone surrogates."""
    return _UNSTORABLE.sub("�", text)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        value = bytes(value).decode(errors="replace")
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return storable(repr(value))[:1000]
