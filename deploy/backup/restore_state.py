"""How far the restore of one database is, read from the database itself, so that a restore may be run again.

EMPTY -> BEGUN (marked, so that no process works on it) -> FILLED (the dump is in, in one transaction) -> RAISED
(versions are above what listeners may know, effects are in doubt) -> OPEN (processes may work) -> FINISHED.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from deploy.backup.dumping import CONNECT_SECONDS, DATABASE_ERRORS
from deploy.cli.environment import database_variable
from deploy.cli.failures import Refused, no_database
from services.chassis.messaging.recovery.restored import SCHEMA

_TABLES = f"""SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\\_%'
      AND n.nspname NOT IN ('information_schema', '{SCHEMA}')"""  # noqa: S608 - a constant of ours

_PROCESSES = """SELECT DISTINCT split_part(application_name, '@', 1) AS name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'comptoir-%'
      AND application_name NOT IN ('comptoir-auditor', 'comptoir-pg_restore') ORDER BY 1"""
"""Processes whose pool is open. One that begins on a database without tables ends before it opens one."""

RESTORE_LOCK = 0x726573746F7265
"""Key of the advisory lock that a restore holds in the database of orders ("restore" in ASCII)."""
_HELD_SESSION = """SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES ('idle_session_timeout', '0'),
    ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'))
    AS wanted (name, value) USING (name)"""
"""Keeps a session that waits for hours, and ends it within a minute when its machine is gone."""


class Step(StrEnum):
    """The last step of a restore that is complete in a database."""

    EMPTY = "empty"
    BEGUN = "begun"
    FILLED = "filled"
    RAISED = "raised"
    OPEN = "open"
    FINISHED = "finished"


class DatabaseState(NamedTuple):
    """A database's step; `tables` are those of somebody else when it holds something other than this backup."""

    step: Step | None
    tables: int = 0
    other_backup: UUID | None = None


async def open_database(service: str, url: str) -> Any:
    """Return a connection to a service's database. Raises Unreachable."""
    try:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=None)
    except DATABASE_ERRORS as error:
        raise no_database(f"the database of {service}", database_variable(service), error) from None


@contextmanager
def only_restore(service: str, url: str) -> Iterator[None]:
    """Hold the advisory lock of restores in a service's database while the body runs; a process that dies releases
    it. Raises Refused while another restore has it, Unreachable."""
    with asyncio.Runner() as runner:
        connection = runner.run(open_database(service, url))
        try:
            if not runner.run(_locked(connection)):
                raise Refused("another restore is running: wait until it ends, and run it again if it failed")
            yield
        finally:
            runner.run(_close(connection))


async def _locked(connection: Any) -> bool:
    await connection.execute(_HELD_SESSION)
    is_held: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", RESTORE_LOCK)
    return is_held


async def _close(connection: Any) -> None:
    try:
        await connection.execute("SELECT pg_advisory_unlock_all()")
        await connection.close(timeout=CONNECT_SECONDS)
    except DATABASE_ERRORS:
        connection.terminate()


async def state_of(connection: Any, backup_id: UUID) -> DatabaseState:
    """Return how far the restore of this backup is in a database."""
    tables = await connection.fetchval(_TABLES)
    marked = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{SCHEMA}.backup")
    own = await _newest(connection) if tables else None
    if marked:
        named = await connection.fetchval(f"SELECT id FROM {SCHEMA}.backup")  # noqa: S608 - a constant of ours
        if named != backup_id:
            return DatabaseState(None, tables, named)
        if own is not None and own["backup_id"] == backup_id and own["finished_at"] is None:
            return DatabaseState(Step.RAISED)
        return DatabaseState(Step.FILLED if tables else Step.BEGUN)
    if not tables:
        return DatabaseState(Step.EMPTY)
    if own is None or own["backup_id"] != backup_id:
        return DatabaseState(None, tables)
    return DatabaseState(Step.OPEN if own["finished_at"] is None else Step.FINISHED)


async def _newest(connection: Any) -> Any:
    if not await connection.fetchval("SELECT to_regclass('msg.restore') IS NOT NULL"):
        return None
    return await connection.fetchrow(
        "SELECT backup_id, finished_at FROM msg.restore ORDER BY restored_at DESC LIMIT 1"
    )


def refuse_others(urls: Mapping[str, str], found: Mapping[str, DatabaseState]) -> None:
    """Raise Refused naming every database that holds something other than this backup."""
    wrong = []
    for service, state in found.items():
        if state.step is not None:
            continue
        name = urlsplit(urls[service]).path.removeprefix("/")
        if state.other_backup:
            wrong.append(f"{name} ({service}) was begun from another backup, {state.other_backup}")
        else:
            wrong.append(f"{name} ({service}) is not empty: it has {state.tables} tables")
    if wrong:
        raise Refused(
            f"{'; '.join(wrong)}. Nothing was changed. A restore needs empty databases: stop all processes, keep a "
            "copy of what is there, drop these databases, create them with `python -m deploy.databases "
            "--new-passwords`, and run it again"
        )


async def refuse_running(urls: Mapping[str, str], steps: Mapping[str, Step]) -> None:
    """Raise Refused naming the processes that are connected to a database that is to be filled.

    They would execute the effects that the dump holds as pending, before the restore has marked them as uncertain.
    """
    running = []
    for service, step in steps.items():
        if step in (Step.EMPTY, Step.BEGUN):
            connection = await open_database(service, urls[service])
            try:
                running += [row["name"] for row in await connection.fetch(_PROCESSES)]
            finally:
                await connection.close()
    if running:
        names = ", ".join(sorted(set(running)))
        raise Refused(f"still running: {names}. Nothing was changed. Stop all processes, and run it again")
