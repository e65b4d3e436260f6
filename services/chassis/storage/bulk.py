"""Bulk statements: many rows of one class in one statement, as one array per column.

A row class is a `NamedTuple` beside the SQL of its table. Its fields are the columns that `unnest` yields, in
this order, and their annotations are the types of the arrays, so a row with a missing or misplaced column
fails in mypy. Rows that are only keys (`tuple[str, UUID]`) need no class. A batch of a hundred rows has the
text and the plan of one row; the text is composed once, when the module is imported.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from services.chassis.storage.writing import Reader, Writer

Integer = Annotated[int, "integer"]
"""A 32-bit integer; a plain `int` has 64 bits."""
Json = Annotated[str, "jsonb"]
JsonText = Annotated[str, "json"]
"""JSON that the table keeps as it was sent."""

_ARRAYS = {
    bool: "boolean",
    int: "bigint",
    str: "text",
    bytes: "bytea",
    UUID: "uuid",
    datetime: "timestamptz",
    date: "date",
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
Row = TypeVar("Row", bound=Sequence[Any])
Rows = TypeVar("Rows", bound=Collection[Any])


class Bulk(Generic[Row]):
    """A statement on rows of a class.

    In its text `{rows}` is replaced by `unnest` of the rows' columns, `{columns}` by their names, and any
    other name by a value that is the same for all rows and is passed by that name.
    """

    def __init__(self, row: type[Row], text: str) -> None:
        types = _types_of(row)
        self._width = len(types)
        self._names: list[str] = []
        self._unnest = f"unnest({', '.join(f'${n}::{one}[]' for n, one in enumerate(types, 1))})"
        self._columns = ", ".join(getattr(row, "_fields", ()))
        self.text = _PLACEHOLDER.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        name = match[1]
        if name in ("rows", "columns"):
            return self._unnest if name == "rows" else self._columns
        if name not in self._names:
            self._names.append(name)
        return f"${self._width + 1 + self._names.index(name)}"

    async def execute(self, connection: Writer, rows: Collection[Row], **values: Any) -> None:
        """Run the statement, or add it to those run together; without rows it is skipped."""
        if rows:
            await connection.execute(self.text, *self._arguments(rows, values))

    async def fetch(self, connection: Reader, rows: Collection[Row], **values: Any) -> list[Any]:
        """Run the statement and return its result; without rows it is empty."""
        return list(await connection.fetch(self.text, *self._arguments(rows, values))) if rows else []

    def _arguments(self, rows: Collection[Row], values: dict[str, Any]) -> list[Any]:
        if values.keys() != set(self._names):
            raise TypeError(f"the statement needs the values {self._names}, not {list(values)}")
        return [*zip(*rows, strict=True), *map(values.__getitem__, self._names)]


@dataclass(frozen=True)
class Table(Generic[Rows]):
    """Rows, and the function of a store that writes such rows."""

    write: Callable[[Writer, Rows], Awaitable[None]]
    rows: Rows

    async def save(self, connection: Writer) -> None:
        """Write the rows, if there are any."""
        if self.rows:
            await self.write(connection, self.rows)


async def write_tables(connection: Writer, *tables: Table[Any]) -> None:
    """Write each table's rows, in this order; one without rows is left out."""
    for table in tables:
        await table.save(connection)


def _types_of(row: type[Any]) -> list[str]:
    """Return the PostgreSQL types of a row's columns."""
    if get_origin(row) is tuple:
        return [_type_of(one) for one in get_args(row)]
    hints = get_type_hints(row, include_extras=True)
    return [_type_of(hints[name]) for name in row._fields]


def _type_of(hint: Any) -> str:
    """Return the PostgreSQL type of one annotation; an optional one has the type of its value."""
    if get_origin(hint) is Annotated:
        return str(hint.__metadata__[0])
    if get_origin(hint) in (Union, UnionType):
        match = {_type_of(one) for one in get_args(hint) if one is not NoneType}
        if len(match) == 1:
            return match.pop()
    elif isinstance(hint, type):
        for base in hint.__mro__:
            if base in _ARRAYS:
                return _ARRAYS[base]
    raise TypeError(f"no PostgreSQL type for {hint}: use one of {list(_ARRAYS)} or Annotated")
