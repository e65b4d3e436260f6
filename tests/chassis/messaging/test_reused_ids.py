"""An event id that is used again for something else is seen, and never taken for a repetition."""

from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import envelope_for
from tests.chassis.conftest import SampleDesks
from tests.chassis.sample import ask


def arrival(sku: str, envelope: object = None) -> RawMessage:
    """A message about this article under an envelope."""
    message = ask(sku=sku)
    made = envelope or envelope_for("fulfillment", message)
    body = message.model_dump_json().encode()
    return RawMessage("fulfillment.orders", made.headers(), body, "orders")  # type: ignore[attr-defined]


def two_under_one_id() -> tuple[RawMessage, RawMessage]:
    """Two messages of one sender with one id."""
    envelope = envelope_for("fulfillment", ask())
    return arrival("SKU-1", envelope), arrival("SKU-2", envelope)


async def test_another_message_under_a_known_id_is_parked(sample_desks: SampleDesks) -> None:
    one, other = two_under_one_id()
    desk = await sample_desks()
    for batch in ([one], [other], [one], [other]):
        await desk.hub.committer.commit(batch)
    rows = await desk.fetch("SELECT reason, event_id, remembered FROM msg.parked")
    assert [(row["reason"], str(row["event_id"])) for row in rows] == [
        ("event_id_reused", str(one.headers["cloudEvents_id"]))
    ]
    assert await desk.fetchval("SELECT count(*) FROM seen") == 1


async def test_within_one_batch_the_first_counts(sample_desks: SampleDesks) -> None:
    one, other = two_under_one_id()
    desk = await sample_desks()
    handled = await desk.hub.committer.commit([one, other, one, other])
    ended = {id(item): item.end.value for item in handled}
    assert sorted(ended.values()) == ["duplicate", "duplicate", "handled", "parked"]


async def test_a_person_may_let_it_count(sample_desks: SampleDesks) -> None:
    one, other = two_under_one_id()
    desk = await sample_desks()
    await desk.hub.committer.commit([one, other])
    await desk.fetch("UPDATE msg.parked SET state = 'waiting', next_at = now()")
    await desk.hub.committer.retry_due(10)
    assert await desk.fetchval("SELECT count(*) FROM seen") == 2
    assert await desk.fetchval("SELECT state FROM msg.parked") == "resolved"


async def test_each_of_several_others_is_parked(sample_desks: SampleDesks) -> None:
    envelope = envelope_for("fulfillment", ask())
    desk = await sample_desks()
    await desk.hub.committer.commit([arrival(f"SKU-{n}", envelope) for n in range(4)])
    assert await desk.fetchval("SELECT count(*) FROM msg.parked") == 3


async def test_what_was_seen_before_digests_were_kept_is_a_duplicate(sample_desks: SampleDesks) -> None:
    one, other = two_under_one_id()
    desk = await sample_desks()
    await desk.hub.committer.commit([one])
    await desk.fetch("UPDATE msg.inbox SET digest = NULL")
    assert [item.end.value for item in await desk.hub.committer.commit([other])] == ["duplicate"]
