"""Filling of one database from its dump, and what makes it safe to work on: versions raised, effects in doubt.

Each step is one transaction, so a process that dies leaves the database before or after it.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from deploy.backup import tools
from deploy.backup.manifest import Dump
from deploy.backup.restore_state import DatabaseState, Step, open_database, state_of
from deploy.cli.failures import Refused
from deploy.cli.migrating import migrate_database
from services.chassis.messaging.recovery.restored import RESTORED, SCHEMA
from services.notifier.conversation.inbound import INBOUND
from services.payments.invoices.issuing.worker import PDF_EFFECT
from services.payments.webhooks.reading import EFFECT as OBJECT_READ

HARMLESS = (INBOUND, PDF_EFFECT, OBJECT_READ)
"""Kinds of effect that change nothing outside: they are carried out as they are."""
FLOOR_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
"""A version floor is the number of seconds since then. It is above every version given out before, also by a database
that was restored from the same backup earlier, since nothing changes more often than every second for long."""
_END_ORPHANS = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE datname = current_database() AND application_name = 'comptoir-pg_restore'"""
ORPHAN_SECONDS = 0.2
_RAISE = {
    "orders": (),
    "payments": (
        "UPDATE account SET version = version - version_floor + $1, version_floor = $1 WHERE version_floor < $1",
    ),
    "fulfillment": (
        "UPDATE fulfilment_order SET version = $1 + 1 WHERE (sequence > 0 OR version > 1) AND version <= $1",
        "UPDATE shipment SET version = $1 + 1 WHERE version > 1 AND version <= $1",
    ),
    "notifier": (),
}
"""Statements that raise the versions which an owner re-emits. All others are raised by their next change."""
DOUBT = """UPDATE msg.effect SET state = 'in_flight', owner = NULL, lease_until = to_timestamp(0), detail = $1
            WHERE state IN ('planned', 'in_flight') AND NOT kind = ANY($2)"""
"""Effects that may have been executed after the backup: their worker finds them lost, and reports them as uncertain."""
_FREE = "UPDATE msg.effect SET lease_until = to_timestamp(0) WHERE state = 'in_flight' AND kind = ANY($1)"


async def database_state(service: str, url: str, backup_id: UUID) -> DatabaseState:
    """Return how far the restore of a service's database is."""
    connection = await open_database(service, url)
    try:
        return await state_of(connection, backup_id)
    finally:
        await connection.close()


async def fill(service: str, url: str, dump: Dump, folder: Path, backup_id: UUID, begun: Step) -> None:
    """Bring a database from its step to RAISED. Raises Refused, Unreachable."""
    if begun is Step.EMPTY:
        await _mark(service, url, backup_id)
    if begun is Step.BEGUN:
        await _end_orphan(service, url)
    if begun in (Step.EMPTY, Step.BEGUN):
        options = (
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            "--no-comments",
        )
        await tools.run("pg_restore", url, (*options, folder / dump.file))
    if begun in (Step.EMPTY, Step.BEGUN, Step.FILLED):
        await asyncio.to_thread(migrate_database, service, url)
        await _raise(service, url, dump, backup_id)


async def _mark(service: str, url: str, backup_id: UUID) -> None:
    connection = await open_database(service, url)
    try:
        async with connection.transaction():
            await connection.execute(f"CREATE SCHEMA {SCHEMA}")
            await connection.execute(f"CREATE TABLE {SCHEMA}.backup (id uuid PRIMARY KEY)")
            await connection.execute(f"INSERT INTO {SCHEMA}.backup VALUES ($1)", backup_id)  # noqa: S608
    except asyncpg.InsufficientPrivilegeError as error:
        raise Refused(
            f"the role of {service} may not restore its database ({error}): make it the database's owner, as "
            "`python -m deploy.databases` does"
        ) from None
    finally:
        await connection.close()


async def _end_orphan(service: str, url: str) -> None:
    """End the pg_restore of a run that was killed: it would go on by itself."""
    connection = await open_database(service, url)
    try:
        while await connection.fetchval(_END_ORPHANS):
            await asyncio.sleep(ORPHAN_SECONDS)
    finally:
        await connection.close()


async def _raise(service: str, url: str, dump: Dump, backup_id: UUID) -> None:
    connection = await open_database(service, url)
    try:
        async with connection.transaction():
            now = await connection.fetchval("SELECT clock_timestamp()")
            floor = int((now - FLOOR_BEGINS).total_seconds())
            known = await connection.fetchval("SELECT coalesce(max(version_floor), 0) FROM msg.restore")
            floor = max(floor, known + 1)
            for statement in _RAISE[service]:
                await connection.execute(statement, floor)
            await connection.execute(DOUBT, RESTORED, list(HARMLESS))
            await connection.execute(_FREE, list(HARMLESS))
            await connection.execute(
                """INSERT INTO msg.restore (id, backup_id, taken_at, restored_at, version_floor)
                   VALUES ($1, $2, $3, $4, $5)""",
                uuid4(),
                backup_id,
                dump.taken_at,
                now,
                floor,
            )
    finally:
        await connection.close()


async def open_up(service: str, url: str) -> None:
    """Let processes work on a database that is filled and raised."""
    await _execute(service, url, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


async def finish(service: str, url: str) -> None:
    """End the restore of a database: from now on effects are executed again.

    A backup that was made during another restore holds that one as unfinished: it ends as well.
    """
    await _execute(service, url, "UPDATE msg.restore SET finished_at = now() WHERE finished_at IS NULL")


async def fetch(service: str, url: str, query: str, *values: Any) -> list[Any]:
    """Return the rows of a query on a service's database."""
    connection = await open_database(service, url)
    try:
        rows: list[Any] = await connection.fetch(query, *values)
        return rows
    finally:
        await connection.close()


async def _execute(service: str, url: str, statement: str, *values: Any) -> None:
    connection = await open_database(service, url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
