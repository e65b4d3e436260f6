"""Write-only statements, sent together: a round trip to the database costs more than most of them.

A transaction's inserts and updates are collected and sent as one statement, each part of it a `WITH` query.
All parts see the database as it was before, so a statement that names a table which an earlier one writes
begins the next round. Foreign keys are checked at the end of a round: a row that refers to a new row may be
in the same round.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from services.chassis.storage.database import Connection

_TARGET = re.compile(r"\b(?:INSERT\s+INTO|DELETE\s+FROM|(?<!DO )UPDATE)\s+([\w.]+)", re.IGNORECASE)
_OWN_PARTS = re.compile(r"\s*WITH\s+(RECURSIVE\s+)?", re.IGNORECASE)
_PARAMETER = re.compile(r"\$(\d+)")


class Writer(Protocol):
    """The interface a statement without a result needs: a connection, or the writes of a unit."""

    async def execute(self, query: str, *args: Any) -> Any:
        """Run it, or add it to those run together."""


class Reader(Protocol):
    """The interface a statement with a result needs: a connection, or the writes that are sent with it. `Bulk.fetch`
    without rows sends nothing, collected writes neither.
    """

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:
        """Run it and return its rows."""


class Writes:
    """The collected statements of one transaction, in the order in which they were added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._statements: list[str] = []
        self._arguments: list[tuple[Any, ...]] = []

    async def execute(self, query: str, *args: Any) -> None:
        """Add a statement; nothing is sent. A coroutine, so that it has the interface of a connection."""
        self._statements.append(query)
        self._arguments.append(args)

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Run the collected statements with this one as the last, and return its rows."""
        await self.execute(query, *args)
        *before, (last, arguments) = self._taken()
        for together, earlier in before:
            await self._connection.execute(together, *earlier)
        return await self._connection.fetch(last, *arguments)

    async def send(self) -> str:
        """Run the collected statements. Return the status of the last one added, "UPDATE 3", or "" if there
        was none."""
        status = ""
        for together, arguments in self._taken():
            status = await self._connection.execute(together, *arguments)
        return status

    def _taken(self) -> list[tuple[str, list[Any]]]:
        """Return the rounds of the collected statements with their arguments, and begin an empty collection."""
        rounds, begun = [], 0
        for size, together in _rounds(tuple(self._statements)):
            arguments = [one for each in self._arguments[begun : begun + size] for one in each]
            rounds.append((together, arguments))
            begun += size
        self._statements.clear()
        self._arguments.clear()
        return rounds


@lru_cache(maxsize=1024)
def _rounds(statements: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return the statements in as few rounds as they allow: for each, the number of statements and its text."""
    rounds: list[list[str]] = []
    written: set[str] = set()
    for statement in statements:
        if not rounds or any(re.search(rf"\b{re.escape(table)}\b", statement) for table in written):
            rounds.append([])
            written.clear()
        rounds[-1].append(statement)
        written.update(_TARGET.findall(statement))
    return [(len(each), _together(each)) for each in rounds]


def _together(statements: Sequence[str]) -> str:
    """Return one statement made of several, with renumbered parameters; the last is the main one, whose
    status is returned."""
    numbered, taken = [], 0
    for statement in statements:
        numbered.append(_numbered_from(taken, statement))
        taken += max((int(number) for number in _PARAMETER.findall(statement)), default=0)
    *before, last = numbered
    named = ", ".join(f"part_{index} AS ({statement})" for index, statement in enumerate(before))
    if not before:
        return last
    own = _OWN_PARTS.match(last)
    return f"WITH {own[1] or ''}{named}, {last[own.end() :]}" if own else f"WITH {named} {last}"


def _numbered_from(taken: int, statement: str) -> str:
    return _PARAMETER.sub(lambda parameter: f"${int(parameter[1]) + taken}", statement)
