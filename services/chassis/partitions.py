"""Daily partitions of the event log and the inbox: made ahead, dropped when their time is over.

The bounds are computable because ids are UUIDv7. A message older than the oldest inbox partition is never handled
(it might have been, once); retention of the inbox must therefore exceed every way in which a message may come back.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from contracts.envelope import uuid7_floor
from services.chassis.database import Connection

DAYS_BACK_AT_FIRST = 7
DAYS_AHEAD = 2
_TABLES = ("event_log", "inbox")


async def keep_partitions(connection: Connection, today: date, inbox_days: int, event_log_days: int) -> None:
    """Make the partitions of the coming days and drop those past their retention. One process at a time."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('msg.partitions'))")
        for table, keep_days in (("event_log", event_log_days), ("inbox", inbox_days)):
            standing = await _days_of(connection, table)
            first = min(standing, default=today - timedelta(days=DAYS_BACK_AT_FIRST))
            first = max(first, today - timedelta(days=keep_days))
            for offset in range((today - first).days + DAYS_AHEAD + 1):
                if (day := first + timedelta(days=offset)) not in standing:
                    await _make(connection, table, day)
            for day in standing:
                if day < today - timedelta(days=keep_days) and not await _is_needed(connection, table, day):
                    await connection.execute(f"DROP TABLE msg.{_name(table, day)}")


async def inbox_window(connection: Connection) -> tuple[UUID, UUID]:
    """The ids the inbox can remember: from the oldest partition's first to the newest's end (exclusive)."""
    days = await _days_of(connection, "inbox")
    if not days:
        raise LookupError("the inbox has no partition; run keep_partitions first")
    return _floor(min(days)), _floor(max(days) + timedelta(days=1))


async def _days_of(connection: Connection, table: str) -> set[date]:
    rows = await connection.fetch(
        """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = $1::text::regclass""",
        f"msg.{table}",
    )
    return {datetime.strptime(row["relname"][-8:], "%Y%m%d").replace(tzinfo=UTC).date() for row in rows}


async def _is_needed(connection: Connection, table: str, day: date) -> bool:
    """Whether an event of that day has not left yet: it would be lost with its partition."""
    if table != "event_log":
        return False
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM msg.dispatch WHERE event_id >= $1 AND event_id < $2)",
        _floor(day),
        _floor(day + timedelta(days=1)),
    )
    return found


async def _make(connection: Connection, table: str, day: date) -> None:
    until = day + timedelta(days=1)
    await connection.execute(
        f"CREATE TABLE msg.{_name(table, day)} PARTITION OF msg.{table} "
        f"FOR VALUES FROM ('{_floor(day)}') TO ('{_floor(until)}')"
    )


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _floor(day: date) -> UUID:
    return uuid7_floor(datetime(day.year, day.month, day.day, tzinfo=UTC))
