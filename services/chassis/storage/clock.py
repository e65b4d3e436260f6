"""The clock of a service is its database's: leases, due times and ids of all its processes compare with one another.

A process whose own clock is wrong works all the same. A database whose clock jumps ahead makes nothing of what is kept
go: retention rests for a day, in which a person can set the clock right.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.envelope import follow_clock
from services.chassis.storage.database import Connection

LEAST_DIFFERENCE = timedelta(seconds=1)
"""Smaller ones are the time a question takes, and the two clocks count as one."""


@dataclass
class Clock:
    """The database's clock as this process knows it; `ahead` is by how much it is ahead of the machine's."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return datetime.now(UTC) + self.ahead

    async def compare(self, connection: Connection) -> None:
        """Ask the database what time it is, and make ids by that."""
        before = datetime.now(UTC)
        there: datetime = await connection.fetchval("SELECT clock_timestamp()")
        ahead = there - (before + (datetime.now(UTC) - before) / 2)
        self.ahead = ahead if abs(ahead) >= LEAST_DIFFERENCE else timedelta()
        follow_clock(self.ahead)


async def is_doubtful(connection: Connection) -> bool:
    """Note the database's time. True for a day after it went ahead by more than two days since it was noted last.

    An installation that was switched off for that long cannot be told from a clock that jumped: what is past its time
    goes a day later then.
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
