"""Clock of a service, taken from its database: leases, due times and ids of all its processes are comparable.

A process whose own clock is wrong works all the same. A database whose clock jumps ahead causes no deletions:
retention is suspended for a day, in which an operator can correct the clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import structlog

from contracts.envelope import follow_clock
from services.chassis.storage.database import Connection

log = structlog.get_logger()
LEAST_DIFFERENCE = timedelta(seconds=1)
"""A smaller difference is the duration of the query, and the two clocks count as equal."""


class Doubt(Enum):
    """Why nothing is deleted for a day."""

    FIRST_DAY = auto()
    WENT_AHEAD = auto()


@dataclass
class Clock:
    """The database's clock as estimated by this process; `ahead` is how far it is ahead of the machine's."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        return datetime.now(UTC) + self.ahead

    async def compare(self, connection: Connection) -> None:
        """Query the database's time, and generate ids with it."""
        before = datetime.now(UTC)
        there: datetime = await connection.fetchval("SELECT clock_timestamp()")
        ahead = there - (before + (datetime.now(UTC) - before) / 2)
        self.ahead = ahead if abs(ahead) >= LEAST_DIFFERENCE else timedelta()
        follow_clock(self.ahead)


async def doubt_of(connection: Connection) -> Doubt | None:
    """Record the database's time. Return why it is doubtful, for a day: it is the database's first, or its clock jumped
    ahead by more than two days since the last record.

    An installation that was switched off for that long cannot be distinguished from a clock that jumped:
    expired data is deleted a day later then.
    """
    is_first = await connection.fetchval(
        """INSERT INTO msg.clock AS c (is_only, seen_at, first_seen_at, doubted_until)
           VALUES (true, now(), now(), now() + interval '1 day')
           ON CONFLICT (is_only) DO UPDATE SET seen_at = now(), doubted_until = CASE
               WHEN now() > c.seen_at + interval '2 days' THEN now() + interval '1 day'
               WHEN now() < c.seen_at - interval '1 hour' THEN NULL
               ELSE c.doubted_until END
           RETURNING CASE WHEN doubted_until > now()
               THEN doubted_until IS NOT DISTINCT FROM first_seen_at + interval '1 day' END"""
    )
    if is_first is None:
        return None
    return Doubt.FIRST_DAY if is_first else Doubt.WENT_AHEAD


def log_doubt(doubt: Doubt) -> None:
    """Log why nothing is dropped for a day: a clock that went ahead is to be looked at, a first day is not."""
    if doubt is Doubt.WENT_AHEAD:
        log.warning("the database's clock went ahead; nothing is dropped for a day")
    else:
        log.info("first day of the database; nothing is dropped")
