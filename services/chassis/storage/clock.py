"""Clock of a service, taken from its database: leases, due times and ids of all its processes are comparable.

A process whose own clock is wrong works all the same. A database whose clock jumps ahead causes no deletions:
retention is suspended for a day, in which an operator can correct the clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.envelope import follow_clock
from services.chassis.storage.database import Connection

LEAST_DIFFERENCE = timedelta(seconds=1)
"""A smaller difference is the duration of the query, and the two clocks count as equal."""


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


async def is_doubtful(connection: Connection) -> bool:
    """Record the database's time. Return True for a day after it jumped ahead by more than two days since the
    last record.

    An installation that was switched off for that long cannot be distinguished from a clock that jumped:
    expired data is deleted a day later then.
    """
    return bool(
        await connection.fetchval(
            """INSERT INTO msg.clock AS c (is_only, seen_at, doubted_until)
               VALUES (true, now(), now() + interval '1 day')
               ON CONFLICT (is_only) DO UPDATE SET seen_at = now(), doubted_until = CASE
                   WHEN now() > c.seen_at + interval '2 days' THEN now() + interval '1 day'
                   WHEN now() < c.seen_at - interval '1 hour' THEN NULL
                   ELSE c.doubted_until END
               RETURNING doubted_until IS NOT NULL AND doubted_until > now()"""
        )
    )
