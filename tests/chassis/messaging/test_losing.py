"""What a queue lost is found by what the listener never heard of, and sent again as what it is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import consumed_by
from contracts.envelope import uuid7
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.outgoing import REPLAY_HEADER
from services.chassis.runtime.hub import Hub
from services.chassis.testing import envelope_for
from tests.chassis.conftest import SampleDesks
from tests.chassis.operators import operator
from tests.chassis.sample import SHOP, ask


async def post(hub: Hub, path: str, *, status: int = 200, **body: Any) -> Any:
    async with operator(hub) as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def lately() -> dict[str, Any]:
    """From a minute ago until in a minute."""
    now = datetime.now(UTC)
    return {"from": (now - timedelta(minutes=1)).isoformat(), "to": (now + timedelta(minutes=1)).isoformat()}


async def test_the_sender_shows_what_has_left_commands_too(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("note"))
    sent = await post(desk.hub, "/internal/sent", consumer="orders", **lately())
    assert sent == {"messages": [], "next": None}, "what is still to be sent is not lost"
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    sent = await post(desk.hub, "/internal/sent", consumer="orders", **lately())
    types = {message["type"] for message in sent["messages"]}
    assert types
    assert all(name.startswith("fulfillment.") for name in types)
    after = sent["messages"][-1]["id"]
    rest = await post(desk.hub, "/internal/sent", consumer="orders", after=after, **lately())
    assert rest["messages"] == []
    of_shop = await post(desk.hub, "/internal/sent", consumer="orders", shop=SHOP, **lately())
    assert of_shop["messages"] == sent["messages"]
    other = await post(desk.hub, "/internal/sent", consumer="orders", shop="other", **lately())
    assert other["messages"] == []


async def test_the_listener_shows_what_it_never_handled(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    handled, replayed, lost, parked = uuid7(), uuid7(), uuid7(), uuid7()
    await desk.deliver(ask("note"), id=handled)
    envelope = envelope_for("fulfillment", ask("note"), id=replayed)
    headers = {**envelope.headers(), REPLAY_HEADER: str(uuid7())}
    body = ask("note").model_dump_json().encode()
    await desk.hub.committer.commit([RawMessage("fulfillment.orders", headers, body, "orders")])
    await desk.deliver(ask("refuse"), id=parked)
    ids = [str(one) for one in (handled, replayed, lost, parked)]
    answer = await post(desk.hub, "/internal/unheard", sender="orders", ids=ids)
    assert set(answer["ids"]) == {str(replayed), str(lost)}


async def test_it_is_sent_again_as_what_it_is(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("note"))
    await desk.hub.pool.execute("DELETE FROM msg.dispatch")
    (sent, *_) = (await post(desk.hub, "/internal/sent", consumer="orders", **lately()))["messages"]
    again = await post(
        desk.hub, "/internal/send-again", consumer="orders", ids=[sent["id"], str(uuid7())], actor="ann"
    )
    assert again == {"queue": "orders.fulfillment", "messages": 1}
    foreign = await post(desk.hub, "/internal/send-again", consumer="orders", ids=[sent["id"]], shop="other")
    assert foreign["messages"] == 0
    (row,) = await desk.fetch("SELECT event_id, routing_key, replay_id FROM msg.dispatch")
    assert tuple(row) == (UUID(sent["id"]), "orders.fulfillment", None)
    (noted,) = await desk.fetch("SELECT messages, actor, is_whole FROM msg.replay WHERE messages > 0")
    assert tuple(noted) == (1, "ann", True)


async def test_what_two_consumers_lost_is_sent_again_to_both_although_the_first_waits_for_it(
    sample_desks: SampleDesks,
) -> None:
    desk, event_id = await sample_desks(), str(uuid7())
    both = [
        one.type
        for one in consumed_by("notifier")
        if one.sender == "fulfillment" and "orders" in one.listeners
    ]
    event = "INSERT INTO msg.event_log (id, type, time, shop, body) VALUES ($1, $2, now(), $3, '')"
    await desk.hub.pool.execute(event, UUID(event_id), both[0], SHOP)
    replay = {"consumer": "notifier", "types": both[:1], **lately()}
    assert (await post(desk.hub, "/internal/replay", **replay))["messages"] == 1
    for consumer in ("orders", "notifier"):
        sent = await post(desk.hub, "/internal/sent", consumer=consumer, **lately())
        assert [one["id"] for one in sent["messages"]] == [event_id]
        await post(desk.hub, "/internal/send-again", consumer=consumer, ids=[event_id])
        again = await post(desk.hub, "/internal/sent", consumer=consumer, **lately())
        assert again["messages"] == [], "it waits to be sent"
    rows = await desk.fetch("SELECT routing_key FROM msg.dispatch WHERE replay_id IS NULL ORDER BY 1")
    assert [row["routing_key"] for row in rows] == ["notifier.fulfillment", "orders.fulfillment"]


async def test_what_only_a_replay_told_has_its_effect_when_it_comes_as_what_it_is(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    context = ask("errand")
    envelope = envelope_for("fulfillment", context)
    headers = {**envelope.headers(), REPLAY_HEADER: str(uuid7())}
    body = context.model_dump_json().encode()
    await desk.hub.committer.commit([RawMessage("fulfillment.orders", headers, body, "orders")])
    assert await desk.fetchval("SELECT state FROM msg.effect") == "uncertain"
    await desk.deliver(context, envelope=envelope)
    assert await desk.fetchval("SELECT state FROM msg.effect") == "planned"
    await desk.hub.pool.execute("UPDATE msg.effect SET state = 'uncertain', detail = 'nobody knows'")
    await desk.deliver(context, envelope=envelope)
    assert await desk.fetchval("SELECT state FROM msg.effect") == "uncertain"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/internal/sent", {"consumer": "nobody", **lately()}),
        ("/internal/sent", {"consumer": "orders"}),
        ("/internal/sent", {"consumer": "orders", "after": "x", **lately()}),
        ("/internal/unheard", {"sender": "nobody", "ids": []}),
        ("/internal/unheard", {"sender": "orders"}),
        ("/internal/unheard", {"sender": "orders", "ids": ["x"]}),
        ("/internal/unheard", {"sender": "orders", "ids": [str(uuid4())]}),
        ("/internal/unheard", {"sender": "orders", "ids": [str(uuid7())] * 5001}),
        ("/internal/send-again", {"consumer": "payments", "ids": []}),
    ],
)
async def test_an_implausible_value_is_reported(
    sample_desks: SampleDesks, path: str, body: dict[str, Any]
) -> None:
    desk = await sample_desks()
    answer = await post(desk.hub, path, status=422, **body)
    assert answer["detail"]
