"""Backup of the four databases: four snapshots taken within milliseconds of each other, and a dump of each.

The services go on working. What one database has of the last milliseconds and another lacks is repaired by the
restore: lost messages are sent again, and owners re-emit their state.
"""

import asyncio
import tomllib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg

from deploy.backup import manifest, tools
from deploy.backup.manifest import Dump, LastEvent, Manifest
from deploy.cli.environment import database_variable
from deploy.cli.failures import NotConfigured, Refused, no_database

ROOT = Path(__file__).resolve().parents[2]
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.5
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
Progress = Callable[[str, int, int], None]
"""Called with the service, the bytes of its file so far, and the bytes of its database."""


class _Snapshot(NamedTuple):
    """A database at one moment: the exported snapshot, and what the manifest says of it."""

    id: str
    taken_at: datetime
    server_version: str
    migrations: list[str]
    last_event: LastEvent | None
    version_floor: int
    size: int


async def back_up(urls: Mapping[str, str], folder: Path, on_progress: Progress) -> Manifest:
    """Write a backup into a new folder and return its manifest. An interrupted one leaves no folder.

    Raises NotConfigured for a folder that has files, Refused, Unreachable.
    """
    is_new = _make(folder)
    try:
        made = await _dump_all(urls, folder, on_progress)
        manifest.write(folder, made)
    except BaseException as error:
        for file in folder.iterdir():
            file.unlink()
        if is_new:
            folder.rmdir()
        if isinstance(error, OSError):
            raise Refused(f"could not write to {folder}: {error.strerror or error}") from None
        raise
    return made


def _make(folder: Path) -> bool:
    """Create the folder; return False if it exists, empty."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not folder.is_dir() or any(folder.iterdir()):
            raise NotConfigured(
                f"{folder} exists and is not empty: name a new folder for the backup"
            ) from None
        folder.chmod(0o700)
        return False
    except OSError as error:
        raise NotConfigured(f"could not make {folder}: {error.strerror}") from None
    return True


async def _dump_all(urls: Mapping[str, str], folder: Path, on_progress: Progress) -> Manifest:
    async with AsyncExitStack() as open_:
        connections = {service: await _connect(service, url, open_) for service, url in urls.items()}
        taken_at = datetime.now(UTC)
        snapshots = dict(
            zip(
                connections,
                await asyncio.gather(*(_snapshot(one, each) for one, each in connections.items())),
                strict=True,
            )
        )
        dumps = {
            service: await _dump(service, urls[service], snapshot, folder, on_progress)
            for service, snapshot in snapshots.items()
        }
    return Manifest(
        format=manifest.FORMAT, comptoir=_own_version(), backup_id=uuid4(), taken_at=taken_at, databases=dumps
    )


async def _connect(service: str, url: str, open_: AsyncExitStack) -> Any:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except DATABASE_ERRORS as error:
        raise no_database(f"the database of {service}", database_variable(service), error) from None
    open_.callback(connection.terminate)
    return connection


async def _snapshot(service: str, connection: Any) -> _Snapshot:
    """Export a snapshot; it is valid while the connection's transaction is open."""
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        taken = await connection.fetchrow("SELECT pg_export_snapshot() AS id, clock_timestamp() AS taken_at")
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        facts = await connection.fetchrow(
            """SELECT current_setting('server_version') AS server_version,
                   (SELECT array_agg(version::text ORDER BY version) FROM (
                        SELECT version FROM public.schema_migrations
                        UNION SELECT version FROM public.schema_migrations_after) AS m) AS migrations,
                   (SELECT coalesce(max(version_floor), 0) FROM msg.restore) AS version_floor,
                   pg_database_size(current_database()) AS size"""
        )
        last = await connection.fetchrow("SELECT id, time FROM msg.event_log ORDER BY id DESC LIMIT 1")
    except asyncpg.UndefinedTableError as error:
        raise Refused(
            f"the database of {service} is not up to date ({error}): run comptoir migrate first"
        ) from None
    except DATABASE_ERRORS as error:
        raise Refused(f"the database of {service} can't be read: {type(error).__name__}: {error}") from None
    return _Snapshot(**taken, **facts, last_event=LastEvent(**last) if last else None)


async def _dump(service: str, url: str, snapshot: _Snapshot, folder: Path, on_progress: Progress) -> Dump:
    file = folder / f"{service}.dump"
    file.touch(mode=0o600, exist_ok=False)
    options = (
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot.id}",
        f"--file={file}",
    )
    running = asyncio.create_task(tools.run("pg_dump", url, options))
    try:
        while not running.done():
            on_progress(service, file.stat().st_size, snapshot.size)
            await asyncio.wait([running], timeout=POLL_SECONDS)
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    sha256 = await asyncio.to_thread(manifest.digest, file)
    on_progress(service, file.stat().st_size, snapshot.size)
    facts = snapshot._asdict()
    del facts["id"], facts["size"]
    return Dump(file=file.name, bytes=file.stat().st_size, sha256=sha256, **facts)


def _own_version() -> str:
    try:
        return version("comptoir")
    except PackageNotFoundError:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])
