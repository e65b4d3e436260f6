"""Pauses: an operator stops a service from handling messages, from executing effects, or both, until it is resumed.

A pause is a row, so every process of the service follows it, also one that starts later. Effects stop with
the next claim; messages within `FOLLOW_SECONDS`: the consumers are cancelled, what was received is committed,
and queues fill up at the broker. Nothing is lost, and requests over HTTP, timers and publishing go on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from services.chassis.messaging.process import Transactions
from services.chassis.storage.database import Connection
from services.chassis.texts import trimmed

log = structlog.get_logger()
MESSAGES, EFFECTS = "messages", "effects"
PAUSABLE = (MESSAGES, EFFECTS)
FOLLOW_SECONDS = 1.0
LONGEST_REASON = 200


class CannotPause(Exception):
    """The request is invalid; the text names what to send instead."""


class Pause(NamedTuple):
    """One thing that is paused, by whom and since when."""

    what: str
    reason: str
    actor: str
    paused_at: datetime

    def __str__(self) -> str:
        since = f"{self.paused_at:%Y-%m-%d %H:%M}Z"
        return (
            f"{self.what} are paused since {since} by {self.actor} ({self.reason}); `comptoir resume` ends it"
        )


async def read_pauses(connection: Connection) -> list[Pause]:
    """Return what is paused."""
    rows = await connection.fetch("SELECT what, reason, actor, paused_at FROM msg.pause ORDER BY what")
    return [Pause(*row) for row in rows]


async def pause(process: Transactions, body: Mapping[str, Any], actor: str) -> dict[str, Any]:
    """Pause what the body names; what is paused already stays so, with the new reason. Raises CannotPause."""
    what, reason = _what(body), trimmed(str(body.get("reason") or ""))
    if not reason or "\0" in reason:
        raise CannotPause(
            "give the reason of the pause, in characters that can be seen; it is shown until the service is resumed"
        )
    if len(reason) > LONGEST_REASON:
        raise CannotPause(f"the reason has {len(reason):,} characters; give at most {LONGEST_REASON}")
    async with process.unit() as unit:
        await unit.connection.execute(
            """INSERT INTO msg.pause (what, reason, actor, paused_at) SELECT unnest($1::text[]), $2, $3, $4
               ON CONFLICT (what) DO UPDATE SET reason = excluded.reason, actor = excluded.actor""",
            what,
            reason,
            actor,
            unit.now,
        )
        paused = await read_pauses(unit.connection)
    log.warning("paused", what=what, actor=actor)
    return _shown(process, paused)


async def resume(process: Transactions, body: Mapping[str, Any], actor: str) -> dict[str, Any]:
    """Resume what the body names; return what of it was paused (`resumed`) and what stays so. Raises CannotPause."""
    what = _what(body)
    async with process.unit() as unit:
        rows = await unit.connection.fetch("DELETE FROM msg.pause WHERE what = ANY($1) RETURNING what", what)
        paused = await read_pauses(unit.connection)
    resumed = sorted(row["what"] for row in rows)
    log.warning("resumed", what=resumed, actor=actor)
    return {**_shown(process, paused), "resumed": resumed}


def _shown(process: Transactions, paused: Sequence[Pause]) -> dict[str, Any]:
    return {"service": process.service, "paused": [one._asdict() for one in paused]}


def _what(body: Mapping[str, Any]) -> list[str]:
    named = body.get("what", list(PAUSABLE))
    if not isinstance(named, list) or not named or not set(map(str, named)) <= set(PAUSABLE):
        raise CannotPause(f"what can be paused: a list of {' and '.join(PAUSABLE)}; leave it out for both")
    return sorted(set(map(str, named)))
