"""A message that can't be handled blocks no other, is retried with growing pauses, and waits for an operator."""

from datetime import timedelta

import pytest

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.service import MessageDiscarded, MessageParked, MessageRedriven
from services.chassis.messaging.inbound.parking import RetryPolicy
from services.chassis.messaging.recovery import redriving
from services.chassis.testing import Desk, envelope_for
from tests.chassis import sample
from tests.chassis.conftest import SampleDesks
from tests.chassis.messaging.test_reading import arrival
from tests.chassis.operators import operator, parked_by_http
from tests.chassis.sample import ask


async def log_of(desk: Desk, kind: type[Message]) -> list[bytes]:
    """Bodies of a kind of event in the log."""
    rows = await desk.fetch(
        "SELECT body FROM msg.event_log WHERE type = $1 ORDER BY id",
        f"fulfillment.{kind.wire_name}",
    )
    return [row["body"] for row in rows]


@pytest.mark.parametrize("actor", ["raise", "raise-os", "overflow"])
async def test_the_culprit_of_a_batch_is_parked_and_the_others_are_handled_once(
    sample_desks: SampleDesks, actor: str
) -> None:
    desk = await sample_desks()
    batch = [ask(actor if n == 3 else "note", f"SKU-{n}") for n in range(7)]
    outcomes = await desk.deliver_all([(envelope_for("fulfillment", m), m, None) for m in batch])
    assert [outcome.result for outcome in outcomes] == [*["handled"] * 3, "waiting", *["handled"] * 3]
    assert await desk.fetchval("SELECT count(*) FROM seen") == 6
    [row] = await parked_by_http(desk.hub)
    assert (row["reason"], row["state"]) == ("error", "waiting")


