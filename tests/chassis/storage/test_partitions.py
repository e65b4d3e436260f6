"""Partitions are made ahead and dropped in time; what the inbox can't remember is not handled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial

import asyncpg
import pytest

from contracts.envelope import uuid7_floor
from services.chassis.storage.partitions import DAYS_AHEAD, DAYS_BACK_AT_FIRST, inbox_window, keep_partitions
from services.chassis.testing import Desk, StoppedClock
from tests.chassis.conftest import SampleDesks
from tests.chassis.sample import ask, make_tables
from tests.conftest import FreshDatabase

STANDING = """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
              WHERE i.inhparent IN ('msg.inbox'::regclass, 'msg.event_log'::regclass)"""
DAYS = """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = ('msg.' || $1)::regclass ORDER BY 1"""


@pytest.fixture
async def sample_database(fresh_database: FreshDatabase) -> str:
    """A database of its own, since its partitions are not those of today afterwards."""
    url = await fresh_database("fulfillment")
    await make_tables(url)
    connection = await asyncpg.connect(url)
    for row in await connection.fetch(STANDING):  # made on the day on which the session began
        await connection.execute(f"DROP TABLE msg.{row['relname']}")
    await connection.close()
    return url


@pytest.fixture
def start() -> datetime:
    """The time of all desks of a test: its day stays the same when midnight passes meanwhile, and ids made
    during the test are not from the future.
    """
    return datetime.now(UTC)


@pytest.fixture
def today(start: datetime) -> date:
    """The day of all desks of a test."""
    return start.date()


@pytest.fixture
def stopped_desks(sample_desks: SampleDesks, start: datetime) -> SampleDesks:
    """Desks whose clock stands still."""
    return partial(sample_desks, own_clock=StoppedClock(stopped_at=start))


async def days(desk: Desk, table: str) -> list[date]:
    rows = await desk.fetch(DAYS, table)
    return [datetime.strptime(row["relname"][-8:], "%Y%m%d").replace(tzinfo=UTC).date() for row in rows]


async def keep(desk: Desk, today: date, inbox_days: int = 45, event_log_days: int = 30) -> bool:
    async with desk.hub.acquire() as connection:
        return await keep_partitions(connection, today, inbox_days, event_log_days)


@asynccontextmanager
async def a_long_reader(desk: Desk) -> AsyncIterator[None]:
    """A dump, the auditor, a long export: a transaction that has read the log and the inbox whole."""
    reader = await asyncpg.connect(desk.hub.settings.database_url.get_secret_value())
    await reader.execute(
        """BEGIN ISOLATION LEVEL REPEATABLE READ;
           SELECT count(*) FROM msg.event_log; SELECT count(*) FROM msg.inbox"""
    )
    try:
        yield
    finally:
        await reader.close()


async def test_they_are_made_ahead_and_there_is_no_gap(stopped_desks: SampleDesks, today: date) -> None:
    desk = await stopped_desks()
    for table in ("inbox", "event_log"):
        existing = await days(desk, table)
        assert existing[0] == today - timedelta(days=DAYS_BACK_AT_FIRST)
        assert existing[-1] == today + timedelta(days=DAYS_AHEAD)
    await keep(desk, today + timedelta(days=10))
    existing = await days(desk, "inbox")
    assert existing == [existing[0] + timedelta(days=n) for n in range(len(existing))]
    assert existing[-1] == today + timedelta(days=10 + DAYS_AHEAD)


async def test_they_are_dropped_in_time_and_the_window_follows(
    stopped_desks: SampleDesks, today: date
) -> None:
    desk = await stopped_desks()
    later = today + timedelta(days=60)
    await keep(desk, later)
    assert (await days(desk, "inbox"))[0] == later - timedelta(days=45)
    assert (await days(desk, "event_log"))[0] == later - timedelta(days=30)
    async with desk.hub.acquire() as connection:
        first, end = await inbox_window(connection)
    assert first == uuid7_floor(datetime.combine(later - timedelta(days=45), datetime.min.time(), UTC))
    assert end == uuid7_floor(
        datetime.combine(later + timedelta(days=DAYS_AHEAD + 1), datetime.min.time(), UTC)
    )


async def test_what_has_not_left_yet_is_kept_however_old(stopped_desks: SampleDesks, today: date) -> None:
    """An event that no queue takes for a month must not vanish with its partition."""
    desk = await stopped_desks()
    await desk.deliver(ask())
    assert await desk.fetchval("SELECT count(*) FROM msg.dispatch") == 1
    later = today + timedelta(days=60)
    await keep(desk, later)
    assert (
        await desk.fetchval("SELECT count(*) FROM msg.dispatch JOIN msg.event_log e ON e.id = event_id") == 1
    )
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    await keep(desk, later)
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == 0


async def test_two_processes_may_keep_house_at_once(stopped_desks: SampleDesks, today: date) -> None:

    desks = [await stopped_desks(), await stopped_desks()]
    await asyncio.gather(*(keep(desk, today + timedelta(days=5)) for desk in desks for _ in range(3)))
    assert (await days(desks[0], "inbox"))[-1] == today + timedelta(days=5 + DAYS_AHEAD)


async def test_a_long_reader_holds_up_no_message_and_new_days_are_there(
    stopped_desks: SampleDesks, today: date
) -> None:
    desk = await stopped_desks()
    await desk.deliver(ask())
    async with a_long_reader(desk):
        making = asyncio.create_task(keep(desk, today + timedelta(days=10)))
        while not making.done():
            assert (await desk.deliver(ask())).result == "handled"
        assert await making
        assert (await days(desk, "inbox"))[-1] == today + timedelta(days=10 + DAYS_AHEAD)


async def test_what_a_long_reader_keeps_goes_when_it_is_gone(stopped_desks: SampleDesks, today: date) -> None:
    """Detaching waits for readers; meanwhile nobody else waits, and a second process can take over."""
    desk, later = await stopped_desks(), today + timedelta(days=60)
    await desk.deliver(ask())
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    async with a_long_reader(desk):
        keeping = asyncio.create_task(keep(desk, later))
        while not keeping.done():
            assert (await desk.deliver(ask())).result == "handled"
        assert not await keeping
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    assert await keep(await stopped_desks(), later)
    assert (await days(desk, "event_log"))[0] == later - timedelta(days=30)
    assert await desk.fetchval(NOT_ATTACHED) == 0


NOT_ATTACHED = """SELECT count(*) FROM pg_class c WHERE relnamespace = 'msg'::regnamespace AND relkind = 'r'
    AND relname ~ '_[0-9]{8}$' AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)"""


async def test_a_partition_that_was_left_half_made_is_finished(
    stopped_desks: SampleDesks, today: date
) -> None:
    desk, day = await stopped_desks(), today + timedelta(days=DAYS_AHEAD + 1)
    await desk.hub.pool.execute(f"CREATE TABLE msg.inbox_{day:%Y%m%d} (LIKE msg.inbox INCLUDING DEFAULTS)")
    assert await keep(desk, today + timedelta(days=1))
    assert (await days(desk, "inbox"))[-1] == day


async def test_days_from_a_clock_that_was_ahead_leave_no_gap(stopped_desks: SampleDesks, today: date) -> None:
    """Only partitions of the future stand: today's are made all the same."""
    desk = await stopped_desks()
    for table in ("inbox", "event_log"):
        for day in await days(desk, table):
            await desk.hub.pool.execute(f"DROP TABLE msg.{table}_{day:%Y%m%d}")
    await keep(desk, today + timedelta(days=31))
    for day in await days(desk, "inbox"):
        if day <= today + timedelta(days=10):
            await desk.hub.pool.execute(f"DROP TABLE msg.inbox_{day:%Y%m%d}")
    await desk.hub.keep_house()
    for table in ("inbox", "event_log"):
        existing = await days(desk, table)
        assert existing == [today + timedelta(days=n - DAYS_BACK_AT_FIRST) for n in range(len(existing))]
    assert (await desk.deliver(ask())).result == "handled"
