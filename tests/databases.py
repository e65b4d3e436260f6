"""Databases of tests: copies of migrated templates. A copy whose test has ended is emptied for the next one.

Copying and dropping a database costs much more than emptying it. A copy is used again only if nothing but rows has
changed, as its catalog shows: one with another table, trigger, constraint or setting, or with a connection that is
still open, is dropped.
"""

import asyncio
import importlib
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import pbkdf2_hmac, sha256
from hmac import digest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from deploy.databases import with_credentials
from services.chassis.settings import ServiceSettings
from services.chassis.storage.migrating import migrate
from services.chassis.storage.partitions import keep_partitions

CLOSING_SECONDS = 1.0
"""How long the connections of a test may take to close once it has ended."""
MOST_BYTES = 4 * 8192
"""Of a table whose rows are deleted, which takes a fiftieth of the time of TRUNCATE and leaves its file as it is."""
_RESETTING = {
    "application_name": "tests",
    "lock_timeout": "2000",
    "session_replication_role": "replica",  # neither triggers nor foreign keys
    "statement_timeout": "10000",
}
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

_OTHERS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
_TABLES = """SELECT oid::regclass::text AS name, pg_relation_size(oid) AS bytes, relpages AS pages, reltuples AS tuples
    FROM pg_class WHERE relkind = 'r' AND oid >= 16384"""
_USED_SEQUENCES = """SELECT format('SELECT setval(%L, %s, false)', seqrelid::regclass, seqstart) FROM pg_sequence
    WHERE pg_sequence_last_value(seqrelid) IS NOT NULL"""
_STATISTICS = "DELETE FROM pg_statistic WHERE starelid >= 16384"
_DATABASE = """SELECT concat_ws(' ', datallowconn, datconnlimit, datacl,
        (SELECT count(*) FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
            WHERE s.setdatabase = d.oid OR r.rolname = d.datname AND setconfig <> ARRAY['role=' || datdba::regrole]))
    FROM pg_database d WHERE datname = current_database()"""
_SEQUENCES = "SELECT count(pg_sequence_last_value(seqrelid)) FROM pg_sequence"
_RELATIONS = """SELECT format('%s %s', count(*), sum(hashtext(concat_ws(' ', oid, relname, relnamespace, relkind,
    relowner, relacl, reloptions, relpersistence, relrowsecurity, relispartition, relchecks))))
    FROM pg_class WHERE oid >= 16384"""
_TRIGGERS = """SELECT format('%s %s', count(*), sum(hashtext(concat_ws(' ', oid, tgname, tgenabled))))
    FROM pg_trigger"""
_CATALOGS = {
    "pg_attrdef": "oid",
    "pg_attribute": "attrelid",
    "pg_constraint": "oid",
    "pg_enum": "oid",
    "pg_event_trigger": "oid",
    "pg_extension": "oid",
    "pg_index": "indexrelid",
    "pg_inherits": "inhrelid",
    "pg_largeobject_metadata": "oid",
    "pg_namespace": "oid",
    "pg_policy": "oid",
    "pg_proc": "oid",
    "pg_publication": "oid",
    "pg_rewrite": "oid",
    "pg_sequence": "seqrelid",
    "pg_statistic_ext": "oid",
    "pg_type": "oid",
}
"""The rest of the catalog, with the column that has the object's id. Each row carries the transaction that wrote it, a
copied one that of the template's: whatever was made, altered or removed is seen."""


@dataclass(frozen=True)
class Template:
    """A migrated database, and what every copy of it has before it is used."""

    name: str
    tables: dict[str, tuple[int, float]]
    """Pages and rows of each table as the planner estimates them."""
    filled: tuple[str, ...]
    """Tables that have rows."""
    state: tuple[Any, ...]


@dataclass
class Database:
    """A copy of a template with a role of its own; `connection` is the superuser's, kept while the copy is reused."""

    service: str
    name: str
    url: str
    connection: Any = None


