"""Deletion of expired rows.

Sign-in attempts expire after a day; sessions, invitations and forms after thirty days; also deleted are plans of bulk
runs that were never started, and old runs.
"""

from datetime import UTC, datetime, timedelta

from services.chassis.background.working import Worker
from services.chassis.messaging.process import Process
from services.orders.backoffice.access import store
from services.orders.backoffice.forms import store as form_store
from services.orders.backoffice.orders.bulk.carrying_out import forget_old

EVERY_SECONDS = 600.0
ATTEMPTS_FOR, SESSIONS_FOR = timedelta(days=1), timedelta(days=30)


async def _sweep(process: Process) -> bool:
    now = datetime.now(UTC)
    async with process.acquire() as connection:
        await store.forget_attempts(connection, now - ATTEMPTS_FOR)
        await store.forget_sessions(connection, now - SESSIONS_FOR)
        await form_store.forget_forms(connection, now - SESSIONS_FOR)
    await forget_old(process)
    return False


def sweeper() -> Worker:
    """Return the worker that deletes expired rows."""
    return Worker("access sweeping", _sweep, EVERY_SECONDS)
