"""A service goes by its database's clock; a clock that is wrong, or jumps, drops nothing and stops nothing."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts import envelope
from contracts.envelope import follow_clock, uuid7, uuid7_time
from services.chassis.http import health
from services.chassis.storage import clock
from services.chassis.testing import Desk
from tests.chassis.conftest import SampleDesks
from tests.chassis.sample import ask, make_tables
from tests.conftest import FreshDatabase

WRONG = timedelta(days=31)


@pytest.fixture
async def sample_database(fresh_database: FreshDatabase) -> str:
    """A database of its own, since its clock is doubted afterwards."""
    url = await fresh_database("fulfillment")
    await make_tables(url)
    return url


@pytest.fixture
def a_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """This process's clock is 31 days ahead of the database's."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + WRONG

    machine = time.time_ns
    monkeypatch.setattr(clock, "datetime", Ahead)
    monkeypatch.setattr(time, "time_ns", lambda: machine() + WRONG // timedelta(microseconds=1) * 1000)
    yield
    monkeypatch.undo()
    follow_clock(timedelta())


def is_now(timestamp: datetime) -> bool:
    return abs(timestamp - datetime.now(UTC)) < timedelta(seconds=60)


async def partitions(desk: Desk) -> list[str]:
    rows = await desk.fetch(
        "SELECT relname FROM pg_class WHERE relname ~ '^(inbox|event_log)_[0-9]{8}$' ORDER BY 1"
    )
    return [row["relname"] for row in rows]


async def test_a_process_with_a_wrong_clock_works_by_the_databases(
    sample_desks: SampleDesks, a_wrong_clock: None
) -> None:
    desk = await sample_desks()
    before = await partitions(desk)
    outcome = await desk.deliver(ask(), id=uuid7())
    assert outcome.result == "handled"
    assert is_now(desk.hub.clock.now())
    assert all(is_now(uuid7_time(events.id)) and is_now(events.time) for events, _ in outcome.emitted)
    lease = await desk.fetchval("SELECT lease_until FROM msg.dispatch")
    assert is_now(lease - timedelta(seconds=10))
    await desk.hub.keep_house()
    assert await partitions(desk) == before
    assert any("ahead of the database's" in text for text in health.warnings_of(desk.hub))


async def test_a_database_whose_clock_jumped_drops_nothing_for_a_day(sample_desks: SampleDesks) -> None:
    desk = await sample_desks(inbox_days=5, event_log_days=4)
    await desk.hub.pool.execute("UPDATE msg.clock SET doubted_until = NULL")
    before = await partitions(desk)
    await desk.hub.pool.execute("UPDATE msg.clock SET seen_at = now() - interval '31 days'")
    await desk.hub.keep_house()
    assert (await partitions(desk), desk.hub.is_clock_doubtful) == (before, True)
    await desk.hub.pool.execute("UPDATE msg.clock SET doubted_until = now()")
    await desk.hub.keep_house()
    assert len(await partitions(desk)) < len(before)
    assert not desk.hub.is_clock_doubtful


async def test_a_first_day_is_no_warning_and_a_clock_that_went_ahead_is(sample_desks: SampleDesks) -> None:
    with capture_logs() as first:
        desk = await sample_desks()
    assert [(one["log_level"], one["event"]) for one in first if "nothing" in one["event"]] == [
        ("info", "first day of the database; nothing is dropped")
    ]
    desk.hub.is_clock_doubtful = False
    await desk.hub.pool.execute(
        "UPDATE msg.clock SET seen_at = now() - interval '3 days', doubted_until = NULL"
    )
    with capture_logs() as later:
        await desk.hub.keep_house()
    assert [(one["log_level"], one["event"]) for one in later if "nothing" in one["event"]] == [
        ("warning", "the database's clock went ahead; nothing is dropped for a day")
    ]


async def test_a_corrected_clock_is_trusted_immediately(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.hub.pool.execute(
        "UPDATE msg.clock SET seen_at = now() + interval '31 days', doubted_until = now() + interval '32 days'"
    )
    await desk.hub.keep_house()
    assert not desk.hub.is_clock_doubtful


def test_ids_grow_but_do_not_stay_with_a_clock_that_was_wrong() -> None:
    try:
        follow_clock(timedelta(seconds=30))
        ahead = uuid7()
        follow_clock(timedelta())
        assert uuid7() > ahead, "half a minute is tolerated"
        follow_clock(WRONG)
        wrong = uuid7()
        follow_clock(timedelta())
        assert uuid7() < wrong
        assert is_now(uuid7_time(uuid7()))
    finally:
        follow_clock(timedelta())
        envelope._last = 0


async def test_no_partition_for_today_is_not_ready(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    today = datetime.now(UTC).date()
    assert not any("partition" in text for text in await health.what_is_missing(desk.hub))
    first, _ = desk.hub._window
    desk.hub._window = (first, envelope.uuid7_floor(datetime(today.year, today.month, today.day, tzinfo=UTC)))
    assert any("no partition for today" in text for text in await health.what_is_missing(desk.hub))