class Databases:
    """All copies of a test session. One event loop calls `give_back` and `close`; any may call the others."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._templates: dict[str, Template] = {}
        self._free: dict[str, list[Database]] = {}

    async def take(self, service: str) -> Database:
        """Return an empty database of a service: one that was given back, or else a copy."""
        free = self._free.get(service)
        return free.pop() if free else await self._copy(service, quick_verifier)

    async def copy(self, service: str) -> Database:
        """Return a database of a service that was never used. It can be migrated: dbmate accepts no quick verifier."""
        return await self._copy(service, str)

    async def _copy(self, service: str, stored: Callable[[str], str]) -> Database:
        admin = await asyncpg.connect(self._admin_url)
        try:
            if service not in self._templates:
                self._templates[service] = await _make_template(admin, self._admin_url, service)
            name, password = f"t_{service}_{secrets.token_hex(4)}", secrets.token_hex(12)
            template = self._templates[service].name
            strategy = "STRATEGY FILE_COPY" if admin.get_server_version().major >= 15 else ""
            await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{stored(password)}' IN ROLE {template}")
            await admin.execute(f"ALTER ROLE {name} SET ROLE {template}")
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {template} {strategy}")
        finally:
            await admin.close()
        return Database(service, name, with_credentials(self._admin_url, name, password))

    async def give_back(self, database: Database) -> None:
        """Empty a database for the next test, or drop it."""
        if await self._is_reset(database):
            self._free.setdefault(database.service, []).append(database)
        else:
            await self.drop(database)

    async def drop(self, database: Database) -> None:
        """Remove a database and its role, even while clients are connected."""
        if database.connection is not None:
            database.connection.terminate()
        admin = await asyncpg.connect(self._admin_url)
        await admin.execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {database.name}")
        await admin.close()

    async def close(self) -> None:
        """Drop the databases that were given back, which matters on a server that goes on."""
        for database in [one for free in self._free.values() for one in free]:
            await self.drop(database)

    async def _is_reset(self, database: Database) -> bool:
        template = self._templates[database.service]
        try:
            if database.connection is None:
                url = _of_database(self._admin_url, database.name)
                database.connection = await asyncpg.connect(url, server_settings=_RESETTING)
            if not await _is_left(database.connection):
                return False
            await _empty(database.connection, template)
            return await _read_state(database.connection, template.filled) == template.state
        except _LOST:
            return False


async def _is_left(connection: Any) -> bool:
    """Return whether nobody else is connected, or soon will not be."""
    deadline = asyncio.get_running_loop().time() + CLOSING_SECONDS
    while await connection.fetchval(_OTHERS):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


async def _empty(connection: Any, template: Template) -> None:
    """Remove all rows but the template's, and the planner's statistics; restart the sequences."""
    statements, to_truncate = [_STATISTICS], []
    for name, size, *planned in await connection.fetch(_TABLES):
        if name in template.filled:
            continue
        if size > MOST_BYTES or tuple(planned) != template.tables.get(name):
            to_truncate.append(name)
        elif size:
            statements.append(f"DELETE FROM {name}")  # noqa: S608
    statements += [row[0] for row in await connection.fetch(_USED_SEQUENCES)]
    if to_truncate:
        statements += [f"TRUNCATE {', '.join(to_truncate)} CASCADE", *_planned(template)]
    await connection.execute("; ".join(statements))


def _planned(template: Template) -> list[str]:
    """Return what gives back to truncated tables the estimates that the template has, unless none was ever made."""
    return [
        f"UPDATE pg_class SET relpages = {pages}, reltuples = {tuples} WHERE oid = '{name}'::regclass"  # noqa: S608
        for name, (pages, tuples) in template.tables.items()
        if tuples != -1
    ]


async def _read_state(connection: Any, filled: tuple[str, ...]) -> tuple[Any, ...]:
    """Return what must be the same in a database that is used again and in its template."""
    catalogs = [
        f"SELECT format('%s %s', count(*), sum(xmin::text::bigint)) FROM {name} WHERE {oid} >= 16384"  # noqa: S608
        for name, oid in _CATALOGS.items()
    ]
    contents = [f"SELECT format('%s %s', count(*), sum(hashtext(t::text))) FROM {name} t" for name in filled]  # noqa: S608
    parts = [_DATABASE, _SEQUENCES, _RELATIONS, _TRIGGERS, *catalogs, *contents]
    return tuple(await connection.fetchrow("SELECT " + ", ".join(f"({part})" for part in parts)))


async def _make_template(admin: Any, admin_url: str, service: str) -> Template:
    name = f"template_{service}_{secrets.token_hex(4)}"
    password = secrets.token_hex(12)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    program = importlib.import_module(f"services.{service}")
    [folder] = Path(str(program.__file__)).parent.glob("**/migrations")
    url = with_credentials(admin_url, name, password)
    migrate(url, folder)
    await _make_partitions(url)
    return await _read_template(admin_url, name)


async def _read_template(admin_url: str, name: str) -> Template:
    connection = await asyncpg.connect(_of_database(admin_url, name))
    try:
        rows = await connection.fetch(_TABLES)
        filled = tuple(row["name"] for row in rows if row["bytes"])
        tables = {row["name"]: (row["pages"], row["tuples"]) for row in rows}
        return Template(name, tables, filled, await _read_state(connection, filled))
    finally:
        await connection.close()


def quick_verifier(password: str) -> str:
    """Return what PostgreSQL stores of a password, for CREATE ROLE … PASSWORD: its SCRAM verifier of one iteration.

    A client repeats every iteration whenever it connects, 4096 unless told otherwise: 2 ms of asyncpg's. They slow down
    the guessing of passwords chosen by people; these are random.
    """
    salt = secrets.token_bytes(16)
    salted = pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored, server = (
        sha256(digest(salted, b"Client Key", "sha256")).digest(),
        digest(salted, b"Server Key", "sha256"),
    )
    encoded = [b64encode(each).decode() for each in (salt, stored, server)]
    return "SCRAM-SHA-256$1:{}${}:{}".format(*encoded)


def _of_database(admin_url: str, name: str) -> str:
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))


async def _make_partitions(url: str) -> None:
    """Those a service makes when it starts, so that it finds them in every copy."""
    days = ServiceSettings.model_fields
    connection = await asyncpg.connect(url)
    await keep_partitions(
        connection, datetime.now(UTC).date(), days["inbox_days"].default, days["event_log_days"].default
    )
    await connection.close()
