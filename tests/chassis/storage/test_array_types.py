"""Built-in array types are looked up once per process, whatever a connection is used for."""

import inspect
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.chassis.storage import array_types
from services.chassis.storage.array_types import ARRAYS, PreloadedArrays
from tests.conftest import FreshDatabase

VALUES: dict[str, list[Any]] = {
    "bool": [True, None],
    "bytea": [b"\x00a"],
    "integer": [1, -1],
    "bigint": [2**40],
    "text": ["é", None],
    "float8": [0.5],
    "date": [date(2026, 2, 28)],
    "timestamptz": [datetime(2026, 2, 28, tzinfo=UTC)],
    "numeric": [Decimal("1.50")],
    "json": ['{"a":1}'],
    "jsonb": ['{"a": 1}'],
    "uuid": [UUID(int=7)],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What asyncpg asks the server about, in a process that has asked nothing before."""
    questions: list[list[int]] = []
    ask = asyncpg.Connection._introspect_types

    async def noted(self: Any, typeoids: Any, timeout: float | None) -> Any:  # noqa: ASYNC109
        questions.append(list(typeoids))
        return await ask(self, typeoids, timeout)

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", noted)
    monkeypatch.setattr(array_types, "_described", [])
    return questions


async def test_the_server_is_asked_once_for_all_connections(
    fresh_database: FreshDatabase, asked: list[list[int]]
) -> None:
    url = await fresh_database("notifier")
    for _ in range(3):
        connection = await asyncpg.connect(url, connection_class=PreloadedArrays)
        for kind, values in VALUES.items():
            assert await connection.fetchval(f"SELECT $1::{kind}[]", values) == values
            rows = await connection.fetch(f"SELECT unnest($1::{kind}[]) AS v", values)
            assert [row["v"] for row in rows] == values
        await connection.close()
    assert asked == [list(ARRAYS)]


async def test_other_types_are_asked_about_as_usual(
    fresh_database: FreshDatabase, asked: list[list[int]]
) -> None:
    connection = await asyncpg.connect(await fresh_database("notifier"), connection_class=PreloadedArrays)
    try:
        await connection.execute("CREATE TEMPORARY TABLE pair (a integer, b text)")
        assert tuple(await connection.fetchval("SELECT row(1, 'x')::pair")) == (1, "x")
        assert await connection.fetchval("SELECT $1::bigint[]", [3]) == [3]
    finally:
        await connection.close()
    assert len(asked) == 2


async def test_the_identifiers_are_those_of_the_server(fresh_database: FreshDatabase) -> None:
    connection = await asyncpg.connect(await fresh_database("notifier"))
    try:
        rows = await connection.fetch("SELECT oid, typname FROM pg_type WHERE oid = ANY($1)", list(ARRAYS))
    finally:
        await connection.close()
    assert {row["oid"]: row["typname"] for row in rows} == ARRAYS


def test_asyncpg_asks_as_the_version_in_use_does() -> None:
    """The method is asyncpg's own: a version that changes it is looked at before it is used."""
    assert asyncpg.__version__ == "0.32.0"
    asks = inspect.signature(asyncpg.Connection._introspect_types)
    assert list(asks.parameters) == ["self", "typeoids", "timeout"]
