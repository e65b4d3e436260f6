"""A bulk statement has an array per column of its row class, typed as the class says, and one text."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from services.chassis.storage.bulk import Bulk, Integer, Json, JsonText, Table, write_tables
from services.chassis.storage.writing import Writes
from tests.conftest import Desks


class Colour(StrEnum):
    RED = "red"


class Sample(NamedTuple):
    shop: str
    id: UUID
    amount: int
    line: Integer | None
    colour: Colour | None
    sent_at: datetime
    due_on: date | None
    is_paid: bool
    digest: bytes
    data: Json
    body: JsonText | None


class Timer(NamedTuple):
    kind: str
    key: str
    payload: Json


PLAN = Bulk(
    Timer,
    "INSERT INTO msg.timer ({columns}, due_at) SELECT n.*, {due_at} FROM {rows} AS n RETURNING kind, key",
)


def test_annotations_give_the_types_of_the_arrays() -> None:
    assert Bulk(Sample, "SELECT * FROM {rows} AS n ({columns})").text == (
        "SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::integer[], $5::text[], $6::timestamptz[],"
        " $7::date[], $8::boolean[], $9::bytea[], $10::jsonb[], $11::json[])"
        " AS n (shop, id, amount, line, colour, sent_at, due_on, is_paid, digest, data, body)"
    )


def test_values_of_all_rows_are_numbered_after_the_columns_and_braces_of_literals_stay() -> None:
    text = "SELECT {now}, '{}', '{a,b}', {shop}, {now} FROM {rows} AS n (id)"
    assert Bulk(tuple[UUID], text).text == (
        "SELECT $2, '{}', '{a,b}', $3, $2 FROM unnest($1::uuid[]) AS n (id)"
    )


@pytest.mark.parametrize("hint", [list[str], float, str | int, Any])
def test_a_column_without_a_type_is_refused_when_the_statement_is_made(hint: Any) -> None:
    with pytest.raises(TypeError, match="no PostgreSQL type"):
        Bulk(tuple[hint], "SELECT * FROM {rows}")


async def test_rows_are_written_with_the_values_of_all_and_come_back(desks: Desks) -> None:
    desk = await desks("orders")
    rows = [Timer(kind="bulk", key=key, payload="{}") for key in ("a", "b")]
    now = datetime.fromisoformat("2030-01-01T00:00:00+00:00")
    found = await PLAN.fetch(desk.hub.pool, rows, due_at=now)
    assert [tuple(row) for row in found] == [("bulk", "a"), ("bulk", "b")]
    assert await desk.hub.pool.fetchval("SELECT min(due_at) FROM msg.timer WHERE kind = 'bulk'") == now


async def test_without_rows_there_is_no_statement() -> None:
    sent: list[str] = []

    class Connection:
        async def execute(self, query: str, *_: Any) -> None:
            sent.append(query)

        async def fetch(self, query: str, *_: Any) -> Sequence[Any]:
            sent.append(query)
            return [()]

    await PLAN.execute(Connection(), [], due_at=None)
    assert await PLAN.fetch(Connection(), [], due_at=None) == []
    assert sent == []


async def test_tables_are_written_in_their_order_and_those_without_rows_are_left_out() -> None:
    written: list[tuple[str, Any]] = []

    async def write_orders(_: Any, rows: Any) -> None:
        written.append(("orders", rows))

    async def write_lines(_: Any, rows: Any) -> None:
        written.append(("lines", rows))

    none: list[int] = []
    await write_tables(
        Writes(None), Table(write_lines, none), Table(write_orders, ["a"]), Table(write_lines, {"b": 1})
    )
    assert written == [("orders", ["a"]), ("lines", {"b": 1})]


@pytest.mark.parametrize("values", [{}, {"due": None}, {"due_at": None, "shop": "a"}])
async def test_a_value_that_is_missing_or_unknown_is_named(values: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="due_at"):
        await PLAN.execute(Writes(None), [Timer("bulk", str(uuid4()), "{}")], **values)
