"""What operators see of a service, and what they can do about what is parked, all alike at once."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import uuid7
from contracts.service import MessageDiscarded
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.outgoing import REPLAY_HEADER
from services.chassis.messaging.rates import Rates
from services.chassis.messaging.recovery.readable_body import HIDDEN, MOST_TEXT, readable_body
from services.chassis.runtime.gauges import measure
from services.chassis.runtime.hub import Hub
from services.chassis.testing import Desk, envelope_for, wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs, SampleDesks
from tests.chassis.messaging.test_consuming import is_done
from tests.chassis.messaging.test_relay import done, publish
from tests.chassis.operators import operator
from tests.chassis.sample import SHOP, ask


async def get(hub: Hub, path: str, **query: Any) -> Any:
    """What a GET answers."""
    async with operator(hub) as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(hub: Hub, path: str, **body: Any) -> Any:
    """What a POST answers."""
    async with operator(hub) as client:
        return (await client.post(path, json=body)).json()


async def test_everything_a_page_needs_is_there(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    # The rate needs a count from before the messages; the worker's own first one may come later.
    await measure(hub, hub.rates, hub.committer.taken)
    await bus.publish(
        [framed(ask()), framed(ask("wait", "LATE")), framed(ask("refuse")), framed(ask("errand"))]
    )
    await wait_until(lambda: is_done(hub, 2))
    async with hub.unit() as unit:
        unit.set_timer("alarm", "a", unit.now - timedelta(minutes=1), {})
        unit.set_timer("alarm", "b", unit.now + timedelta(hours=1), {})
    await measure(hub, hub.rates, hub.committer.taken)
    answer = await get(hub, "/internal/operations")
    assert (answer["service"], answer["missing"], answer["warnings"]) == ("fulfillment", [], [])
    queue = {each["queue"]: each for each in answer["queues"]}["fulfillment.orders"]
    assert (queue["sender"], queue["ready"], queue["consumers"], queue["in_hand"]) == ("orders", 0, 1, 0)
    assert queue["messages_per_second"] > 0
    assert "fulfillment.dead" in {each["queue"] for each in answer["queues"]}
    assert answer["parked"] == {"waiting": 1, "dead": 1}
    assert [(each["kind"], each["state"], each["effects"]) for each in answer["effects"]] == [
        ("errand", "planned", 1)
    ]
    (timer,) = answer["timers"]
    assert (timer["kind"], timer["timers"], timer["due"]) == ("alarm", 2, 1)
    assert answer["outbox"]["refused"] == []


async def test_what_no_queue_takes_is_a_warning_with_its_reason(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    bus.management.send(
        "DELETE", f"bindings/{bus.vhost}/e/fulfillment/q/orders.fulfillment/fulfillment.command.done.v1"
    )
    await publish(hub, [done()])

    async def is_refused() -> bool:
        answer = await get(hub, "/internal/operations")
        return bool(answer["outbox"]["refused"]) and bool(answer["warnings"])

    await wait_until(is_refused)
    answer = await get(hub, "/internal/operations")
    (refused,) = answer["outbox"]["refused"]
    assert (refused["why"], refused["routing_key"], refused["messages"]) == (
        "returned",
        "fulfillment.command.done.v1",
        1,
    )
    assert "returned as fulfillment.command.done.v1" in answer["warnings"][0]
    ready = await get(hub, "/readyz")
    assert (ready["ready"], ready["warnings"]) == (True, answer["warnings"])


async def a_mess(desk: Desk) -> None:
    """Three messages that fail alike, and one that is refused."""
    for number in range(3):
        await desk.deliver(ask("raise", f"SKU-{number}"))
    await desk.deliver(ask("refuse"))


async def test_parked_messages_are_reported_by_what_they_have_in_common(sample_desks: SampleDesks) -> None:
    desk = await sample_desks(retry_attempts=1)
    await a_mess(desk)
    groups = (await get(desk.hub, "/internal/parked", group="fingerprint"))["groups"]
    found = {(each["reason"], each["messages"], each["dead"], each["waiting"]) for each in groups}
    assert found == {("error", 3, 3, 0), ("not_sold_here", 1, 1, 0)}
    failed = next(each for each in groups if each["reason"] == "error")
    assert (failed["queue"], failed["type"]) == ("fulfillment.orders", "orders.stock.set.v1")
    alike = (await get(desk.hub, "/internal/parked", fingerprint=failed["fingerprint"]))["parked"]
    assert alike[0]["id"] == failed["sample_id"]
    older = (await get(desk.hub, "/internal/parked", before=alike[1]["id"]))["parked"]
    assert [row["id"] for row in older] == [alike[2]["id"]]
    async with operator(desk.hub) as client:
        for wrong in ({"group": "shop"}, {"before": "x"}, {"before": str(2**63)}):
            assert (await client.get("/internal/parked", params=wrong)).status_code == 422


async def test_one_is_explained_with_headers_and_body(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    outcome = await desk.deliver(ask("refuse", "LAMP"))
    (row,) = (await get(desk.hub, "/internal/parked"))["parked"]
    answer = (await get(desk.hub, f"/internal/parked/{row['id']}"))["parked"]
    assert answer["headers"]["cloudEvents_id"] == str(outcome.envelope.id)
    assert json.loads(answer["body"]["text"])["levels"][0]["sku"] == "LAMP"
    assert "LAMP is not sold here" in answer["detail"]
    async with operator(desk.hub) as client:
        for unknown in (row["id"] + 1, 2**70):
            assert (await client.get(f"/internal/parked/{unknown}")).status_code == 404


async def test_all_alike_are_discarded_with_one_reason(sample_desks: SampleDesks) -> None:
    desk = await sample_desks(retry_attempts=1)
    await a_mess(desk)
    groups = (await get(desk.hub, "/internal/parked", group="fingerprint"))["groups"]
    print_ = next(each["fingerprint"] for each in groups if each["reason"] == "error")
    answer = await post(
        desk.hub, "/internal/parked/discard", fingerprint=print_, reason="of a test", actor="bo"
    )
    assert answer == {"discarded": 3}
    assert len((await get(desk.hub, "/internal/parked"))["parked"]) == 1
    rows = await desk.fetch("SELECT body FROM msg.event_log WHERE type = 'fulfillment.message.discarded.v1'")
    values = [MessageDiscarded.model_validate_json(row["body"]) for row in rows]
    assert [(each.actor, each.reason) for each in values] == [("bo", "of a test")] * 3


async def test_a_shops_operators_see_and_touch_its_messages_alone(sample_desks: SampleDesks) -> None:
    desk = await sample_desks(retry_attempts=1)
    await a_mess(desk)
    await desk.hub.pool.execute(
        """UPDATE msg.parked SET shop = NULL, user_id = 'storefront.other.shop'
           WHERE id = (SELECT min(id) FROM msg.parked)"""
    )
    rows = (await get(desk.hub, "/internal/parked", shop=SHOP))["parked"]
    assert len(rows) == 3
    assert (await get(desk.hub, "/internal/parked", shop="other"))["parked"][0]["shop"] is None
    groups = (await get(desk.hub, "/internal/parked", shop=SHOP, group="fingerprint"))["groups"]
    assert sorted(each["messages"] for each in groups) == [1, 2]
    async with operator(desk.hub) as client:
        strange = await client.get(f"/internal/parked/{rows[0]['id']}", params={"shop": "other"})
    assert strange.status_code == 404
    print_, why = rows[-1]["fingerprint"], "of a test"
    other = await post(desk.hub, "/internal/parked/discard", id=rows[0]["id"], shop="other", reason=why)
    assert other == {"discarded": 0}
    assert await post(desk.hub, "/internal/parked/redrive", fingerprint=print_, shop=SHOP) == {"redriven": 2}
    mine = await post(desk.hub, "/internal/parked/discard", fingerprint=print_, shop="other", reason=why)
    assert mine == {"discarded": 1}


async def test_who_may_see_persons_sees_them(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("refuse"))
    await desk.hub.pool.execute("UPDATE msg.parked SET body = $1", json.dumps({"customer": PERSON}).encode())
    (row,) = (await get(desk.hub, "/internal/parked"))["parked"]
    hidden = (await get(desk.hub, f"/internal/parked/{row['id']}"))["parked"]["body"]["text"]
    shown = (await get(desk.hub, f"/internal/parked/{row['id']}", personal="shown"))["parked"]["body"]["text"]
    assert ("Zoé" in hidden, "Zoé" in shown) == (False, True)
    for named, is_seen in ((SHOP, True), (None, False)):
        await desk.hub.pool.execute("UPDATE msg.parked SET shop = $1", named)
        requested = await get(desk.hub, f"/internal/parked/{row['id']}", personal="shown", shop=SHOP)
        assert ("Zoé" in requested["parked"]["body"]["text"]) is is_seen


async def test_a_dry_replay_counts_and_publishes_nothing(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("note"))
    since, until = datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=1)
    body = {"consumer": "orders", "from": since.isoformat(), "to": until.isoformat()}
    events = await desk.fetchval("SELECT count(*) FROM msg.event_log WHERE type LIKE 'fulfillment.stock%'")
    counted = await post(desk.hub, "/internal/replay", **body, dry=True)
    assert (counted["replay_id"], counted["queue"]) == (None, "orders.fulfillment")
    assert await desk.fetchval("SELECT count(*) FROM msg.replay") == 0
    answer = await post(desk.hub, "/internal/replay", **body)
    assert answer["messages"] == counted["messages"] >= events


async def test_a_shop_s_replay_leaves_out_the_events_of_other_shops(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("note"))
    since, until = datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=1)
    fields = {"consumer": "orders", "from": since.isoformat(), "to": until.isoformat()}
    count = (await post(desk.hub, "/internal/replay", **fields, dry=True))["messages"]
    assert count > 0
    await desk.hub.pool.execute("UPDATE msg.event_log SET shop = $1", SHOP)
    for shop, seen in ((SHOP, count), ("other", 0), (None, count)):
        dry = await post(desk.hub, "/internal/replay", **fields, shop=shop, dry=True)
        response = await post(desk.hub, "/internal/replay", **fields, shop=shop)
        assert (dry["messages"], response["messages"]) == (seen, seen)
    for _ in range(21):
        await post(desk.hub, "/internal/replay", **fields, shop="busy")
    shown = (await get(desk.hub, "/internal/operations"))["replays"]
    assert Counter(row["shop"] for row in shown) == {"busy": 20, SHOP: 1, "other": 1, None: 1}
    await desk.hub.pool.execute("DELETE FROM msg.replay WHERE shop = 'busy'")
    for is_dry in (True, False):
        wrong = {**fields, "shop": "nosuch", "check_shop": True, "dry": is_dry}
        answer = await post(desk.hub, "/internal/replay", status=422, **wrong)
        assert answer["detail"].endswith("has sent no message of shop nosuch; check the shop's name")
    dry = await post(desk.hub, "/internal/replay", **fields, shop=SHOP, check_shop=True, dry=True)
    assert dry["messages"] == count
    one = {"id": 1, "reason": "r", "ids": [str(uuid7())]}
    async with operator(desk.hub) as client:
        for path in ("replay", "sent", "send-again", "parked/redrive", "parked/discard"):
            for no_shop in ("", " ", 7):
                body = {**fields, **one, "shop": no_shop, "check_shop": True}
                empty = await client.post(f"/internal/{path}", json=body)
                assert (empty.status_code, empty.json()["detail"][:17]) == (422, "the shop is empty")
        for path in ("parked", "parked?group=fingerprint", "parked/1"):
            assert (await client.get(f"/internal/{path}", params={"shop": ""})).status_code == 422
    await desk.hub.pool.execute("UPDATE msg.event_log SET shop = NULL")
    assert (await post(desk.hub, "/internal/replay", **fields, shop="other", dry=True))["messages"] == count
    noted = await desk.fetch("SELECT shop, messages FROM msg.replay ORDER BY asked_at")
    assert [tuple(row) for row in noted] == [(SHOP, count), ("other", 0), (None, count)]


def replayed(event_id: Any, message: Any, replay_id: str, queue: str = "fulfillment.orders") -> RawMessage:
    """A message as it comes when somebody had it said again."""
    envelope, body = envelope_for("fulfillment", message, id=event_id), message.model_dump_json().encode()
    return RawMessage(queue, {**envelope.headers(), REPLAY_HEADER: replay_id}, body, "orders")


async def test_a_replay_is_handled_once_although_its_messages_were_and_has_no_effects(
    sample_desks: SampleDesks,
) -> None:
    desk, ids, replay = await sample_desks(), [uuid7() for _ in range(3)], str(uuid7())
    for event_id in ids:
        await desk.deliver(ask("errand"), id=event_id)
    await desk.hub.pool.execute("DELETE FROM msg.effect")
    fresh = replayed(uuid7(), ask("errand"), replay)
    fresh.headers = {name: value for name, value in fresh.headers.items() if name != REPLAY_HEADER}
    arrivals = [replayed(event_id, ask("errand"), replay) for event_id in ids]
    handled = await desk.hub.committer.commit([arrivals[0], fresh, *arrivals[1:]])
    assert [each.end for each in handled] == ["handled"] * 4
    assert await desk.fetchval("SELECT count(*) FROM seen") == 7
    states = await desk.fetch("SELECT state, count(*) AS n FROM msg.effect GROUP BY state ORDER BY state")
    assert [tuple(row) for row in states] == [("planned", 1), ("uncertain", 3)]
    again = await desk.hub.committer.commit([replayed(ids[0], ask("errand"), replay)])
    assert [each.end for each in again] == ["duplicate"]
    other = await desk.hub.committer.commit([replayed(ids[0], ask("errand"), str(uuid7()))])
    assert [each.end for each in other] == ["handled"]


async def test_a_replayed_message_that_waits_has_no_effects_later_either(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.hub.committer.commit([replayed(uuid7(), ask("wait", "LATE"), str(uuid7()))])
    await desk.deliver(ask("wait", "LATE"))
    await desk.deliver(ask("open", "LATE"))
    while await desk.hub.committer.retry_due(10):
        pass
    assert await desk.fetchval("SELECT count(*) FROM seen") == 3
    assert await desk.fetchval("SELECT count(*) FROM msg.parked WHERE state <> 'resolved'") == 0


def test_a_storefront_is_not_believed_that_it_replays() -> None:
    header = {REPLAY_HEADER: str(uuid7())}
    assert RawMessage("orders.storefront", header, b"").replay_id is None
    assert RawMessage("orders.payments", header, b"").replay_id == header[REPLAY_HEADER]
    assert RawMessage("orders.payments", {REPLAY_HEADER: 7}, b"").replay_id is None


PERSON = {"name": "Zoé Martin", "email": "zoe@client.example", "ip_address": "192.0.2.7"}


def test_what_identifies_a_person_is_hidden_and_the_rest_is_shown() -> None:
    sale = {
        "customer": PERSON,
        "lines": [{"sku": "MUG", "options": {"for Ann": "x"}}],
        "totals": {"total_minor": 1200},
    }
    shown = readable_body(json.dumps(sale).encode())
    fields = json.loads(shown["text"])
    assert fields["customer"] == dict.fromkeys(PERSON, HIDDEN)
    assert fields["lines"] == [{"sku": "MUG", "options": HIDDEN}]
    assert fields["totals"] == {"total_minor": 1200}


@given(st.binary(max_size=300))
def test_any_bytes_can_be_shown(body: bytes) -> None:
    json.dumps(readable_body(body)).encode()


@pytest.mark.parametrize("body", [b'"\\ud800"', b"[" * 100_000, b'{"a": ' * 5000])
def test_odd_bodies_can_be_shown(body: bytes) -> None:
    shown = readable_body(body)
    assert len(shown["text"].encode()) <= MOST_TEXT


def test_the_rate_is_that_of_the_last_minute() -> None:
    rates = Rates()
    assert rates.per_second("q") == 0
    for second in range(0, 200, 2):
        rates.look(float(second), {"q": second * 3})
    assert rates.per_second("q") == 3
    for second in range(200, 264, 2):
        rates.look(float(second), {"q": 594})
    assert rates.per_second("q") == 0
    assert rates.per_second("unknown") == 0


@pytest.mark.parametrize(
    ("timestamp", "says"),
    [
        ("2026-01-01T00:00:00", "with an offset"),
        ("0001-01-01T00:00:00+14:00", "from 1970-01-01 to 2200-12-31"),
        ("9999-12-31T23:59:59-12:00", "from 1970-01-01 to 2200-12-31"),
    ],
)
async def test_timestamps_need_an_offset_and_have_a_range(
    sample_desks: SampleDesks, timestamp: str, says: str
) -> None:
    desk = await sample_desks()
    body = {"consumer": "orders", "from": datetime.now(UTC).isoformat(), "to": timestamp}
    answer = await post(desk.hub, "/internal/replay", **body)
    assert (answer["status"], says in answer["detail"]) == (422, True)
