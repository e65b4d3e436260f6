"""The connection to a service's own PostgreSQL, and what its errors mean.

Every wait has a limit. `is_outage` and `is_conflict` decide between trying again and looking at the message itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg

from services.chassis import metrics

Connection: TypeAlias = asyncpg.Connection
Pool: TypeAlias = asyncpg.Pool
ACQUIRE_SECONDS = 5.0
_SETTINGS = {
    "statement_timeout": "10000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "30000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    # Every statement finds its rows by key. A plan made while its table was empty would scan it for as long as the
    # statement is cached, which is for ever on a busy connection: so plans that read whole tables are ruled out.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_OUTAGE_STATES = ("08", "57P01", "57P02", "57P03", "57P05", "53", "58", "25006", "25P03")
_CONFLICT_STATES = ("40001", "40P01", "55P03", "57014", "23505")


_BEGIN = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan"
"""A unit's statements find rows by keys that come in arrays: their plans never depend on the values, and planning
anew for each batch, as PostgreSQL would for short arrays, costs as much as running them."""


async def open_pool(url: str, size: int, application: str) -> Pool:
    """A pool of at most `size` connections. Raises what asyncpg raises when the server can't be reached."""
    return await asyncpg.create_pool(
        url,
        connection_class=_counting(application.removeprefix("comptoir-")),
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
    """Connections that count their statements in the metrics of a service."""
    count = metrics.STATEMENTS.labels(service).inc

    class Counting(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
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
    """Nothing here changes a session, so asyncpg's reset on every release would be a round trip for nothing."""


@contextlib.asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """A transaction for statements that are planned once. A connection that can't be rolled back is ended."""
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
    """Return whether the database, or the way to it, is unavailable: keep the work and retry later."""
    if isinstance(
        error, LookupError
    ):  # a template that is missing is an OSError too (jinja2.TemplateNotFound)
        return False
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_OUTAGE_STATES)
    if isinstance(error, asyncpg.InterfaceError):
        return any(word in str(error) for word in ("connection", "pool"))
    return isinstance(error, OSError | asyncio.TimeoutError | asyncpg.InternalClientError)


def is_conflict(error: BaseException) -> bool:
    """Two transactions met (deadlock, a time-out, the same new key): the same work may succeed when tried again."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "") in _CONFLICT_STATES


def is_unique_violation(error: BaseException) -> bool:
    """Another row has the key already. Trying again helps only when it was written a moment ago."""
    return isinstance(error, asyncpg.UniqueViolationError)


async def answers(url: str, seconds: float = 3.0) -> bool:
    """Whether PostgreSQL answers on a fresh connection, and could be written to."""
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
