"""Migrations with dbmate: numbered SQL files, the chassis' first, then the service's own.

Most only add, and are applied before an upgrade, while the old version runs. Those in a folder `after` may remove what
the old version needs, and are applied after the upgrade, once no process of it is left.

dbmate is a single well-maintained program with plain SQL files; any operator may run it by hand on the same
folders.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import structlog

from services.chassis.errors import describe
from services.chassis.storage.schema_check import (
    AFTER_TABLE,
    BEFORE_TABLE,
    Schema,
    after_folders,
    compare_schema,
)

log = structlog.get_logger()
LOCK_SECONDS = 10
TURN_LOCK = 0x636F6D70746F6972
"""Key of the advisory lock that a migration holds in its database ("comptoir" in ASCII)."""
TURN_POLL_SECONDS = 0.5
_UNFINISHED = """
SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace IN ('public'::regnamespace, to_regnamespace('msg'))
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)"""
_NEW = "SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass('msg.inbox'))"
"""Whether no process ever worked in a database: each makes the partitions of the inbox when it starts."""
_PROCESSES = """
SELECT DISTINCT application_name AS name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'comptoir-%' AND application_name NOT LIKE '%-reading'
  AND application_name NOT IN ('comptoir-auditor', 'comptoir-seed', 'comptoir-pg_dump', 'comptoir-pg_restore')"""
"""The main pools of processes. Tools only read, or fail and are run again."""
CHASSIS_MIGRATIONS = Path(__file__).parent.parent / "migrations"


class MigrationFailed(Exception):
    """dbmate failed; the message is its output."""


def migrate(database_url: str, service_migrations: Path) -> Schema:
    """Apply the pending migrations, those of `after` only to a new database: no process ever worked in it. Return what
    is pending then.

    Safe to repeat, and to run in several processes at once: one after another works, and the later ones find nothing
    to do.

    A step with `transaction:false` is one `CREATE INDEX CONCURRENTLY IF NOT EXISTS`. One that was interrupted leaves an
    index that is invalid; it is dropped here, so that the step builds it again.

    A step has no time limit; it waits for a lock held by others for at most 10 s, since all other sessions
    queue behind it. Raises MigrationFailed.
    """
    folders = (CHASSIS_MIGRATIONS, service_migrations)

    async def work(connection: Any) -> Schema:
        is_new = await connection.fetchval(_NEW)
        await _drop_unfinished(connection)
        await asyncio.to_thread(_run_dbmate, database_url, folders, BEFORE_TABLE)
        if is_new:
            await asyncio.to_thread(_run_dbmate, database_url, after_folders(folders), AFTER_TABLE)
        return await compare_schema(connection, folders)

    return _in_turn(database_url, work)


def migrate_after(database_url: str, service_migrations: Path) -> Schema:
    """Apply the pending steps of `after`; return what is pending then. Raises MigrationFailed, also while a process
    runs whose version is older than one of them, or while other migrations are pending."""
    folders = (CHASSIS_MIGRATIONS, service_migrations)

    async def work(connection: Any) -> Schema:
        schema = await _schema(connection, folders)
        if schema.pending:
            raise MigrationFailed(f"{len(schema.pending)} other migrations are pending: migrate first")
        if not schema.pending_after:
            return schema
        newest = schema.pending_after[-1].partition("_")[0]
        if old := await _older_processes(connection, newest):
            raise MigrationFailed(
                f"still running, and older than {schema.pending_after[-1]}: {', '.join(old)}; nothing was changed. "
                "Upgrade or stop them, then run it again"
            )
        await _drop_unfinished(connection)
        await asyncio.to_thread(_run_dbmate, database_url, after_folders(folders), AFTER_TABLE)
        return await compare_schema(connection, folders)

    return _in_turn(database_url, work)


async def _schema(connection: Any, folders: Sequence[Path]) -> Schema:
    """Return what is pending. Raises MigrationFailed when nothing was ever migrated."""
    try:
        return await compare_schema(connection, folders)
    except asyncpg.UndefinedTableError:
        raise MigrationFailed("all migrations are pending: migrate first") from None


async def _older_processes(connection: Any, version: str) -> list[str]:
    """Return the names of connected processes that do not know a version. Only processes name one, after an `@`."""
    rows = await connection.fetch(_PROCESSES)
    known = (str(row["name"]).partition("@") for row in rows)
    return sorted({name for name, _, newest in known if newest < version})


def _in_turn(url: str, work: Callable[[Any], Awaitable[Schema]]) -> Schema:
    """Do work on a database while no other process migrates it. Raises MigrationFailed."""
    if urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise MigrationFailed("COMPTOIR_DATABASE_URL must begin with postgresql://")
    with ThreadPoolExecutor(1) as apart:  # the caller may have an event loop of its own
        return apart.submit(asyncio.run, _with_connection(url, work)).result()


async def _with_connection(url: str, work: Callable[[Any], Awaitable[Schema]]) -> Schema:
    try:
        connection: Any = await asyncpg.connect(url, timeout=LOCK_SECONDS, command_timeout=LOCK_SECONDS)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationFailed(f"could not connect to the database: {describe(error)}") from error
    async with _turn(connection):
        return await work(connection)


@asynccontextmanager
async def _turn(connection: Any) -> AsyncIterator[None]:
    """Hold the advisory lock of migrations, on a session of its own; a process that dies releases it.

    It is polled rather than waited for in PostgreSQL: `CREATE INDEX CONCURRENTLY` waits for every
    statement that began before it, so also for one that waits for its own process.
    """
    try:
        is_announced = False
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", TURN_LOCK):
            if not is_announced:
                log.info("another process migrates this database; waiting until it has finished")
                is_announced = True
            await asyncio.sleep(TURN_POLL_SECONDS)
        yield
    finally:
        connection.terminate()


def _run_dbmate(database_url: str, folders: Sequence[Path], table: str) -> None:
    """Apply the pending files of folders; without any file there is nothing to do. Raises MigrationFailed."""
    program = Path(sys.executable).parent / "dbmate"
    found = [f"--migrations-dir={folder}" for folder in folders if any(folder.glob("*.sql"))]
    if not found:
        return
    done = subprocess.run(
        [str(program), *found, "--no-dump-schema", f"--migrations-table={table}", "up"],
        env={**os.environ, "DATABASE_URL": _for_dbmate(database_url)},
        capture_output=True,
        text=True,
        check=False,
    )
    output = (done.stderr or done.stdout).strip()[-2000:]
    if done.returncode != 0 and "lock timeout" in output:
        raise MigrationFailed(f"{_held()}. dbmate: {output}")
    if done.returncode != 0:
        raise MigrationFailed(f"dbmate: {output}")


async def _drop_unfinished(connection: Any) -> None:
    """Drop the invalid indexes that nobody is building now."""
    try:
        for row in await connection.fetch(_UNFINISHED):
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {row['name']}")
    except (TimeoutError, asyncpg.PostgresError) as error:
        why = _held() if isinstance(error, TimeoutError) else str(error)
        raise MigrationFailed(f"an index whose build was interrupted could not be dropped: {why}") from error


def _held() -> str:
    """Return why a step failed that waited for a lock, and what to do."""
    return (
        f"another session held a table for longer than {LOCK_SECONDS} s (a dump, an export, a long transaction); "
        "nothing of this step was changed. Wait for it or end it, then migrate again"
    )


def _for_dbmate(url: str) -> str:
    """Return the URL with TLS optional, unless it sets `sslmode`: dbmate's driver requires TLS by default."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault(
        "sslmode", "disable" if parts.hostname in ("127.0.0.1", "localhost", "::1") else "prefer"
    )
    query |= {"lock_timeout": str(LOCK_SECONDS * 1000), "statement_timeout": "0"}
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
