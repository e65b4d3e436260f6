"""A binding that somebody removed is seen by the service that misses its messages, while it runs."""

import asyncio
from urllib.parse import quote

from prometheus_client import REGISTRY
from pydantic import SecretStr

from services.chassis.http.health import what_is_missing
from services.chassis.messaging.binding_watch import BindingWatch
from services.chassis.runtime.hub import Hub
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus
from tests.chassis.conftest import Hubs

TYPES = ("orders.stock.set.v1", "orders.order.placed.v1")


async def unbind(bus: Bus, routing_key: str) -> None:
    path = f"bindings/{quote(bus.vhost, safe='')}/e/orders/q/fulfillment.orders/{routing_key}"
    await asyncio.to_thread(bus.management.send, "DELETE", path)


def gauge() -> float | None:
    return REGISTRY.get_sample_value("comptoir_bindings_missing", {"service": "fulfillment"})


async def missing(hub: Hub) -> list[str]:
    assert hub.binding_watch is not None
    await hub.binding_watch.look()
    return [text for text in await what_is_missing(hub) if "binding" in text]


async def test_a_removed_binding_is_reported_until_it_is_restored(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs(broker_management_url=SecretStr(bus.broker.management_url))
    assert await missing(hub) == []
    await unbind(bus, TYPES[0])
    [event] = await missing(hub)
    assert "orders -> fulfillment.orders by orders.stock.set.v1 is missing" in event
    assert gauge() == 1
    await unbind(bus, TYPES[1])
    [event] = await missing(hub)
    assert "and 1 more" in event
    await asyncio.to_thread(bus.open)
    assert (await missing(hub), gauge()) == ([], 0)


async def test_a_service_polls(hubs: Hubs, bus: Bus) -> None:
    await unbind(bus, TYPES[0])
    hub = await hubs(broker_management_url=SecretStr(bus.broker.management_url))

    async def is_notified() -> bool:
        return any("binding" in text for text in await what_is_missing(hub))

    await wait_until(is_notified)


async def test_an_unavailable_management_changes_nothing_and_is_noted(bus: Bus) -> None:
    watch = BindingWatch("fulfillment", "http://127.0.0.1:1", bus.url("fulfillment"))
    await watch.look()
    assert (watch.missing, watch.last_error) == ([], "ConnectError")
    await watch.close()


async def test_nothing_is_queried_where_no_management_is_named(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    assert hub.binding_watch is None
    await wait_until(lambda: is_ready(hub))


async def is_ready(hub: Hub) -> bool:
    return await what_is_missing(hub) == []
