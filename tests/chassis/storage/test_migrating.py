"""A migration waits for no lock without end, and says what to do; how long a step takes is its own affair."""

import asyncio
import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.parts import Postgres
from services.chassis.runtime.start_checks import StartRefused, check_database
from services.chassis.settings import ServiceSettings
from services.chassis.storage import migrating
from services.chassis.storage.migrating import CHASSIS_MIGRATIONS, MigrationFailed, migrate, migrate_after
from services.chassis.storage.schema_check import compare_schema
from services.chassis.testing import settings_for_tests, wait_until
from tests.conftest import FreshDatabase

STEP = "-- migrate:up\n{}\n-- migrate:down\n"


async def test_a_table_that_somebody_holds_is_named_as_the_cause(
    fresh_database: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 1)
    url = await fresh_database("fulfillment")
    (tmp_path / "20300101000001_more.sql").write_text(STEP.format("ALTER TABLE parcel ADD COLUMN more text;"))
    reader = await asyncpg.connect(url)
    await reader.execute("BEGIN; SELECT count(*) FROM parcel")
    with pytest.raises(MigrationFailed, match="held a table for longer than 1 s"):
        await asyncio.to_thread(migrate, url, tmp_path)
    await reader.close()
    await asyncio.to_thread(migrate, url, tmp_path)


