"""Daily partitions of the event log and the inbox: created ahead, dropped after their retention.

The bounds are computable because ids are UUIDv7. A message older than the oldest inbox partition is never
handled (it might have been handled before); retention of the inbox must therefore exceed every period after
which a message may be redelivered.

No writer ever waits for this: a partition is created as a separate table and then attached, an expired one is
detached concurrently and then dropped, and every lock is waited for 0.1 s. A step that a long reader prevents
is done the next time; one left half done (created and not attached, detached and not dropped) is found by its
name and finished.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from contracts.envelope import uuid7_floor
from services.chassis.storage.database import Connection

log = structlog.get_logger()
DAYS_BACK_AT_FIRST = 7
DAYS_AHEAD = 2
_TABLES = ("event_log", "inbox")
_LOCK = "hashtext('msg.partitions')"
_LOCK_TIMEOUT = "100ms"
_NAME = re.compile(r"(?P<table>event_log|inbox)_(?P<day>\d{8})")
_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.ObjectInUseError,
    asyncpg.DeadlockDetectedError,
)


@dataclass(frozen=True)
class _Days:
    """The days of one parent table: attached, being detached, and those of tables that are not attached."""

    attached: frozenset[date]
    leaving: frozenset[date]
    apart: frozenset[date]

    def older_than(self, oldest: date) -> list[date]:
        return [day for day in sorted(self.attached | self.leaving | self.apart) if day < oldest]


async def keep_partitions(
    connection: Connection,
    today: date,
    inbox_days: int,
    event_log_days: int,
    *,
    may_drop: bool = True,
) -> bool:
    """Create the partitions of the coming days and, if `may_drop`, drop those past their retention.

    Only one process at a time runs this; the connection must not be in a transaction. Returns False when a
    reader prevented part of it: call again soon. Raises LockNotAvailableError when another process maintains
    partitions for longer than five seconds.
    """
    async with _locked(connection):
        done = [
            await _keep(connection, table, today, days, may_drop)
            for table, days in zip(_TABLES, (event_log_days, inbox_days), strict=True)
        ]
    return all(done)


async def inbox_window(connection: Connection) -> tuple[UUID, UUID]:
    """Return the range of ids the inbox covers: from the oldest partition's first to the newest's end
    (exclusive)."""
    days = (await _read_days(connection, "inbox")).attached
    if not days:
        raise LookupError("the inbox has no partition; run keep_partitions first")
    return _floor(min(days)), _floor(max(days) + timedelta(days=1))


@asynccontextmanager
async def _locked(connection: Connection) -> AsyncIterator[None]:
    """Hold the session's lock: detaching concurrently is not possible in a transaction that could hold it."""
    await connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
    try:
        await connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
        yield
    finally:
        await connection.execute(f"RESET lock_timeout; SELECT pg_advisory_unlock({_LOCK})")


async def _keep(connection: Connection, table: str, today: date, keep_days: int, may_drop: bool) -> bool:
    existing = await _read_days(connection, table)
    oldest = today - timedelta(days=keep_days)
    wanted = _wanted(existing, today, oldest)
    done = [await _tried(_attach, connection, table, day) for day in wanted]
    for day in existing.older_than(oldest) if may_drop else ():
        done.append(await _tried(_drop, connection, table, day, existing))
        if not done[-1]:
            break  # PostgreSQL detaches only one partition at a time
    return all(done)


def _wanted(existing: _Days, today: date, oldest: date) -> list[date]:
    """Return the days to be attached, so that there is no gap up to the day after tomorrow.

    They start at the oldest attached day. Where all attached days are in the future, because a clock was
    wrong, and where there is none, they start a week ago.
    """
    first = min([*existing.attached, today - timedelta(days=DAYS_BACK_AT_FIRST)])
    first = max(first, oldest)
    last = max([*existing.attached, today + timedelta(days=DAYS_AHEAD)])
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day not in existing.attached and day not in existing.leaving]


async def _tried(step: Any, connection: Connection, table: str, *more: Any) -> bool:
    """Return whether the step was done; False when a lock was not immediately available."""
    try:
        await step(connection, table, *more)
    except _BUSY as error:
        log.info(
            "a partition waits for a reader",
            table=table,
            day=str(more[0]),
            error=type(error).__name__,
        )
        return False
    return True


async def _read_days(connection: Connection, table: str) -> _Days:
    rows = await connection.fetch(
        """SELECT c.relname, i.inhdetachpending AS is_leaving, i.inhrelid IS NOT NULL AS is_attached
           FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = $1::text::regclass
           WHERE c.relnamespace = 'msg'::regnamespace AND c.relkind = 'r'""",
        f"msg.{table}",
    )
    days = [(day, row) for row in rows if (day := _day(row["relname"], table)) is not None]
    return _Days(
        frozenset(day for day, row in days if row["is_attached"] and not row["is_leaving"]),
        frozenset(day for day, row in days if row["is_leaving"]),
        frozenset(day for day, row in days if not row["is_attached"]),
    )


async def _is_needed(connection: Connection, table: str, day: date) -> bool:
    """Return whether an event of that day has not been sent yet: it would be lost with its partition."""
    if table != "event_log":
        return False
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM msg.dispatch WHERE event_id >= $1 AND event_id < $2)",
        *_bounds(day),
    )
    return found


async def _attach(connection: Connection, table: str, day: date) -> None:
    """Create the day's table separately, then attach it: neither makes readers or writers of the others wait.

    A table that was detached and not dropped yet is attached again with its rows.
    """
    name, (first, end) = _name(table, day), _bounds(day)
    await connection.execute(f"CREATE TABLE IF NOT EXISTS msg.{name} (LIKE msg.{table} INCLUDING DEFAULTS)")
    await connection.execute(
        f"ALTER TABLE msg.{table} ATTACH PARTITION msg.{name} FOR VALUES FROM ('{first}') TO ('{end}')"
    )


async def _drop(connection: Connection, table: str, day: date, existing: _Days) -> None:
    """Detach the day's partition and drop it. It is kept while it is read or has unsent events (a replay)."""
    if await _is_needed(connection, table, day):
        return
    name = f"msg.{_name(table, day)}"
    if day in existing.attached:
        await connection.execute(f"ALTER TABLE msg.{table} DETACH PARTITION {name} CONCURRENTLY")
    elif day in existing.leaving:
        await connection.execute(f"ALTER TABLE msg.{table} DETACH PARTITION {name} FINALIZE")
    if await _is_needed(connection, table, day):
        await _attach(connection, table, day)
    else:
        await connection.execute(f"DROP TABLE {name}")


def _day(relation: str, table: str) -> date | None:
    match = _NAME.fullmatch(relation)
    if match is None or match["table"] != table:
        return None
    return datetime.strptime(match["day"], "%Y%m%d").replace(tzinfo=UTC).date()


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _bounds(day: date) -> Sequence[UUID]:
    return _floor(day), _floor(day + timedelta(days=1))


def _floor(day: date) -> UUID:
    return uuid7_floor(datetime(day.year, day.month, day.day, tzinfo=UTC))
