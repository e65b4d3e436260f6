"""What ended goes after its time; what is in use, is young, or was kept by a clock in doubt stays."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from services.chassis.background.retention import BATCH, RULES, forget_due
from services.chassis.testing import Desk
from tests.chassis.conftest import SampleDesks

LONG, SHORT = timedelta(days=91), timedelta(days=89)


async def a_desk(sample_desks: SampleDesks, **settings: int) -> Desk:
    """A desk whose database's clock is beyond doubt."""
    desk = await sample_desks(**settings)
    desk.hub.is_clock_doubtful = False
    return desk


async def park(desk: Desk, state: str, age: timedelta, times: int = 1) -> None:
    await desk.hub.pool.execute(
        """INSERT INTO msg.parked (dedupe_key, queue, state, reason, detail, fingerprint, headers, body, remembered,
                                   next_at, first_at, last_at)
           SELECT gen_random_uuid()::text, 'q', $1::text, 'error', '', 'f', $2, '', true, now(), now() - $3::interval,
                  now() - $3::interval FROM generate_series(1, $4::integer)""",
        state,
        json.dumps({}),
        age,
        times,
    )


async def forget(desk: Desk) -> None:
    while await forget_due(desk.hub, RULES):
        pass


async def states(desk: Desk) -> list[str]:
    return [row["state"] for row in await desk.fetch("SELECT state FROM msg.parked ORDER BY state")]


async def test_only_what_a_person_or_a_retry_ended_goes(sample_desks: SampleDesks) -> None:
    desk = await a_desk(sample_desks)
    for state in ("waiting", "dead", "resolved", "discarded"):
        await park(desk, state, LONG)
    await forget(desk)
    assert await states(desk) == ["dead", "waiting"]


async def test_what_ended_lately_stays(sample_desks: SampleDesks) -> None:
    desk = await a_desk(sample_desks)
    await park(desk, "resolved", SHORT)
    await forget(desk)
    assert await states(desk) == ["resolved"]


async def test_more_than_one_batch_goes(sample_desks: SampleDesks) -> None:
    desk = await a_desk(sample_desks)
    await park(desk, "discarded", LONG, BATCH + 1)
    await park(desk, "discarded", SHORT)
    await forget(desk)
    assert await states(desk) == ["discarded"]


async def test_nothing_goes_while_the_clock_is_in_doubt(sample_desks: SampleDesks) -> None:
    desk = await a_desk(sample_desks)
    desk.hub.is_clock_doubtful = True
    await park(desk, "resolved", LONG)
    await forget(desk)
    assert await states(desk) == ["resolved"]


async def test_a_row_that_somebody_holds_waits_for_the_next_time(sample_desks: SampleDesks) -> None:
    desk = await a_desk(sample_desks)
    await park(desk, "resolved", LONG)
    async with desk.hub.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM msg.parked FOR UPDATE")
        await forget(desk)
    assert await states(desk) == ["resolved"]
    await forget(desk)
    assert await states(desk) == []


async def test_a_replay_goes_when_nothing_of_it_is_to_leave_and_a_resync_when_it_is_done(
    sample_desks: SampleDesks,
) -> None:
    desk = await a_desk(sample_desks)
    done, open_ = uuid4(), uuid4()
    for replay in (done, open_):
        await desk.hub.pool.execute(
            "INSERT INTO msg.replay VALUES ($1, 'q', '{}', now(), now(), 1, 'lea', now() - $2::interval)",
            replay,
            LONG,
        )
    await desk.hub.pool.execute(
        """INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until, replay_id)
           VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'y', true, gen_random_uuid(), now(), $1)""",
        open_,
    )
    for ended in (LONG, None):
        await desk.hub.pool.execute(
            """INSERT INTO msg.resync (id, consumer, queue, shop, wanted, actor, asked_at, ended_at)
               VALUES (gen_random_uuid(), 'orders', 'q', 's', 1, 'lea', now() - $1::interval, now() - $2::interval)""",
            LONG,
            ended,
        )
    await forget(desk)
    assert [row["id"] for row in await desk.fetch("SELECT id FROM msg.replay")] == [open_]
    assert [row["ended_at"] for row in await desk.fetch("SELECT ended_at FROM msg.resync")] == [None]


async def test_what_ended_is_kept_at_least_as_long_as_messages_are_remembered(
    sample_desks: SampleDesks,
) -> None:
    with pytest.raises(ValueError, match="COMPTOIR_ENDED_DAYS"):
        await sample_desks(ended_days=44)


@pytest.mark.parametrize(("inbox_days", "ended_days"), [(120, 120), (91, 91), (90, 90), (45, 90)])
async def test_what_ended_is_kept_longer_where_only_the_memory_of_messages_was_set(
    sample_desks: SampleDesks, inbox_days: int, ended_days: int
) -> None:
    desk = await sample_desks(inbox_days=inbox_days)
    assert desk.hub.settings.ended_days == ended_days