async def test_a_step_may_take_longer_than_a_statement_of_a_service(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database("fulfillment")
    owner = await asyncpg.connect(url)
    name = await owner.fetchval("SELECT current_user")
    await owner.execute(f"ALTER ROLE {name} SET statement_timeout = '200ms'")
    await owner.close()
    (tmp_path / "20300101000001_long.sql").write_text(STEP.format("SELECT pg_sleep(0.5);"))
    await asyncio.to_thread(migrate, url, tmp_path)


CONCURRENT = STEP.replace("up\n", "up transaction:false\n").format(
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS parcel_more ON parcel (shop, order_id);"
)


async def test_an_index_whose_building_was_interrupted_is_built_again(
    fresh_database: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 1)
    url = await fresh_database("fulfillment")
    (tmp_path / "20300101000001_more.sql").write_text(CONCURRENT)
    writer, reader = await asyncpg.connect(url), await asyncpg.connect(url)
    await writer.execute("BEGIN; DELETE FROM parcel")
    with pytest.raises(MigrationFailed, match="held a table for longer than 1 s"):
        await asyncio.to_thread(migrate, url, tmp_path)
    is_valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'parcel_more'::regclass"
    assert await reader.fetchval(is_valid) is False
    with pytest.raises(MigrationFailed, match="could not be dropped: another session held a table"):
        await asyncio.to_thread(migrate, url, tmp_path)
    assert await reader.fetchval(is_valid) is False
    await writer.close()
    await asyncio.to_thread(migrate, url, tmp_path)
    assert await reader.fetchval(is_valid) is True
    await reader.close()


GATED = STEP.format(
    "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7); CREATE TABLE more (id integer);"
)
PROGRAM = (
    "import os, pathlib, sys; from services.chassis.storage.migrating import migrate;"
    " migrate(os.environ['URL'], pathlib.Path(sys.argv[1]))"
)
AT_THE_GATE = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE '%lock(7)%'"
IN_TURN = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle' AND query LIKE '%pg_try_advisory_lock%'"


async def test_two_processes_that_migrate_at_once_work_one_after_the_other(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database("fulfillment")
    (tmp_path / "20300101000001_gated.sql").write_text(GATED)
    gate = await asyncpg.connect(url)
    await gate.execute("SET ROLE NONE; SELECT pg_advisory_lock(7)")  # NONE: it sees the other sessions

    async def begin(condition: str) -> asyncio.subprocess.Process:
        begun = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, str(tmp_path)),
            env={**os.environ, "URL": url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        where = f"{condition} AND datname = current_database()"

        async def is_there() -> bool:
            return await gate.fetchval(where) == 1

        await wait_until(is_there, 60)
        return begun

    both = [await begin(AT_THE_GATE), await begin(IN_TURN)]
    assert await gate.fetchval(f"{AT_THE_GATE} AND datname = current_database()") == 1
    await gate.execute("SELECT pg_advisory_unlock(7)")
    for one in both:
        output, _ = await one.communicate()
        assert one.returncode == 0, output
    assert await gate.fetchval("SELECT count(*) FROM schema_migrations WHERE version = '20300101000001'") == 1
    await gate.close()


AFTER_STEP = "20300102000001_without_more.sql"


async def test_what_ends_an_old_version_waits_until_no_process_of_it_is_left(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database("fulfillment")
    (tmp_path / "20300101000001_more.sql").write_text(STEP.format("ALTER TABLE parcel ADD COLUMN more text;"))
    (tmp_path / "after").mkdir()
    (tmp_path / "after" / AFTER_STEP).write_text(STEP.format("ALTER TABLE parcel DROP COLUMN more;"))
    with pytest.raises(MigrationFailed, match="1 other migrations are pending: migrate first"):
        await asyncio.to_thread(migrate_after, url, tmp_path)
    assert (await asyncio.to_thread(migrate, url, tmp_path)).pending_after == [AFTER_STEP]
    connection = await asyncpg.connect(url)
    has_column = "SELECT count(*) FROM pg_attribute WHERE attname = 'more' AND NOT attisdropped"
    assert await connection.fetchval(has_column) == 1

    sessions = [await _session(url, f"comptoir-{name}") for name in (*NOT_OLD, *OLD)]
    with pytest.raises(MigrationFailed, match="still running, and older than") as refused:
        await asyncio.to_thread(migrate_after, url, tmp_path)
    assert "_without_more.sql: comptoir-fulfillment, comptoir-page; nothing was changed" in str(refused.value)
    assert await connection.fetchval(has_column) == 1
    for session in sessions[len(NOT_OLD) :]:
        await session.close()

    async def is_done() -> bool:  # a session that was closed is listed for a moment
        try:
            return (await asyncio.to_thread(migrate_after, url, tmp_path)).pending_after == []
        except MigrationFailed:
            return False

    await wait_until(is_done, 30)
    assert await connection.fetchval(has_column) == 0
    assert (await asyncio.to_thread(migrate, url, tmp_path)).pending_after == []
    for session in (*sessions[: len(NOT_OLD)], connection):
        await session.close()


OLD = ("fulfillment@20300102000000", "page")
"""Processes of a version before the step, and of one that names no version."""
NOT_OLD = ("fulfillment@20300102000001", "backoffice@20300102000002", "auditor", "orders-backoffice-reading")


async def _session(url: str, name: str) -> Any:
    return await asyncpg.connect(url, server_settings={"application_name": name})


async def test_a_new_database_gets_the_steps_after_an_upgrade_at_once_also_when_it_is_migrated_again(
    postgres: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "after").mkdir()
    (tmp_path / "after" / AFTER_STEP).write_text(STEP.format("SELECT nothing;"))
    admin, name = await asyncpg.connect(postgres.admin_url), f"t_new_{secrets.token_hex(4)}"
    await admin.execute(f"CREATE DATABASE {name}")
    url = urlsplit(postgres.admin_url)._replace(path=f"/{name}").geturl()
    try:
        with pytest.raises(MigrationFailed, match="nothing"):  # the others are applied
            await asyncio.to_thread(migrate, url, tmp_path)
        (tmp_path / "after" / AFTER_STEP).write_text(STEP.format("CREATE TABLE last (id integer);"))
        assert (await asyncio.to_thread(migrate, url, tmp_path)).pending_after == []
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT to_regclass('last') IS NOT NULL")
        await connection.close()
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_a_process_starts_while_a_step_after_the_upgrade_is_pending_and_not_after_an_unknown_one(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database("fulfillment")
    settings, connection = settings_for_tests(ServiceSettings, url), await asyncpg.connect(url)
    (tmp_path / "after").mkdir()
    folders = (CHASSIS_MIGRATIONS, tmp_path)
    (tmp_path / "after" / AFTER_STEP).write_text(STEP.format("SELECT 1;"))
    await check_database(settings, "services.fulfillment", folders)
    (warning,) = (await compare_schema(connection, folders)).warnings
    assert f"1, last {AFTER_STEP}; run `comptoir migrate --after`" in warning
    await asyncio.to_thread(migrate_after, url, tmp_path)
    await check_database(settings, "services.fulfillment", folders)
    assert (await compare_schema(connection, folders)).warnings == []
    (tmp_path / "after" / AFTER_STEP).unlink()
    with pytest.raises(StartRefused, match="has ended what it may need, last with 20300102000001"):
        await check_database(settings, "services.fulfillment", folders)
    await connection.close()


def test_another_kind_of_database_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(MigrationFailed, match="postgresql://"):
        migrate("mysql://root@127.0.0.1/comptoir", tmp_path)
