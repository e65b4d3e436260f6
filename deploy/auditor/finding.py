"""Findings of a check, and the list of checks.

A check is an async function that reads and yields findings; its name is the invariant, its docstring the
sentence shown to people. It never changes anything, and it states its rule independently of the services:
shared code would share mistakes.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.auditor.inputs import Inputs, Key


@dataclass(frozen=True)
class Finding:
    """One violation of an invariant: the row, the expected value, the value found."""

    where: str
    expected: str
    found: str


@dataclass(frozen=True)
class Violation:
    """A finding with the name and the sentence of the check that made it."""

    check: str
    sentence: str
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: expected {self.expected}, found {self.found} ({self.sentence})"


Check = Callable[[Inputs], AsyncIterator[Finding]]
CHECKS: dict[str, Check] = {}
"""All checks by name, in the order in which they run."""


def check(function: Check) -> Check:
    """Register a check under its function's name."""
    CHECKS[function.__name__] = function
    return function


def sentence_of(name: str) -> str:
    """Return the invariant that the check asserts: the first line of its docstring."""
    return (CHECKS[name].__doc__ or name).strip().splitlines()[0].rstrip(".")


Table = Mapping[Key, Mapping[str, Any]]
"""Rows by key, each a mapping of the compared columns."""


def compare(what: str, source: Table, copy: Table) -> Iterator[Finding]:
    """Yield a finding for every row that is missing on either side or differs; only differing columns are
    shown.
    """
    for key in sorted(source.keys() | copy.keys(), key=str):
        ours, theirs = source.get(key), copy.get(key)
        if ours is None or theirs is None:
            yield Finding(f"{what} {shown(key)}", _presence(ours), _presence(theirs))
            continue
        different = [column for column in ours if ours[column] != theirs.get(column)]
        if different:
            yield Finding(f"{what} {shown(key)}", _columns(ours, different), _columns(theirs, different))


def shown(key: Key) -> str:
    """Return a key in the form in which people copy it."""
    return " ".join(str(part) for part in key)


def _presence(row: Mapping[str, Any] | None) -> str:
    return "no row" if row is None else _columns(row, list(row)[:6])


def _columns(row: Mapping[str, Any], names: list[str]) -> str:
    return ", ".join(f"{name}={row.get(name)}" for name in names) or "a row"
