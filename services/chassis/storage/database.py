"""Connections to a service's own PostgreSQL, and the classification of its errors.

Every wait has a limit. `is_outage` and `is_conflict` decide between a retry and a closer look at the message
itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from time import perf_counter
from typing import Any, TypeAlias

import asyncpg

from services.chassis import metrics
from services.chassis.storage.array_types import PreloadedArrays

Connection: TypeAlias = asyncpg.Connection
Pool: TypeAlias = asyncpg.Pool
Row: TypeAlias = Mapping[str, Any]
"""A row that was read: its values by the names of its columns."""

ACQUIRE_SECONDS = 5.0
MAIN, READING = "main", "reading"
"""Pools of a process: every one has the first; one that serves pages may read through the second."""
_SETTINGS = {
    "statement_timeout": "10000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "30000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    # Every statement finds its rows by key. A plan made while its table was empty would scan it for as long as the
    # statement is cached, which is forever on a busy connection: so plans that read whole tables are disabled.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_OUTAGE_STATES = ("08", "57P01", "57P02", "57P03", "57P05", "53", "58", "25006", "25P03")
_CLOSED_STATE = "55000"
"""The state of a database that accepts no connections (ALTER DATABASE … ALLOW_CONNECTIONS false), which is FATAL.
Statements that fail with it, as ERROR, will fail again."""
_CONFLICT_STATES = ("40001", "40P01", "55P03", "57014", "23505")


_BEGIN = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan"
"""A unit's statements find rows by keys passed as arrays: their plans never depend on the values, and
replanning for each batch, as PostgreSQL would for short arrays, costs as much as running them."""


async def open_pool(url: str, size: int, application: str) -> Pool:
    """Return a pool of at most `size` connections. Raises asyncpg's error when the server can't be reached."""
    return await asyncpg.create_pool(
        url,
        connection_class=_counting(application.removeprefix("comptoir-").partition("@")[0]),
        min_size=2,
        max_size=size,
        timeout=5,
        command_timeout=15,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
        statement_cache_size=400,
        reset=_leave_as_it_is,
        server_settings={**_SETTINGS, "application_name": application},
    )


def _counting(service: str) -> type[Connection]:
    """Return a connection class that counts its statements in the metrics of a service."""
    count = metrics.STATEMENTS.labels(service).inc

    class Counting(PreloadedArrays):
        async def execute(self, *args: Any, **named: Any) -> Any:
            count()
            return await super().execute(*args, **named)

        async def executemany(self, *args: Any, **named: Any) -> Any:
            count()
            return await super().executemany(*args, **named)

        async def fetch(self, *args: Any, **named: Any) -> Any:
            count()
            return await super().fetch(*args, **named)

        async def fetchrow(self, *args: Any, **named: Any) -> Any:
            count()
            return await super().fetchrow(*args, **named)

        async def fetchval(self, *args: Any, **named: Any) -> Any:
            count()
            return await super().fetchval(*args, **named)

    return Counting


async def _leave_as_it_is(_: Connection) -> None:
    """Skip asyncpg's reset on release: nothing here changes a session, so it would be a useless round trip."""


@contextlib.asynccontextmanager
async def acquire(pool: Pool, name: str = MAIN) -> AsyncIterator[Connection]:
    """Return a connection, waiting at most five seconds for one. Raises TimeoutError."""
    began = perf_counter()
    try:
        connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
    finally:
        metrics.POOL_WAIT.labels(name).observe(perf_counter() - began)
    try:
        yield connection
    finally:
        await pool.release(connection)


def watch_pool(pool: Pool, name: str = MAIN) -> None:
    """Have the gauges of the process's pool of this name read from it with every scrape."""
    connections = metrics.POOL_CONNECTIONS.labels
    connections(name, "idle").set_function(pool.get_idle_size)
    connections(name, "in_use").set_function(lambda: pool.get_size() - pool.get_idle_size())
    metrics.POOL_CONNECTIONS_MAX.labels(name).set(pool.get_max_size())
    metrics.POOL_WAIT.labels(name)


@contextlib.asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """Open a transaction for statements that are planned once. A connection that can't be rolled back is
    terminated."""
    await connection.execute(_BEGIN)
    try:
        yield
    except BaseException:
        try:
            await connection.execute("ROLLBACK")
        except BaseException:
            connection.terminate()
            raise
        raise
    await connection.execute("COMMIT")


def is_outage(error: BaseException) -> bool:
    """Return whether the database, or the network to it, is unavailable: keep the work and retry later."""
    if isinstance(
        error, LookupError
    ):  # a template that is missing is an OSError too (jinja2.TemplateNotFound)
        return False
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        is_closed = state == _CLOSED_STATE and error.severity_en == "FATAL"
        return is_closed or state.startswith(_OUTAGE_STATES)
    if isinstance(error, asyncpg.InterfaceError):
        return any(word in str(error) for word in ("connection", "pool"))
    return isinstance(error, OSError | asyncio.TimeoutError | asyncpg.InternalClientError)


def is_conflict(error: BaseException) -> bool:
    """Return whether two transactions conflicted (deadlock, lock timeout, the same new key): a retry may succeed."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "") in _CONFLICT_STATES


def is_unique_violation(error: BaseException) -> bool:
    """Return whether another row already has the key. A retry helps only when that row was written just before."""
    return isinstance(error, asyncpg.UniqueViolationError)


async def answers(url: str, seconds: float = 3.0) -> bool:
    """Return whether PostgreSQL answers on a new connection, and is writable."""
    try:
        connection: Any = await asyncpg.connect(url, timeout=seconds)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    try:
        writable = "SELECT current_setting('transaction_read_only') = 'off' AND NOT pg_is_in_recovery()"
        return bool(await connection.fetchval(writable, timeout=seconds))
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    finally:
        connection.terminate()
