"""Retention of a service's event log and inbox: rows older than their beginning were deleted on schedule and
are no damage.

Likewise the time since when a service has subscribed to a message: earlier messages had no route to it.

Both are kept in daily partitions by the timestamp in their UUIDv7 keys, so the lower bound of the oldest
partition is the beginning of what is kept. A row that is missing after that bound is missing for another
reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.envelope import uuid7_floor
from deploy.auditor.inputs import Connection

CLOCKS = timedelta(days=1)
"""Maximum difference between a storefront's clock and ours, and between a message and its answer."""
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = int(_NEVER.timestamp() * 1000)
_FIRST_BOUND = """
SELECT min(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \\(''([0-9a-f-]{36})''\\)')) AS first
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass"""


def timestamp_of(identifier: UUID) -> datetime:
    """Return the timestamp in a UUIDv7."""
    return datetime.fromtimestamp(min(identifier.int >> 80, _LAST_MILLISECOND) / 1000, UTC)


@dataclass(frozen=True)
class Reach:
    """The beginning of what a table keeps. An empty table covers nothing."""

    first: UUID

    @property
    def since(self) -> datetime:
        """Return the timestamp of `first`."""
        return timestamp_of(self.first)

    def covers(self, timestamp: datetime) -> bool:
        """Return whether a row of that time, or up to a day later, must still be there."""
        return timestamp - CLOCKS > self.since

    def covers_id(self, event_id: UUID) -> bool:
        """Return whether the row of an event of this id must still be there."""
        return event_id >= self.first


async def reach_of(connection: Connection, name: str) -> Reach:
    """Return the reach of `msg.event_log` or `msg.inbox` (`name` without the schema)."""
    connection = getattr(connection, "raw", connection)  # whichever part of the rows is looked at
    table = f"msg.{name}"
    if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608
        return Reach(uuid7_floor(_NEVER))
    bound = await connection.fetchval(_FIRST_BOUND, table)
    return Reach(UUID(bound) if bound else UUID(int=0))


LATE_LISTENERS = ("notifier",)
"""Services that receive some messages only since a later version, and record since when."""


async def consumes_since(connection: Connection, service: str) -> Mapping[str, datetime]:
    """Return since when a service receives each type that it did not receive from the beginning."""
    if service not in LATE_LISTENERS:
        return {}
    return {
        row["type"]: row["since"] for row in await connection.fetch("SELECT type, since FROM hears_since")
    }
