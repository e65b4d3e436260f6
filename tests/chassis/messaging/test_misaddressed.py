"""What a storefront publishes wrongly is kept and seen: a routing key without a queue, a message too large, one
nobody can read under another shop's name."""

import json
from collections.abc import Mapping
from typing import Any

import aiormq
import pytest
from aiormq import spec
from aiormq.exceptions import ChannelPreconditionFailed

from contracts.envelope import MAX_BODY_BYTES, uuid7
from contracts.service import CommandDone
from services.chassis.messaging.inbound.parking import KEPT_BYTES
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.recovery import operations_store
from services.chassis.testing import Desk, wait_until
from tests.chassis.bus import STOREFRONTS, Bus, framed
from tests.chassis.conftest import Hubs
from tests.chassis.sample import ask
from tests.conftest import Desks

LOGIN = "storefront.atelier.shop"


def headers_of(type: str = "storefront.order.submitted.v1", **more: str) -> dict[str, str]:
    """An envelope of a storefront of the shop atelier."""
    fields = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": "/storefront/atelier/shop",
        "type": type,
        "time": "2026-11-22T10:00:00Z",
        "shop": "atelier",
        **more,
    }
    return {f"cloudEvents_{name}": value for name, value in fields.items()}


async def parked(desk: Desk) -> list[Mapping[str, Any]]:
    return await desk.fetch("SELECT *, length(body) AS kept FROM msg.parked ORDER BY id")


async def publish(bus: Bus, routing_key: str, body: bytes, **more: Any) -> None:
    async with bus.channel(STOREFRONTS[0].name) as channel:
        properties = spec.Basic.Properties(headers=dict(headers_of()), user_id=STOREFRONTS[0].name)
        await channel.basic_publish(
            body, exchange="storefront", routing_key=routing_key, properties=properties, **more
        )


@pytest.mark.parametrize("routing_key", ["order.submitted", "storefront.order.submited.v1", "", "a.b.c"])
async def test_what_nobody_listens_to_is_kept_by_the_broker(bus: Bus, routing_key: str) -> None:
    await publish(bus, routing_key, b"{}")
    await publish(bus, "storefront.order.submitted.v1", b"{}")
    assert await bus.counts("orders.unrouted") == (1, 0)
    assert await bus.counts("orders.storefront") == (1, 0)


async def test_it_is_parked_with_the_remedy_and_does_not_stand_in_the_way_of_the_right_one(
    desks: Desks,
) -> None:
    desk, headers = await desks("orders"), headers_of()
    for _ in range(2):
        await desk.hub.committer.commit(
            [RawMessage("orders.unrouted", headers, b"{}", LOGIN, routing_key="order.submitted")]
        )
    [row] = await parked(desk)
    assert (row["reason"], row["shop"], row["state"]) == ("unroutable", "atelier", "discarded"), (
        "its sender was notified"
    )
    assert "'order.submitted'" in row["detail"]
    assert "storefront.order.submitted.v1" in row["detail"]
    [right] = await desk.hub.committer.commit([RawMessage("orders.storefront", headers, b"{}", LOGIN)])
    assert right.end.value == "parked"
    assert [row["reason"] for row in await parked(desk)] == ["unroutable", "schema_invalid"]


async def test_redriven_it_is_taken_as_if_it_had_been_addressed_rightly(desks: Desks) -> None:
    desk = await desks("orders")
    await desk.hub.committer.commit(
        [RawMessage("orders.unrouted", headers_of(), b"{}", LOGIN, routing_key="x")]
    )
    await desk.hub.pool.execute("UPDATE msg.parked SET state = 'waiting', next_at = now()")
    await desk.retry()
    assert [row["reason"] for row in await parked(desk)] == ["schema_invalid"]


