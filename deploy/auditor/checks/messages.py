"""Messages: everything said was sent and heard, in sequences without holes, and nothing is left lying."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from contracts.catalogue import SERVICES, sent_by
from deploy.auditor.finding import Finding, check, shown
from deploy.auditor.ground import Connection, Ground, Row
from deploy.auditor.retention import hears_since, reach_of

KEPT = {"orders": "orders", "payments": "account", "fulfillment": "fulfilment_order"}
"""Where an owner keeps the sequence of an order's events."""


@check
async def sequences_have_no_holes(ground: Ground) -> AsyncIterator[Finding]:
    """What a service says about one subject is numbered from 1 without holes or repeats, as far as the log goes back.

    Events leave the log in their time, the first ones first: what is left of an older subject begins later than 1.
    """
    received = await _received(ground)
    for service, connection in ground.connections.items():
        log = await reach_of(connection, "event_log")
        for row in await connection.fetch(
            """SELECT shop, subject, count(*) AS events, min(sequence) AS first, max(sequence) AS last,
                   max(sequence) - min(sequence) + 1 = count(*) AND count(DISTINCT sequence) = count(*) AS is_whole
               FROM msg.event_log WHERE sequence IS NOT NULL GROUP BY 1, 2
               HAVING min(sequence) <> 1 OR max(sequence) <> count(*) OR count(DISTINCT sequence) <> count(*)"""
        ):
            since = received.get((row["shop"], row["subject"]))
            if row["is_whole"] and (since is None or not log.covers(since)):
                continue
            where = f"{service}'s events about {shown((row['shop'], row['subject']))}"
            found = f"{row['events']} events, numbered {row['first']} to {row['last']}"
            yield Finding(where, f"1 to {row['events']}", found)


@check
async def owners_count_what_they_said(ground: Ground) -> AsyncIterator[Finding]:
    """The sequence an owner keeps with an order is the last one it used.

    An order of which nothing is left in the log said nothing since the log begins.
    """
    received = await _received(ground)
    for service, name in KEPT.items():
        connection = ground.connections[service]
        log = await reach_of(connection, "event_log")
        rows = await connection.fetch(
            f"""SELECT a.shop, a.order_id::text AS order_id, a.sequence, e.last FROM {name} a
                LEFT JOIN (SELECT shop, subject, max(sequence) AS last FROM msg.event_log GROUP BY 1, 2) e
                    ON e.shop = a.shop AND e.subject = a.order_id::text
                WHERE a.sequence <> coalesce(e.last, 0)"""  # noqa: S608
        )
        for row in rows:
            since = received.get((row["shop"], row["order_id"]))
            if row["last"] is None and (since is None or not log.covers(since)):
                continue
            where = f"{service}.{name} {shown((row['shop'], row['order_id']))}"
            yield Finding(where, f"sequence {row['last'] or 0} as in the log", f"sequence {row['sequence']}")


async def _received(ground: Ground) -> dict[tuple[str, str], datetime]:
    """Since when orders has each order, by our own clock: nobody said anything about it before."""
    rows = await ground.orders.fetch("SELECT shop, order_id::text AS subject, received_at FROM orders")
    return {(row["shop"], row["subject"]): row["received_at"] for row in rows}


@check
async def everything_said_was_sent(ground: Ground) -> AsyncIterator[Finding]:
    """No outbox holds anything."""
    for service, connection in ground.connections.items():
        for row in await connection.fetch(
            """SELECT d.event_id, d.routing_key, d.attempts FROM msg.dispatch d ORDER BY d.id LIMIT 100"""
        ):
            where = f"{service}'s event {row['event_id']}"
            yield Finding(
                where, "sent", f"in the outbox for {row['routing_key']}, {row['attempts']} attempts"
            )


@check
async def everything_said_was_heard(ground: Ground) -> AsyncIterator[Finding]:
    """Each event is in the inbox of every service that listens to it.

    A replayed one is there under its replay's name, and the inbox forgets in its time. A finished resync counts for all
    that was said of its orders before. What was said before a service began to hear its type is not missed.
    """
    for sender in SERVICES:
        types = {entry.type: entry.listeners for entry in sent_by(sender) if entry.listeners}
        said: dict[str, list[Row]] = defaultdict(list)
        for row in await ground.connections[sender].fetch(
            "SELECT id, type, shop, subject, time FROM msg.event_log WHERE type = ANY($1)", list(types)
        ):
            for listener in types[row["type"]]:
                said[listener].append(row)
        for listener, events in said.items():
            inbox = await reach_of(ground.connections[listener], "inbox")
            heard = await _heard(
                ground.connections[listener], f"/{sender}", [event["id"] for event in events]
            )
            resyncs = await _resyncs(ground.connections[sender], listener)
            since = await hears_since(ground.connections[listener], listener)
            for event in events:
                if event["type"] in since and event["time"] < since[event["type"]]:
                    continue
                if event["id"] in heard or not inbox.covers_id(event["id"]) or _is_resynced(event, resyncs):
                    continue
                about = shown((event["shop"], event["subject"]))
                yield Finding(
                    f"{event['type']} {event['id']} about {about}", f"in the inbox of {listener}", "not there"
                )


async def _heard(connection: Connection, source: str, events: Sequence[UUID]) -> set[UUID]:
    """Ids of a sender's events that are in the inbox; one that was said again names by which replay after a #."""
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
async def nothing_is_parked(ground: Ground) -> AsyncIterator[Finding]:
    """No message waits or is dead, except those that must be."""
    seen: set[UUID] = set()
    for service, connection in ground.connections.items():
        for row in await connection.fetch(
            "SELECT id, queue, state, reason, detail, event_id, type FROM msg.parked WHERE state IN ('waiting', 'dead')"
        ):
            seen.add(row["event_id"])
            if row["event_id"] not in ground.expected_parked:
                where = f"{service}'s parked message {row['id']} ({row['type']} {row['event_id']})"
                yield Finding(where, "handled", f"{row['state']}: {row['reason']}: {row['detail'][:300]}")
    for event_id in sorted(ground.expected_parked - seen):
        yield Finding(f"message {event_id}", "parked", "not parked")


@check
async def every_command_has_its_outcome(ground: Ground) -> AsyncIterator[Finding]:
    """Each command that orders sent is done or rejected by its owner."""
    for row in await ground.orders.fetch(
        "SELECT command_id, type, order_id, state FROM command WHERE state NOT IN ('done', 'rejected')"
    ):
        if row["command_id"] not in ground.expected_parked:
            where = f"{row['type']} {row['command_id']} for order {row['order_id']}"
            yield Finding(where, "done or rejected", row["state"])


@check
async def no_effect_is_left(ground: Ground) -> AsyncIterator[Finding]:
    """No external effect is planned or in flight."""
    for service, connection in ground.connections.items():
        for row in await connection.fetch(
            "SELECT key, kind, state, attempts, detail FROM msg.effect WHERE state IN ('planned', 'in_flight')"
        ):
            where = f"{service}'s effect {row['kind']} {row['key']}"
            yield Finding(
                where, "done, failed or uncertain", f"{row['state']} after {row['attempts']} attempts"
            )
