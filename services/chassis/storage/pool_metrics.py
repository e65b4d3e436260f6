"""Connections of a pool, with the time that somebody waited for one; the pool's size is read when it is scraped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from services.chassis import metrics
from services.chassis.storage.database import ACQUIRE_SECONDS, Connection, Pool

MAIN, READING = "main", "reading"
"""Pools of a process: every one has the first; one that serves pages may read through the second."""


@asynccontextmanager
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