async def test_the_broker_takes_no_message_above_the_contracts_size(bus: Bus) -> None:
    key = "storefront.order.submitted.v1"
    await publish(bus, key, b"x" * MAX_BODY_BYTES)
    with pytest.raises((ChannelPreconditionFailed, aiormq.exceptions.ChannelClosed)):
        await publish(bus, key, b"x" * (MAX_BODY_BYTES + 1))
    assert await bus.counts("orders.storefront") == (1, 0)


@pytest.mark.parametrize(
    "type", ["storefront.order.submitted.v1", "storefront.order.submitted.v9", "who.knows"]
)
@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 3 * MAX_BODY_BYTES])
async def test_of_a_body_too_large_a_beginning_and_its_size_are_kept(
    desks: Desks, type: str, size: int
) -> None:
    desk = await desks("orders")
    body = b'{"text": "' + b"x" * size
    await desk.hub.committer.commit([RawMessage("orders.storefront", headers_of(type), body, LOGIN)])
    [row] = await parked(desk)
    assert (row["kept"], row["body_bytes"], row["body"]) == (KEPT_BYTES, len(body), body[:KEPT_BYTES])
    async with desk.hub.acquire() as connection:
        shown = await operations_store.read_parked(connection, row["id"])
    assert shown is not None
    assert shown["body_bytes"] == len(body)
    await desk.hub.pool.execute("UPDATE msg.parked SET state = 'waiting', next_at = now()")
    await desk.retry()
    [again] = await parked(desk)
    assert (again["reason"], again["body_bytes"], again["state"]) == (row["reason"], len(body), "dead")


async def test_a_body_of_the_most_a_message_may_have_is_kept_whole(desks: Desks) -> None:
    desk, body = await desks("orders"), b"x" * MAX_BODY_BYTES
    await desk.hub.committer.commit([RawMessage("orders.storefront", headers_of(), body, LOGIN)])
    [row] = await parked(desk)
    assert (row["body"], row["body_bytes"], row["reason"]) == (body, None, "schema_invalid")


async def test_a_message_of_our_own_that_is_too_large_holds_up_no_other(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    async with hub.unit() as unit:
        unit.emit(CommandDone(shop="atelier", command_id=uuid7(), command_type="x" * MAX_BODY_BYTES))
        right = unit.emit(CommandDone(shop="atelier", command_id=uuid7(), command_type="orders.stock.set.v1"))
    assert [e.id for e in await bus.take_all("orders.fulfillment", "orders", 1)] == [right.id]

    async def is_held() -> bool:
        rows = await hub.pool.fetch("SELECT refused FROM msg.dispatch")
        return [row["refused"] for row in rows] == ["too_large"]

    await wait_until(is_held)
    await bus.publish([framed(ask())])
    await wait_until(lambda: is_seen(hub))


async def is_seen(hub: Any) -> bool:
    return bool(await hub.pool.fetchval("SELECT count(*) FROM seen"))


@pytest.mark.parametrize("expected", ["bazaar", "", "Not A Shop"])
async def test_what_nobody_can_read_is_of_the_shop_whose_login_sent_it(desks: Desks, expected: str) -> None:
    desk = await desks("orders")
    headers = headers_of("storefront.checkout.opened.v1", **({"shop": expected} if expected else {}))
    body = json.dumps({"shop": expected or "bazaar", "text": "not an order"}).encode()
    await desk.hub.committer.commit([RawMessage("orders.storefront", headers, body, LOGIN)])
    await desk.hub.committer.commit([RawMessage("orders.storefront", {"x": expected}, body, LOGIN)])
    states, seen = ["dead", "discarded"], {}
    async with desk.hub.acquire() as connection:
        for shop in ("atelier", "bazaar"):
            groups = await operations_store.group_parked(connection, states, shop)
            seen[shop] = sum(row["messages"] for row in groups)
    assert seen == {"atelier": 2, "bazaar": 0}
    stored = await desk.fetch("SELECT shop FROM msg.event_log WHERE type = 'orders.message.parked.v1'")
    assert {row["shop"] for row in stored} == {"atelier"}
