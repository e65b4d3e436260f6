"""Messages: every event was sent and received, sequences have no gaps, and nothing is left unprocessed."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts.catalogue import SERVICES, sent_by
from deploy.auditor.finding import Finding, check, shown
from deploy.auditor.inputs import Connection, Inputs, Row
from deploy.auditor.retention import consumes_since, reach_of

KEPT = {"orders": "orders", "payments": "account", "fulfillment": "fulfilment_order"}
"""Tables in which an owner stores the sequence number of an order's events."""


@check
async def sequences_have_no_gaps(inputs: Inputs) -> AsyncIterator[Finding]:
    """A service's events about one subject are numbered from 1 without gaps or repeats, as far back as the log goes.

    Retention deletes the oldest events first: the remaining events of an older subject begin later than 1.
    """
    received: Mapping[tuple[str, str], datetime] | None = None
    for service, connection in inputs.connections.items():
        rows = await connection.fetch(
            """SELECT shop, subject, count(*) AS events, min(sequence) AS first, max(sequence) AS last,
                   max(sequence) - min(sequence) + 1 = count(*) AND count(DISTINCT sequence) = count(*) AS is_whole
               FROM msg.event_log WHERE sequence IS NOT NULL GROUP BY 1, 2
               HAVING min(sequence) <> 1 OR max(sequence) <> count(*) OR count(DISTINCT sequence) <> count(*)"""
        )
        if not rows:
            continue
        if received is None:
            received = await _received(inputs)
        log = await reach_of(connection, "event_log")
        for row in rows:
            since = received.get((row["shop"], row["subject"]))
            if row["is_whole"] and (since is None or not log.covers(since)):
                continue
            where = f"events of {service} about {shown((row['shop'], row['subject']))}"
            found = f"{row['events']} events, numbered {row['first']} to {row['last']}"
            yield Finding(where, f"1 to {row['events']}", found)


@check
async def owners_store_their_last_sequence(inputs: Inputs) -> AsyncIterator[Finding]:
    """The sequence number that an owner stores with an order is the last one it used.

    An order without events in the log has published none since the log begins.
    """
    received: Mapping[tuple[str, str], datetime] | None = None
    for service, name in KEPT.items():
        connection = inputs.connections[service]
        rows = await connection.fetch(
            f"""SELECT a.shop, a.order_id::text AS order_id, a.sequence, e.last FROM {name} a
                LEFT JOIN (SELECT shop, subject, max(sequence) AS last FROM msg.event_log GROUP BY 1, 2) e
                    ON e.shop = a.shop AND e.subject = a.order_id::text
                WHERE a.sequence <> coalesce(e.last, 0)"""  # noqa: S608
        )
        if not rows:
            continue
        if received is None:
            received = await _received(inputs)
        log = await reach_of(connection, "event_log")
        for row in rows:
            since = received.get((row["shop"], row["order_id"]))
            if row["last"] is None and (since is None or not log.covers(since)):
                continue
            where = f"{service}.{name} {shown((row['shop'], row['order_id']))}"
            yield Finding(where, f"sequence {row['last'] or 0} as in the log", f"sequence {row['sequence']}")


async def _received(inputs: Inputs) -> dict[tuple[str, str], datetime]:
    """Return when orders received each order, by our own clock: no service published anything about it before."""
    rows = await inputs.orders.fetch("SELECT shop, order_id::text AS subject, received_at FROM orders")
    return {(row["shop"], row["subject"]): row["received_at"] for row in rows}


@check
async def outboxes_are_empty(inputs: Inputs) -> AsyncIterator[Finding]:
    """Every outbox is empty."""
    for service, connection in inputs.connections.items():
        for row in await connection.fetch(
            """SELECT d.event_id, d.routing_key, d.attempts FROM msg.dispatch d ORDER BY d.id LIMIT 100"""
        ):
            where = f"event {row['event_id']} of {service}"
            yield Finding(
                where, "sent", f"in the outbox for {row['routing_key']}, {row['attempts']} attempts"
            )


