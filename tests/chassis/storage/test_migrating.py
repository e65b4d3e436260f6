"""A migration waits for no lock without end, and says what to do; how long a step takes is its own affair."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from services.chassis.storage import migrating
from services.chassis.storage.migrating import MigrationFailed, migrate
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


def test_another_kind_of_database_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(MigrationFailed, match="postgresql://"):
        migrate("mysql://root@127.0.0.1/comptoir", tmp_path)
