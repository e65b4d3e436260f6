"""Deletion of expired rows.

Sign-in attempts expire after a day; sessions, invitations and forms after thirty days, drafts of messages after
ninety; also deleted are plans of bulk runs that were never started, and old runs.
"""

from datetime import UTC, datetime, timedelta

from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.orders.api.actions import store as api_store
from services.orders.backoffice.access import store
from services.orders.backoffice.conversation.draft_store import delete_drafts
from services.orders.backoffice.orders.bulk.carrying_out import delete_old_runs

EVERY_SECONDS = 600.0
ATTEMPTS_FOR, SESSIONS_FOR = timedelta(days=1), timedelta(days=30)
DRAFTS_FOR = timedelta(days=90)


async def _sweep(process: Process) -> bool:
    now = datetime.now(UTC)
    async with process.acquire() as connection:
        await store.delete_attempts(connection, now - ATTEMPTS_FOR)
        await store.delete_sessions(connection, now - SESSIONS_FOR)
        await api_store.delete_forms(connection, now - SESSIONS_FOR)
        await delete_drafts(connection, now - DRAFTS_FOR)
    await delete_old_runs(process)
    return False


def sweeper() -> Worker:
    """Return the worker that deletes expired rows."""
    return Worker("access sweeping", _sweep, EVERY_SECONDS)
