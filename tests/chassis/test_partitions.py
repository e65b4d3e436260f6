"""Partitions are made ahead and dropped in time; what the inbox can't remember is not handled."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.envelope import uuid7_floor
from services.chassis.partitions import DAYS_AHEAD, DAYS_BACK_AT_FIRST, inbox_window, keep_partitions
from services.chassis.testing import Desk
from tests.chassis.conftest import SampleDesks
from tests.chassis.sample import ask, make_tables
from tests.conftest import FreshDatabase

TODAY = datetime.now(UTC).date()
DAYS = """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = ('msg.' || $1)::regclass ORDER BY 1"""


@pytest.fixture
async def sample_database(fresh_database: FreshDatabase) -> str:
    """A database of its own, since its partitions are not those of today afterwards."""
    url = await fresh_database("fulfillment")
    await make_tables(url)
    return url


async def days(desk: Desk, table: str) -> list[date]:
    rows = await desk.fetch(DAYS, table)
    return [datetime.strptime(row["relname"][-8:], "%Y%m%d").replace(tzinfo=UTC).date() for row in rows]


async def keep(desk: Desk, today: date, inbox_days: int = 45, event_log_days: int = 30) -> None:
    async with desk.hub.acquire() as connection:
        await keep_partitions(connection, today, inbox_days, event_log_days)


async def test_they_are_made_ahead_and_there_is_no_gap(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    for table in ("inbox", "event_log"):
        standing = await days(desk, table)
        assert standing[0] == TODAY - timedelta(days=DAYS_BACK_AT_FIRST)
        assert standing[-1] == TODAY + timedelta(days=DAYS_AHEAD)
    await keep(desk, TODAY + timedelta(days=10))
    standing = await days(desk, "inbox")
    assert standing == [standing[0] + timedelta(days=n) for n in range(len(standing))]
    assert standing[-1] == TODAY + timedelta(days=10 + DAYS_AHEAD)


async def test_they_are_dropped_in_time_and_the_window_follows(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    later = TODAY + timedelta(days=60)
    await keep(desk, later)
    assert (await days(desk, "inbox"))[0] == later - timedelta(days=45)
    assert (await days(desk, "event_log"))[0] == later - timedelta(days=30)
    async with desk.hub.acquire() as connection:
        first, end = await inbox_window(connection)
    assert first == uuid7_floor(datetime.combine(later - timedelta(days=45), datetime.min.time(), UTC))
    assert end == uuid7_floor(
        datetime.combine(later + timedelta(days=DAYS_AHEAD + 1), datetime.min.time(), UTC)
    )


async def test_what_has_not_left_yet_is_kept_however_old(sample_desks: SampleDesks) -> None:
    """An event that no queue takes for a month must not vanish with its partition."""
    desk = await sample_desks()
    await desk.deliver(ask())
    assert await desk.fetchval("SELECT count(*) FROM msg.dispatch") == 1
    later = TODAY + timedelta(days=60)
    await keep(desk, later)
    assert (
        await desk.fetchval("SELECT count(*) FROM msg.dispatch JOIN msg.event_log e ON e.id = event_id") == 1
    )
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    await keep(desk, later)
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == 0


async def test_two_processes_may_keep_house_at_once(sample_desks: SampleDesks) -> None:

    desks = [await sample_desks(), await sample_desks()]
    await asyncio.gather(*(keep(desk, TODAY + timedelta(days=5)) for desk in desks for _ in range(3)))
    assert (await days(desks[0], "inbox"))[-1] == TODAY + timedelta(days=5 + DAYS_AHEAD)