async def test_it_is_retried_with_growing_pauses_then_dead_and_reported_once(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks(retry_seconds=10, retry_attempts=4)
    await desk.deliver(ask("raise"))
    pauses = []
    for _ in range(3):
        pauses.append(
            await desk.fetchval("SELECT extract(epoch FROM next_at - last_at)::float FROM msg.parked")
        )
        await desk.hub.pool.execute("UPDATE msg.parked SET next_at = now()")
        assert await desk.hub.committer.retry_due(10) == 1
    assert [5 * 2**n <= pause <= 10 * 2**n for n, pause in enumerate(pauses)] == [True] * 3
    assert [row["state"] for row in await parked_by_http(desk.hub)] == ["dead"]
    assert await desk.hub.committer.retry_due(10) == 0
    assert len(await log_of(desk, MessageParked)) == 1


async def test_what_an_earlier_version_did_not_know_is_retried_once_its_type_is_known(
    sample_desks: SampleDesks,
) -> None:
    desk, type_ = await sample_desks(), "orders.stock.counted.v1"
    await desk.hub.committer.commit([arrival(type=type_), arrival(type="orders.nothing.known.v1")])
    assert [row["reason"] for row in await parked_by_http(desk.hub)] == ["unknown_type"] * 2
    for count in (1, 0):
        async with desk.hub.unit() as unit:
            assert await redriving.redrive_known(unit, [type_, "orders.stock.set.v1"]) == count
        assert len([row for row in await parked_by_http(desk.hub) if row["state"] == "waiting"]) == 1
    rows = await desk.fetch("SELECT type, state, actor FROM msg.parked ORDER BY state")
    assert [tuple(row) for row in rows] == [
        ("orders.nothing.known.v1", "dead", None),
        (type_, "waiting", redriving.UPGRADE),
    ]
    assert len(await log_of(desk, MessageRedriven)) == 1


def test_no_pause_is_longer_than_a_quarter_of_an_hour() -> None:
    policy = RetryPolicy(timedelta(seconds=1), 12)
    assert policy.delay(10_000) <= timedelta(minutes=15)


async def test_one_poisoned_message_among_those_due_lets_the_others_be_retried(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    sample.faulty.update({"A", "B", "C"})
    for sku in ("A", "B", "C"):
        await desk.deliver(ask("note", sku))
    sample.faulty.remove("A")
    sample.faulty.remove("C")
    await desk.retry()
    assert sorted(row["sku"] for row in await desk.fetch("SELECT sku FROM seen")) == ["A", "C"]


async def test_a_message_whose_very_failure_cannot_be_written_lets_the_others_be_retried(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    sample.faulty.update({"A", "B"})
    for sku in ("A", "B"):
        await desk.deliver(ask("note", sku))
    sample.faulty.clear()
    await desk.hub.pool.execute(
        """UPDATE msg.parked SET next_at = now();
           CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF old.fingerprint = 'stubborn' AND new.state <> 'waiting' OR new.attempts > old.attempts
              THEN RAISE 'never'; END IF; RETURN new; END $$;
           CREATE TRIGGER stubborn BEFORE UPDATE ON msg.parked FOR EACH ROW EXECUTE FUNCTION refuse();
           UPDATE msg.parked SET fingerprint = 'stubborn' WHERE id = (SELECT min(id) FROM msg.parked)"""
    )
    await desk.hub.committer.retry_due(10)
    assert [row["sku"] for row in await desk.fetch("SELECT sku FROM seen")] == ["B"]
    assert await desk.hub.committer.retry_due(10) == 0


async def test_redriven_by_id_it_is_handled_once_and_a_late_copy_is_a_duplicate(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks(retry_attempts=1)
    sample.faulty.add("LAMP")
    event_id = uuid7()
    await desk.deliver(ask(sku="LAMP"), id=event_id)
    [row] = await parked_by_http(desk.hub)
    sample.faulty.clear()
    async with operator(desk.hub) as client:
        answer = await client.post("/internal/parked/redrive", json={"id": row["id"], "actor": "ann"})
        assert answer.json() == {"redriven": 1}
        assert (await client.post("/internal/parked/redrive", json={"id": row["id"]})).json() == {
            "redriven": 0
        }
    await desk.hub.committer.retry_due(10)
    assert (await desk.deliver(ask(sku="LAMP"), id=event_id)).result == "duplicate"
    assert await desk.fetchval("SELECT count(*) FROM seen") == 1
    assert await parked_by_http(desk.hub) == []
    [event] = await log_of(desk, MessageRedriven)
    assert MessageRedriven.model_validate_json(event).actor == "ann"


async def test_redriven_by_fingerprint_all_that_failed_alike_are_and_nothing_else(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks(retry_attempts=1)
    for n in range(3):
        await desk.deliver(ask("raise", f"SKU-{n}"))
    await desk.deliver(ask("refuse"))
    prints = {row["reason"]: row["fingerprint"] for row in await parked_by_http(desk.hub)}
    async with operator(desk.hub) as client:
        answer = await client.post("/internal/parked/redrive", json={"fingerprint": prints["error"]})
    assert answer.json() == {"redriven": 3}
    states = {(row["reason"], row["state"]) for row in await parked_by_http(desk.hub)}
    assert states == {("error", "waiting"), ("not_sold_here", "dead")}


async def test_discarded_with_a_reason_it_stays_readable_and_is_never_tried_again(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("refuse"))
    [row] = await parked_by_http(desk.hub)
    async with operator(desk.hub) as client:
        for unsaid in ({}, {"reason": " \u200b"}):
            answer = await client.post("/internal/parked/discard", json={"id": row["id"], **unsaid})
            assert answer.status_code == 422
        given = {"id": row["id"], "reason": "sold out in 2019", "actor": "bob"}
        assert (await client.post("/internal/parked/discard", json=given)).json() == {"discarded": 1}
        assert (await client.post("/internal/parked/discard", json=given)).status_code == 404
        assert (await client.post("/internal/parked/redrive", json={"id": row["id"]})).json() == {
            "redriven": 0
        }
    [kept] = await parked_by_http(desk.hub, "discarded")
    assert (kept["actor"], kept["note"]) == ("bob", "sold out in 2019")
    [event] = await log_of(desk, MessageDiscarded)
    assert MessageDiscarded.model_validate_json(event).reason == "sold out in 2019"


async def test_what_was_parked_before_the_inbox_could_know_it_does_not_swallow_the_message(
    sample_desks: SampleDesks,
) -> None:
    """Its clock was wrong and somebody discarded it; in time it comes again, and has to wait: it must not be lost."""
    desk = await sample_desks()
    message, event_id = ask("wait", "LAMP"), uuid7()
    await desk.deliver(message, id=event_id)
    await desk.hub.pool.execute(
        "DELETE FROM msg.inbox; UPDATE msg.parked SET state = 'discarded', next_at = NULL, wait_key = NULL"
    )
    assert (await desk.deliver(message, id=event_id)).result == "waiting"
    await desk.deliver(ask("open", "LAMP"))
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM seen WHERE event_id = $1", event_id) == 1


async def test_an_error_after_the_commit_is_no_failed_batch(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()

    def fail() -> None:
        raise RuntimeError("after the commit")

    async with desk.unit() as unit:
        unit.after_commit(fail)
        unit.after_commit(lambda: sample.faulty.add("the next call ran"))
    assert "the next call ran" in sample.faulty
    after, desk.hub.committer._after = desk.hub.committer._after, lambda unit: fail()
    assert (await desk.deliver(ask())).result == "handled"
    desk.hub.committer._after = after


async def test_an_answer_that_fails_parks_the_message_all_the_same(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    sample.subscribers.answer_unreadable = lambda unit, unreadable: (_ for _ in ()).throw(KeyError("a bug"))
    try:
        [handled] = await desk.hub.committer.commit([arrival(b"{}")])
    finally:
        sample.subscribers.answer_unreadable = None
    assert handled.end == "parked"


async def test_a_conflict_is_retried_and_not_counted_as_a_failure(sample_desks: SampleDesks) -> None:
    """PostgreSQL ends one of two transactions that met. What was not committed is simply done again."""
    desk = await sample_desks()
    await desk.hub.pool.execute(
        """CREATE SEQUENCE tries;
           CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF nextval('tries') < 3 THEN RAISE SQLSTATE '40001'; END IF; RETURN new; END $$;
           CREATE TRIGGER clash BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION clash()"""
    )
    assert (await desk.deliver(ask())).result == "handled"
    sample.faulty.add("LAMP")
    await desk.deliver(ask(sku="LAMP"))
    sample.faulty.clear()
    await desk.hub.pool.execute("UPDATE msg.parked SET next_at = now(); SELECT setval('tries', 1, false)")
    await desk.hub.committer.retry_due(10)
    assert await desk.fetchval("SELECT count(*) FROM seen") == 2


async def test_redriven_though_the_inbox_never_knew_it_is_not_taken_for_a_duplicate_of_itself(
    sample_desks: SampleDesks,
) -> None:
    """Too old to be remembered, then redriven, then waiting: the try that waits leaves an inbox row behind."""
    desk = await sample_desks()
    await desk.deliver(ask("wait", "LAMP"))
    await desk.hub.pool.execute(
        """DELETE FROM msg.inbox;
           UPDATE msg.parked SET state = 'dead', reason = 'id_from_future', remembered = false, wait_key = NULL"""
    )
    [row] = await parked_by_http(desk.hub)
    async with operator(desk.hub) as client:
        await client.post("/internal/parked/redrive", json={"id": row["id"]})
    sample.faulty.add("LAMP")
    await desk.hub.committer.retry_due(10)
    assert [row["state"] for row in await parked_by_http(desk.hub)] == ["waiting"]
    sample.faulty.clear()
    await desk.deliver(ask("open", "LAMP"))
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM seen") == 2
