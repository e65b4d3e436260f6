"""Spans of a trace, derived from logged events, inboxes and mails. Pure.

A message has a producer span at its time, which its traceparent names; a consumer that handled it has a span from
there to its commit; a mail has one from when it was planned to its last attempt. A message's parent is the consumer
span of its cause, in the service that sent it. Ids of spans that no traceparent names are derived from what they
stand for, so that an export that is repeated makes the same ones.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from hashlib import sha256
from uuid import UUID

from contracts.catalogue import SERVICES
from contracts.envelope import uuid7_time

STOREFRONTS = "storefronts"
"""Name under which the senders outside of Comptoir are shown."""


class Kind(IntEnum):
    """Kind of a span, as OTLP numbers them."""

    PRODUCER = 4
    CONSUMER = 5
    CLIENT = 3


@dataclass(frozen=True, slots=True)
class Event:
    """A message that a service has logged."""

    id: UUID
    sender: str
    type: str
    time: datetime
    shop: str | None
    subject: str | None
    correlation_id: str | None
    causation_id: UUID | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Handled:
    """A message that a service has handled, committed at `at`."""

    event_id: UUID
    listener: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MailAttempt:
    """A mail, the message that caused it, and the state of its sending."""

    id: UUID
    cause_id: UUID
    template: str
    shop: str
    planned_at: datetime
    updated_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Period:
    """What is known of the messages of a period. `causes` are earlier messages that these follow from."""

    events: tuple[Event, ...] = ()
    handled: tuple[Handled, ...] = ()
    mails: tuple[MailAttempt, ...] = ()
    causes: tuple[Event, ...] = ()
    earlier: tuple[Handled, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A span, with its ids in hexadecimal digits (trace 32, span 16) as W3C Trace Context writes them.

    `follows` is the trace and span that it follows from, where that is of another trace.
    """

    service: str
    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str | None
    start: datetime
    end: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)
    has_failed: bool = False
    follows: tuple[str, str] | None = None


def spans_of(period: Period) -> Iterator[Span]:
    """Yield the spans of a period's messages, handlings and mails."""
    known = _Known(period)
    for handled in known.from_outside:
        yield known.outside(handled)
    for event in period.events:
        yield known.producer(event)
    for one in period.handled:
        yield known.consumer(one)
    for mail in period.mails:
        yield known.mail(mail)


class _Known:
    """Messages and their handlings by id, from which spans' parents are found."""

    def __init__(self, period: Period) -> None:
        self._events = {event.id: event for event in (*period.causes, *period.events)}
        self._handled = {(one.event_id, one.listener): one for one in (*period.earlier, *period.handled)}
        self._traces = _outside_traces(self._events.values())
        self.from_outside = tuple(
            {one.event_id: one for one in period.handled if one.event_id not in self._events}.values()
        )

    def outside(self, handled: Handled) -> Span:
        """Return the span of a message that no service logged, a storefront's or a snapshot: its time is the one
        in its id."""
        message_id = handled.event_id
        sent, sender = uuid7_time(message_id), _sender(handled)
        trace, span_id = self._trace(message_id), _span_id(str(message_id))
        attributes = _of_message(message_id, None)
        return Span(
            sender, f"send {_unlogged(handled)}", Kind.PRODUCER, trace, span_id, None, sent, sent, attributes
        )

    def producer(self, event: Event) -> Span:
        """Return the span of a logged message."""
        trace, span_id = _ids(event)
        parent = self._cause_of(event)
        attributes = _of_message(event.id, event.correlation_id) | {
            name: value
            for name, value in (("comptoir.shop", event.shop), ("comptoir.subject", event.subject))
            if value
        }
        is_inside = parent is not None and parent[0] == trace
        return Span(
            event.sender,
            f"send {event.type}",
            Kind.PRODUCER,
            trace,
            span_id,
            parent[1] if parent is not None and is_inside else None,
            event.time,
            event.time,
            attributes,
            follows=None if is_inside else parent,
        )

    def consumer(self, handled: Handled) -> Span:
        """Return the span of a message's handling, from its sending to the commit."""
        event = self._events.get(handled.event_id)
        start = event.time if event else uuid7_time(handled.event_id)
        trace, parent = (
            _ids(event) if event else (self._trace(handled.event_id), _span_id(str(handled.event_id)))
        )
        return Span(
            handled.listener,
            f"process {event.type if event else _unlogged(handled)}",
            Kind.CONSUMER,
            trace,
            _span_id(f"{handled.event_id}/{handled.listener}"),
            parent,
            min(start, handled.at),
            handled.at,
            _of_message(handled.event_id, event.correlation_id if event else None),
        )

    def mail(self, mail: MailAttempt) -> Span:
        """Return the span of a mail, from its planning to its last attempt."""
        parent = self._handling(mail.cause_id, "notifier")
        attributes = {
            "comptoir.shop": mail.shop,
            "comptoir.mail_id": str(mail.id),
            "comptoir.state": mail.state,
        }
        return Span(
            "notifier",
            f"mail {mail.template}",
            Kind.CLIENT,
            parent[0] if parent else self._trace(mail.cause_id),
            _span_id(f"mail/{mail.id}"),
            parent[1] if parent else None,
            mail.planned_at,
            max(mail.planned_at, mail.updated_at),
            attributes,
            has_failed=mail.state in ("failed", "uncertain"),
        )

    def _cause_of(self, event: Event) -> tuple[str, str] | None:
        """Return trace and span from which a message follows: the handling of its cause by its sender, or the
        cause itself where the sender logged it; None where neither is known."""
        if event.causation_id is None:
            return None
        handling = self._handling(event.causation_id, event.sender)
        cause = self._events.get(event.causation_id)
        return handling or (_ids(cause) if cause else None)

    def _handling(self, message_id: UUID, listener: str) -> tuple[str, str] | None:
        if (message_id, listener) not in self._handled:
            return None
        event = self._events.get(message_id)
        trace = _ids(event)[0] if event else self._trace(message_id)
        return trace, _span_id(f"{message_id}/{listener}")

    def _trace(self, message_id: UUID) -> str:
        """Return the trace of a message from outside: that of what followed, or the one its id names."""
        return self._traces.get(message_id, message_id.hex)


def _outside_traces(events: Iterable[Event]) -> dict[UUID, str]:
    ordered = sorted(events, key=lambda event: event.id, reverse=True)
    return {event.causation_id: _ids(event)[0] for event in ordered if event.causation_id is not None}


def _ids(event: Event) -> tuple[str, str]:
    """Return trace and span id of a message's traceparent, or derived ones if it has none."""
    parts = (event.traceparent or "").split("-")
    if len(parts) == 4 and len(parts[1]) == 32 and len(parts[2]) == 16:
        return parts[1], parts[2]
    return event.id.hex, _span_id(str(event.id))


def _span_id(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _sender(handled: Handled) -> str:
    """Return the service that sent a message, or the name of all who are none."""
    first = handled.source.strip("/").partition("/")[0]
    return first if first in SERVICES else STOREFRONTS


def _unlogged(handled: Handled) -> str:
    return "storefront message" if _sender(handled) == STOREFRONTS else "snapshot"


def _of_message(message_id: UUID, correlation_id: str | None) -> dict[str, str]:
    """Return the attributes that OpenTelemetry's messaging conventions give a message."""
    conversation = {"messaging.message.conversation_id": correlation_id} if correlation_id else {}
    return {"messaging.system": "rabbitmq", "messaging.message.id": str(message_id), **conversation}
