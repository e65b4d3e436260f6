"""Statements that only write, sent together: a round trip to the database costs more than most of them.

A transaction's inserts and updates are noted and leave as one statement, each part of it a `WITH` query. All parts see
the database as it was before, so a statement that names a table which an earlier one writes begins the next round.
Foreign keys are checked at the end of a round: what refers to a new row may go with it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from services.chassis.storage.database import Connection

_TARGET = re.compile(r"\b(?:INSERT\s+INTO|DELETE\s+FROM|(?<!DO )UPDATE)\s+([\w.]+)", re.IGNORECASE)
_PARAMETER = re.compile(r"\$(\d+)")


class Writer(Protocol):
    """What a statement that returns nothing needs: a connection, or the writes of a unit."""

    async def execute(self, query: str, *args: Any) -> Any:
        """Run it, or note it to be run with the others."""


class Writes:
    """The noted statements of one transaction, in the sequence in which they were noted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._statements: list[str] = []
        self._arguments: list[tuple[Any, ...]] = []

    async def execute(self, query: str, *args: Any) -> None:
        """Note a statement; nothing is sent. A coroutine, so that it can stand where a connection can."""
        self._statements.append(query)
        self._arguments.append(args)

    async def send(self) -> str:
        """Run what was noted. Returns the status of the last statement noted, "UPDATE 3", or "" if there was none."""
        status, begun = "", 0
        for size, together in _rounds(tuple(self._statements)):
            arguments = [one for each in self._arguments[begun : begun + size] for one in each]
            status = await self._connection.execute(together, *arguments)
            begun += size
        self._statements.clear()
        self._arguments.clear()
        return status


@lru_cache(maxsize=1024)
def _rounds(statements: tuple[str, ...]) -> list[tuple[int, str]]:
    """The statements in as few rounds as they allow: of each how many it holds, and its text."""
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
    """One statement of several, their parameters numbered on; the last is the main one, whose status comes back."""
    numbered, taken = [], 0
    for statement in statements:
        numbered.append(_numbered_from(taken, statement))
        taken += max((int(number) for number in _PARAMETER.findall(statement)), default=0)
    *before, last = numbered
    named = ", ".join(f"part_{index} AS ({statement})" for index, statement in enumerate(before))
    return f"WITH {named} {last}" if before else last


def _numbered_from(taken: int, statement: str) -> str:
    return _PARAMETER.sub(lambda parameter: f"${int(parameter[1]) + taken}", statement)
