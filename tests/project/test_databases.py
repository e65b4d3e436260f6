"""Databases of tests: one that is used again is like a fresh copy, and one that cannot be is dropped."""

from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.parts import Postgres
from tests.databases import Database, Databases

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAUSE = "INSERT INTO msg.pause SELECT 'messages', 'a reason', 'a test', now()"
TIMERS = "INSERT INTO msg.timer SELECT 'a kind', n, now(), '{}' FROM generate_series(1, $1::int) n"
TABLES = """SELECT oid::regclass FROM pg_class
    WHERE relkind = 'r' AND oid >= 16384 AND relname <> 'schema_migrations'"""
LEFT = "SELECT datname FROM pg_database WHERE datname = $1 UNION ALL SELECT rolname FROM pg_roles WHERE rolname = $1"
CHANGES = {
    "a table": "CREATE TABLE more (id int)",
    "a column": "ALTER TABLE msg.pause ADD COLUMN more int",
    "a column removed": "ALTER TABLE msg.pause DROP COLUMN actor",
    "a default": "ALTER TABLE msg.pause ALTER COLUMN what SET DEFAULT 'messages'",
    "an index": "CREATE INDEX ON msg.pause (what)",
    "a name": "ALTER TABLE msg.pause RENAME TO gone",
    "a trigger that is off": "ALTER TABLE ledger_entry DISABLE TRIGGER USER",
    "a function": "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a setting of the database": "ALTER DATABASE {name} SET statement_timeout = '1s'",
    "a setting of the role": "ALTER ROLE {name} SET statement_timeout = '1s'",
    "a limit of connections": "ALTER DATABASE {name} CONNECTION LIMIT 3",
    "what the migrations left": "DELETE FROM schema_migrations",
}


async def _is_used_again(databases: Databases, given: Database) -> bool:
    await databases.give_back(given)
    taken = await databases.take(given.service)
    await databases.give_back(taken)
    return taken.name == given.name


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_database_in_which_more_than_rows_changed_is_dropped(
    databases: Databases, postgres: Postgres, change: str
) -> None:
    database = await databases.take("payments")
    url = urlsplit(postgres.admin_url)._replace(path=f"/{database.name}").geturl()
    connection = await asyncpg.connect(url)
    await connection.execute(change.format(name=database.name))
    await connection.close()
    assert not await _is_used_again(databases, database)
    connection = await asyncpg.connect(postgres.admin_url)
    assert await connection.fetch(LEFT, database.name) == []
    await connection.close()


async def test_a_database_with_an_open_connection_is_dropped(databases: Databases) -> None:
    database = await databases.take("payments")
    connection = await asyncpg.connect(database.url)
    assert not await _is_used_again(databases, database)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetchval("SELECT 1")


@pytest.mark.parametrize("rows", [1, 20_000], ids=["few", "many"])
async def test_a_database_that_is_used_again_has_no_rows_and_first_numbers(
    databases: Databases, rows: int
) -> None:
    database = await databases.take("payments")
    for _ in range(2):
        connection = await asyncpg.connect(database.url)
        assert await connection.fetchval("SELECT nextval('msg.parked_id_seq')") == 1
        await connection.execute(PAUSE)
        await connection.execute(TIMERS, rows)
        await connection.execute("ANALYZE msg.timer")
        await connection.close()
        assert await _is_used_again(databases, database)
    connection = await asyncpg.connect(database.url)
    for [table] in await connection.fetch(TABLES):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert await connection.fetchval("SELECT count(*) FROM schema_migrations") > 0
    assert await connection.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = 'msg'") == 0
    assert await connection.fetchval("SELECT reltuples FROM pg_class WHERE oid = 'msg.timer'::regclass") == -1
    await connection.close()
