"""Run of all checks on a system at rest: wait until it is quiet, then check.

A running system always breaks some invariant briefly (an event is in flight); a system at rest never may. If
it does not come to rest in time, the checks run all the same and report what is still in progress.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from deploy.auditor.checks import (
    books,
    changes,
    copies,
    history,
    intake,
    invoices,
    listing,
    mails,
    messages,
    money,
    overdue,
    parcels,
    refunds,
    states,
    stock,
)
from deploy.auditor.finding import CHECKS, Violation, sentence_of
from deploy.auditor.inputs import Connection, Inputs, Journals, Row, open_inputs

QUIET_SECONDS = 30.0
FAILED_CHECK = "the check itself:"
"""Prefix of `where` in the violation of a check that raised."""
POLL_SECONDS = 0.1
CHECK_SECONDS = 240.0
"""Time limit of one check."""
MODULES = (
    intake,
    money,
    books,
    refunds,
    invoices,
    stock,
    parcels,
    changes,
    copies,
    states,
    listing,
    mails,
    messages,
    history,
    overdue,
)
"""Modules whose import registers their checks, in this order."""

_MOVING = """SELECT (SELECT count(*) FROM msg.dispatch)
    + (SELECT count(*) FROM msg.effect WHERE state IN ('planned', 'in_flight'))
    + (SELECT count(*) FROM msg.parked WHERE state = 'waiting')
    + (SELECT count(*) FROM msg.resync WHERE ended_at IS NULL)"""
_UNREAD = "SELECT count(*) FROM webhook WHERE state = 'received'"


class ConnectionLost(Exception):
    """The database closed the connection during a check; the message is the database's error."""


async def audit(
    urls: Mapping[str, str],
    journals: Journals | Callable[[], Journals] | None = None,
    expected_parked: Collection[UUID] = (),
    quiet_seconds: float = QUIET_SECONDS,
    on_check: Callable[[str], None] = lambda name: None,
) -> list[Violation]:
    """Wait for rest (at most `quiet_seconds`), run every check, and return the violations; none means all is
    well.

    `urls`: database URL by service. `journals` that are still being written are passed as a function, which
    is called again once all is quiet. `expected_parked`: ids of messages that must be parked.
    `on_check` is called with the name of each check before it runs.
    """
    read = journals if callable(journals) else lambda: journals or Journals()
    async with open_inputs(urls, read(), expected_parked) as inputs:
        await until_quiet(inputs, quiet_seconds)
        return await run_checks(replace(inputs, journals=read()), on_check=on_check)


async def run_checks(
    inputs: Inputs, names: Sequence[str] | None = None, on_check: Callable[[str], None] = lambda name: None
) -> list[Violation]:
    """Run the named checks, or all, on the inputs as they are now; each independently.

    A check that raises is a violation of its own and does not keep others from running. Raises ConnectionLost
    when a database became unavailable: the remaining checks would fail for that reason only.
    """
    found: list[Violation] = []
    for name in names or CHECKS:
        on_check(name)
        found += await run_check(inputs, name)
    return found


@dataclass
class _Reading:
    """A connection whose transaction begins with the first query: most checks read one or two of the four databases."""

    connection: Connection
    transactions: AsyncExitStack
    has_begun: bool = False

    @property
    def raw(self) -> Connection:
        """Return the connection that sees all rows, also in a scope."""
        return getattr(self.connection, "raw", self.connection)

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        """Return the rows of a query."""
        await self._begin()
        rows: list[Row] = await self.connection.fetch(sql, *arguments)
        return rows

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first value of a query's first row."""
        await self._begin()
        return await self.connection.fetchval(sql, *arguments)

    async def _begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            await self.transactions.enter_async_context(self.connection.transaction())


async def run_check(inputs: Inputs, name: str) -> list[Violation]:
    """Run one check in a transaction of its own; findings made before it raised count."""
    found: list[Violation] = []
    try:
        async with asyncio.timeout(CHECK_SECONDS), AsyncExitStack() as stack:
            connections = {key: _Reading(each, stack) for key, each in inputs.connections.items()}
            async for one in CHECKS[name](replace(inputs, connections=connections)):
                found += [Violation(name, sentence_of(name), one.where, one.expected, one.found)]
    except Exception as error:
        if any(connection.is_closed() for connection in inputs.connections.values()):
            raise ConnectionLost(f"{type(error).__name__}: {error}") from error
        where = f"{FAILED_CHECK} {name}"
        failed = f"{type(error).__name__}: {error}"[:500]
        found.append(Violation(name, sentence_of(name), where, "ended", failed))
    return found


async def until_quiet(inputs: Inputs, seconds: float) -> bool:
    """Wait for rest; return whether nothing is left to send, process or receive before the time is over.

    The four databases are read one after the other, so work may go unnoticed in one pass, but not in two.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    quiet_times = 0
    while quiet_times < 2:
        if asyncio.get_running_loop().time() > deadline:
            return False
        quiet_times = quiet_times + 1 if await is_quiet(inputs) else 0
        await asyncio.sleep(POLL_SECONDS)
    return True


async def is_quiet(inputs: Inputs) -> bool:
    """Return whether outboxes, effects, waiting messages and webhooks are all processed and every event was
    received.
    """
    for connection in inputs.connections.values():
        if await connection.fetchval(_MOVING):
            return False
    if await inputs.payments.fetchval(_UNREAD):
        return False
    awaited = set(inputs.journals.submitted or ())
    if awaited:
        rows = await inputs.orders.fetch(
            "SELECT event_id FROM msg.inbox WHERE event_id = ANY($1)", list(awaited)
        )
        if {row["event_id"] for row in rows} < awaited:
            return False
    return not await run_checks(inputs, ["events_reach_every_listener", "every_command_has_its_outcome"])
