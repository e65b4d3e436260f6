"""Arrays of PostgreSQL's built-in types, registered without a query per connection.

asyncpg looks up every array type it meets for the first time on a connection: up to three statements each time, of
which one takes 5 ms to plan, several times per connection. The identifiers of the built-in types are the same on every
server (`src/include/catalog/pg_type.dat`), so a process looks all of them up together, and once.
"""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import asyncpg

ARRAYS = {
    1000: "_bool",
    1001: "_bytea",
    1005: "_int2",
    1007: "_int4",
    1009: "_text",
    1016: "_int8",
    1021: "_float4",
    1022: "_float8",
    1115: "_timestamp",
    1182: "_date",
    1183: "_time",
    1185: "_timestamptz",
    1231: "_numeric",
    199: "_json",
    2951: "_uuid",
    3807: "_jsonb",
}
"""Built-in array types by identifier: those of `pg_type` whose elements the services' statements use."""
_NAMED = SimpleNamespace(name="arrays")
"""Instead of the statement that asked: asyncpg looks at its name, and prepares its own again if it has none."""
_described: list[Any] = []


class PreloadedArrays(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that looks up no built-in array type that its process has looked up before."""

    async def _introspect_types(  # asyncpg's
        self,
        typeoids: Collection[int],
        timeout: float | None,  # noqa: ASYNC109
    ) -> tuple[Any, Any]:
        if not ARRAYS.keys() >= set(typeoids):
            return await super()._introspect_types(typeoids, timeout)
        if _described:
            return _described, _NAMED
        rows, statement = await super()._introspect_types(list(ARRAYS), timeout)
        _described[:] = rows
        return rows, statement