@check
async def events_reach_every_listener(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each event is in the inbox of every service that subscribes to it.

    A replayed one is there under its replay's name; rows deleted by retention are not reported. A finished resync
    counts for all earlier events of its orders. Events from before a service subscribed to their type are not reported.
    """
    for sender in SERVICES:
        types = {entry.type: entry.listeners for entry in sent_by(sender) if entry.listeners}
        published: dict[str, list[Row]] = defaultdict(list)
        for row in await inputs.connections[sender].fetch(
            "SELECT id, type, shop, subject, time FROM msg.event_log WHERE type = ANY($1)", list(types)
        ):
            for listener in types[row["type"]]:
                published[listener].append(row)
        for listener, events in published.items():
            consumed = await _consumed(
                inputs.connections[listener], f"/{sender}", [event["id"] for event in events]
            )
            missing = [event for event in events if event["id"] not in consumed]
            if not missing:
                continue
            inbox = await reach_of(inputs.connections[listener], "inbox")
            resyncs = await _resyncs(inputs.connections[sender], listener)
            since = await consumes_since(inputs.connections[listener], listener)
            for event in missing:
                if event["type"] in since and event["time"] < since[event["type"]]:
                    continue
                if not inbox.covers_id(event["id"]) or _is_resynced(event, resyncs):
                    continue
                about = shown((event["shop"], event["subject"]))
                yield Finding(
                    f"{event['type']} {event['id']} about {about}", f"in the inbox of {listener}", "not there"
                )


async def _consumed(connection: Connection, source: str, events: Sequence[UUID]) -> set[UUID]:
    """Return ids of a sender's events that are in the inbox; a replayed one has its replay after a #."""
    rows = await connection.fetch(
        """SELECT event_id FROM msg.inbox
           WHERE event_id = ANY($2) AND (source = $1 OR starts_with(source, $1 || '#'))""",
        source,
        events,
    )
    return {row["event_id"] for row in rows}


async def _resyncs(connection: Connection, listener: str) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        "SELECT shop, orders, asked_at FROM msg.resync WHERE consumer = $1 AND ended_at IS NOT NULL", listener
    )
    return rows


def _is_resynced(event: Row, resyncs: Sequence[Row]) -> bool:
    return any(
        event["shop"] == resync["shop"]
        and event["time"] < resync["asked_at"]
        and (resync["orders"] is None or event["subject"] in map(str, resync["orders"]))
        for resync in resyncs
    )


@check
async def nothing_is_parked(inputs: Inputs) -> AsyncIterator[Finding]:
    """No message is waiting, parked or dead-lettered, except the expected ones."""
    seen: set[UUID] = set()
    for service, connection in inputs.connections.items():
        for row in await connection.fetch(
            "SELECT id, queue, state, reason, detail, event_id, type FROM msg.parked WHERE state IN ('waiting', 'dead')"
        ):
            seen.add(row["event_id"])
            if row["event_id"] not in inputs.expected_parked:
                where = f"parked message {row['id']} of {service} ({row['type']} {row['event_id']})"
                yield Finding(where, "handled", f"{row['state']}: {row['reason']}: {row['detail'][:300]}")
    for event_id in sorted(inputs.expected_parked - seen):
        yield Finding(f"message {event_id}", "parked", "not parked")


@check
async def every_command_has_its_outcome(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each command that orders sent has its outcome from the owning service."""
    for row in await inputs.orders.fetch(
        "SELECT command_id, type, order_id, state FROM command WHERE state NOT IN ('done', 'rejected')"
    ):
        if row["command_id"] not in inputs.expected_parked:
            where = f"{row['type']} {row['command_id']} for order {row['order_id']}"
            yield Finding(where, "done or rejected", row["state"])


@check
async def no_effect_is_left(inputs: Inputs) -> AsyncIterator[Finding]:
    """No external effect is planned or in flight."""
    for service, connection in inputs.connections.items():
        for row in await connection.fetch(
            "SELECT key, kind, state, attempts, detail FROM msg.effect WHERE state IN ('planned', 'in_flight')"
        ):
            where = f"effect {row['kind']} {row['key']} of {service}"
            yield Finding(
                where, "done, failed or uncertain", f"{row['state']} after {row['attempts']} attempts"
            )
