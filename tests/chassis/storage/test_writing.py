"""Writes of a transaction leave together, and never together with one that would have to see another's rows."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.storage.database import Connection, transaction
from services.chassis.storage.writing import Writes
from tests.conftest import Desks

LATER = "UPDATE msg.timer SET due_at = due_at + $1::interval WHERE kind = ANY($2::text[])"
ADD = "INSERT INTO msg.timer (kind, key, due_at, payload) SELECT k, $2, now(), '{}' FROM unnest($1::text[]) AS k"
PLAN = """INSERT INTO msg.effect (key, kind, state, payload, next_at, created_at, updated_at)
          SELECT k, $2, 'planned', '{}', now(), now(), now() FROM unnest($1::text[]) AS k"""
COUNT = "INSERT INTO tally SELECT count(*) FROM msg.timer"


class Telling:
    """Stands where a connection does and keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[Any, ...]]] = []

    async def execute(self, query: str, *arguments: Any) -> str:
        self.sent.append((query, arguments))
        return f"UPDATE {len(self.sent)}"


async def sent(*statements: tuple[str, tuple[Any, ...]]) -> list[tuple[str, tuple[Any, ...]]]:
    connection = Telling()
    writes = Writes(connection)
    for query, arguments in statements:
        await writes.execute(query, *arguments)
    await writes.send()
    return connection.sent


async def test_statements_on_different_tables_leave_as_one_with_their_own_parameters() -> None:
    ((query, arguments),) = await sent((ADD, (["a"], "b")), (PLAN, (["c"], "d")))
    assert arguments == (["a"], "b", ["c"], "d")
    assert query.startswith("WITH part_0 AS (INSERT INTO msg.timer")
    assert "SELECT k, $2, now()" in query
    assert "SELECT k, $4, 'planned'" in query


@pytest.mark.parametrize("second", [LATER, COUNT], ids=["writes the same table", "reads it"])
async def test_what_names_a_table_written_before_begins_another_round(second: str) -> None:
    rounds = await sent((ADD, (["a"], "b")), (PLAN, (["c"], "d")), (second, ()))
    assert len(rounds) == 2
    assert rounds[1][0] == second


async def test_on_conflict_do_update_is_no_table() -> None:
    upsert = "INSERT INTO msg.timer VALUES ($1) ON CONFLICT (kind, key) DO UPDATE SET due_at = $2"
    seen = "UPDATE msg.inbox SET seen_at = $1"
    assert len(await sent((upsert, (1, 2)), (seen, (3,)))) == 1


async def test_nothing_noted_is_nothing_sent() -> None:
    connection = Telling()
    assert await Writes(connection).send() == ""
    assert connection.sent == []


async def test_the_database_takes_them_and_reports_the_last(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection, transaction(connection):
        writes = Writes(connection)
        await writes.execute(PLAN, ["a mail"], "mail")
        await writes.execute(ADD, ["one", "two", "three"], "a key")
        assert await writes.send() == "INSERT 0 3"
        await writes.execute(LATER, timedelta(hours=1), ["one", "two"])
        assert await writes.send() == "UPDATE 2"


COUNTED = """WITH known AS (SELECT k FROM unnest($1::text[]) AS k WHERE k <> $2)
             SELECT k FROM known ORDER BY k"""


async def test_a_statement_with_a_result_takes_the_collected_ones_along(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        writes = Writes(connection)
        await writes.execute(ADD, ["one"], "a key")
        await writes.execute(PLAN, ["a mail"], "mail")
        rows = await writes.fetch(COUNTED, ["a", "b", "c"], "b")
        assert [row["k"] for row in rows] == ["a", "c"]
        assert await connection.fetchval("SELECT count(*) FROM msg.timer") == 1
        assert await connection.fetchval("SELECT count(*) FROM msg.effect") == 1
        assert await writes.send() == ""


async def test_a_recursive_statement_takes_them_along_too(desks: Desks) -> None:
    desk = await desks("orders")
    count = "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < $1) SELECT max(n) AS n FROM up"
    async with desk.hub.acquire() as connection:
        writes = Writes(connection)
        await writes.execute(ADD, ["one"], "a key")
        (row,) = await writes.fetch(count, 5)
        assert row["n"] == 5
        assert await connection.fetchval("SELECT count(*) FROM msg.timer") == 1


async def test_a_result_sees_what_an_earlier_round_wrote(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection, transaction(connection):
        writes = Writes(connection)
        await writes.execute(ADD, ["one", "two"], "a key")
        (row,) = await writes.fetch("SELECT count(*) AS n FROM msg.timer WHERE key = $1", "a key")
        assert row["n"] == 2


async def test_a_transaction_that_fails_leaves_nothing_and_a_clean_connection(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        with pytest.raises(ZeroDivisionError):
            await failing_after(ADD, connection)
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT count(*) FROM msg.timer") == 0


async def failing_after(statement: str, connection: Connection) -> None:
    async with transaction(connection):
        await connection.execute(statement, ["one"], "a key")
        raise ZeroDivisionError
