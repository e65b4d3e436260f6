"""SQL on timers: set, moved, cancelled and fired one at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.chassis.storage.bulk import Bulk, Json
from services.chassis.storage.database import Connection, Row
from services.chassis.storage.writing import Writer


class TimerRow(NamedTuple):
    kind: str
    key: str
    due_at: datetime
    payload: Json


_SET_TIMERS = Bulk(
    TimerRow,
    """INSERT INTO msg.timer ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload""",
)


async def set_timers(connection: Writer, timers: Sequence[TimerRow]) -> None:
    """Set timers; setting one again moves it."""
    await _SET_TIMERS.execute(connection, timers)


_CANCEL_TIMERS = Bulk(
    tuple[str, str],
    """DELETE FROM msg.timer t USING {rows} AS k (kind, key)
       WHERE t.kind = k.kind AND t.key = k.key""",
)


async def cancel_timers(connection: Writer, keys: Sequence[tuple[str, str]]) -> None:
    """Remove timers (kind, key)."""
    await _CANCEL_TIMERS.execute(connection, keys)


async def is_timer_due(connection: Connection) -> bool:
    """Return whether a timer is due. This check costs less than the transaction that finds none."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM msg.timer WHERE due_at <= now())"))


async def find_timer(connection: Connection) -> Row | None:
    """Return the timer due longest; None when there is none, or another process is firing one: they fire one
    at a time.

    It is not locked: its handler first locks the rows it works on, as a batch does that moves or cancels it.
    """
    return await connection.fetchrow(
        """SELECT kind, key, payload, due_at FROM msg.timer
           WHERE due_at <= now() AND pg_try_advisory_xact_lock(hashtext('msg.timer')) ORDER BY due_at LIMIT 1"""
    )


async def remove_timer(connection: Connection, timer: Row) -> bool:
    """Remove a timer that fired. Return False when it was moved or cancelled meanwhile: then its firing must
    be rolled back."""
    status = await connection.execute(
        "DELETE FROM msg.timer WHERE kind = $1 AND key = $2 AND due_at = $3",
        timer["kind"],
        timer["key"],
        timer["due_at"],
    )
    return status == "DELETE 1"


async def postpone_timer(connection: Connection, kind: str, key: str, pause: timedelta) -> None:
    """Postpone a timer whose handler failed, so that others go first."""
    await connection.execute(
        "UPDATE msg.timer SET due_at = now() + $3 WHERE kind = $1 AND key = $2 AND due_at <= now()",
        kind,
        key,
        pause,
    )


async def count_timers(connection: Connection, kind: str) -> int:
    """Return how many timers of a kind are set."""
    count: int = await connection.fetchval("SELECT count(*) FROM msg.timer WHERE kind = $1", kind)
    return count
