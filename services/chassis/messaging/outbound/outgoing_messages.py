"""A row of the outbox as an outgoing message, and the message's AMQP properties."""

import json

from aiormq import spec
from aiormq.abc import FieldTable

from contracts.envelope import CONTENT_TYPE, Envelope
from services.chassis.messaging.outbound.pipelining import Publish
from services.chassis.messaging.outgoing import REPLAY_HEADER, SNAPSHOT_HEADER, Outgoing
from services.chassis.storage.database import Row


def publish_of(outgoing: Outgoing, service: str, login: str) -> Publish:
    """Return a message as the channel publishes it."""
    return Publish(
        outgoing.exchange,
        outgoing.routing_key,
        outgoing.mandatory,
        properties_of(outgoing, service, login),
        outgoing.body,
    )


def properties_of(outgoing: Outgoing, service: str, login: str) -> spec.Basic.Properties:
    """Return the AMQP properties: persistent, typed, with the envelope in the headers.

    The broker lets only the login itself use its `user_id`, so a consumer may trust it.
    """
    envelope = outgoing.envelope
    headers: FieldTable = dict(envelope.headers())
    if outgoing.replay_id is not None:
        headers[REPLAY_HEADER] = str(outgoing.replay_id)
    if outgoing.is_snapshot:
        headers[SNAPSHOT_HEADER] = "1"
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        headers=headers,
        delivery_mode=2,
        correlation_id=envelope.correlation_id,
        message_id=str(outgoing.dispatch_id),
        timestamp=envelope.time,
        message_type=envelope.type,
        app_id=service,
        user_id=login,
    )


def is_gone(row: Row) -> bool:
    return row["id"] is None and row["own_headers"] is None


def outgoing_of(row: Row, service: str) -> Outgoing:
    is_snapshot = row["own_headers"] is not None
    envelope = Envelope.read(json.loads(row["own_headers"])) if is_snapshot else _logged(row, service)
    return Outgoing(
        row["dispatch_id"],
        envelope,
        row["own_body"] if is_snapshot else row["body"],
        row["exchange"],
        row["routing_key"],
        row["mandatory"],
        row["replay_id"],
        is_snapshot,
    )


def _logged(row: Row, service: str) -> Envelope:
    return Envelope(
        id=row["id"],
        source=f"/{service}",
        type=row["type"],
        time=row["time"],
        shop=row["shop"],
        subject=row["subject"],
        sequence=row["sequence"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
    )
