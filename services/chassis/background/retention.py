"""Retention of ended work: each rule deletes or empties a batch at a time, oldest first, never rows in use.

Nothing here waits for a writer: locked rows are left for the next time. While the database's clock is in
doubt nothing is deleted.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.settings import ServiceSettings
from services.chassis.storage.database import Connection

log = structlog.get_logger()
BATCH = 500
IDLE_SECONDS = 3600.0
Forget = Callable[[Connection, timedelta, int], Awaitable[int]]


@dataclass(frozen=True)
class Rule:
    """A retention rule: what it deletes, and after how many days. `forget` receives the age and the maximum
    number of rows, and returns how many were deleted."""

    name: str
    days: Callable[[Any], int]
    forget: Forget


def statement(sql: str) -> Forget:
    """Return a rule's work as one statement: $1 is the age as an interval, $2 the maximum number of rows."""

    async def forget(connection: Connection, age: timedelta, most: int) -> int:
        status = await connection.execute(sql, age, most)
        return int(status.rpartition(" ")[2])

    return forget


def _ended_days(settings: ServiceSettings) -> int:
    return settings.ended_days


RULES = (
    Rule(
        "parked messages that ended",
        _ended_days,
        statement(
            """DELETE FROM msg.parked WHERE id = ANY(ARRAY(
                   SELECT id FROM msg.parked WHERE state IN ('resolved', 'discarded') AND last_at < now() - $1::interval
                   ORDER BY last_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
    Rule(
        "replays that left",
        _ended_days,
        statement(
            """DELETE FROM msg.replay WHERE id = ANY(ARRAY(
                   SELECT id FROM msg.replay AS r WHERE asked_at < now() - $1::interval
                       AND NOT EXISTS (SELECT FROM msg.dispatch AS d WHERE d.replay_id = r.id)
                   LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
    Rule(
        "resyncs that ended",
        _ended_days,
        statement(
            """DELETE FROM msg.resync WHERE id = ANY(ARRAY(
                   SELECT id FROM msg.resync WHERE ended_at < now() - $1::interval
                   LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
)
"""Rules of every service. Effects are kept with the mail or refund they belong to."""


def worker(own: Sequence[Rule] = ()) -> Worker:
    """Return the worker that deletes what has expired, once an hour."""

    async def forget(process: Process) -> bool:
        return await forget_due(process, [*RULES, *own])

    return Worker("retention", forget, IDLE_SECONDS)


async def forget_due(process: Process, rules: Sequence[Rule]) -> bool:
    """Delete a batch by each rule. Return whether there may be more."""
    if process.is_clock_doubtful:
        return False
    more = False
    for rule in rules:
        age = timedelta(days=rule.days(process.settings))
        async with process.acquire() as connection, connection.transaction():
            gone = await rule.forget(connection, age, BATCH)
        if gone:
            log.info("past its time", what=rule.name, rows=gone)
        more |= gone >= BATCH
    return more
