"""What a process says of itself is true: what is unavailable is named, and nothing else is."""

from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from deploy.local.parts import RabbitMQ
from services.chassis.messaging.outbound import relaying
from services.chassis.runtime.hub import Hub
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus
from tests.chassis.conftest import Hubs, SampleDesks
from tests.chassis.messaging.test_relay import done, outbox_is, publish
from tests.chassis.operators import operator
from tests.chassis.proxy import Proxy, through


async def answered(hub: Hub, path: str) -> tuple[int, str]:
    async with operator(hub) as client:
        answer = await client.get(path)
    return answer.status_code, answer.text


async def says(hub: Hub, path: str, status: int, *words: str) -> bool:
    found, text = await answered(hub, path)
    return found == status and all(word in text for word in words)


async def test_unavailable_is_only_an_outage(hubs: Hubs, bus: Bus, sample_database: str) -> None:
    """First the broker, then the database, each by a proxy, and back again without anything to publish."""
    broker, database = (
        Proxy(urlsplit(bus.url("orders")).port or 0),
        Proxy(urlsplit(sample_database).port or 0),
    )
    async with broker, database:
        hub = await hubs(port=broker.port, database_url=through(sample_database, database.port))
        await wait_until(lambda: says(hub, "/readyz", 200))
        broker.become_unavailable()
        await wait_until(lambda: says(hub, "/readyz", 503, "broker"))
        assert "database" not in (await answered(hub, "/readyz"))[1]
        assert (await answered(hub, "/readyz/intake"))[0] == 200
        assert (await answered(hub, "/livez"))[0] == 200
        broker.come_back()
        await wait_until(lambda: says(hub, "/readyz", 200))
        database.become_unavailable()
        assert await says(hub, "/readyz", 503, "database")
        assert await says(hub, "/readyz/intake", 503, "database")
        assert (await answered(hub, "/livez"))[0] == 200
        async with operator(hub) as client:
            assert (await client.get("/internal/parked")).status_code == 503
        database.come_back()
        await wait_until(lambda: says(hub, "/readyz", 200))
        await hub.stop()


async def test_intake_begins_once_the_process_is_connected(sample_desks: SampleDesks) -> None:
    """The database answers, but what was posted to this process could not be stored yet."""
    desk = await sample_desks()
    starting = Hub(desk.hub.settings, desk.hub.subscribers)
    seen = []

    async def keep_house() -> None:
        seen.append(await says(starting, "/readyz/intake", 503, "not connected yet"))

    starting.keep_house = keep_house  # type: ignore[method-assign]
    assert await says(starting, "/readyz/intake", 503, "not connected yet")
    await starting.open()
    assert seen == [True]
    assert await says(starting, "/readyz/intake", 200)
    await starting.close()
    assert await says(starting, "/readyz/intake", 503, "not connected yet")


async def test_a_broker_that_takes_no_messages_is_named(hubs: Hubs, rabbitmq: RabbitMQ) -> None:
    """A memory alarm: connections stand, but nothing is read from those that publish."""
    hub = await hubs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relaying, "PUBLISH_SECONDS", 0.5)
        rabbitmq.ctl("set_vm_memory_high_watermark", "0")
        try:
            await publish(hub, [done()])
            await wait_until(lambda: says(hub, "/readyz", 503, "not publishing", "alarm is on"))
        finally:
            rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    await wait_until(lambda: outbox_is(hub, 0))
    await wait_until(lambda: says(hub, "/readyz", 200))


ROUTES = [
    ("GET", "/internal/operations"),
    ("GET", "/internal/parked"),
    ("GET", "/internal/parked/7"),
    ("POST", "/internal/parked/redrive"),
    ("POST", "/internal/parked/discard"),
    ("POST", "/internal/replay"),
    ("POST", "/internal/resync"),
]


async def test_operators_routes_need_the_token(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    for token in ("", "another", "a-token-for-tests-onl", "é"):
        async with operator(desk.hub, token="") as client:
            for method, path in ROUTES:
                header = {b"Authorization": f"Bearer {token}".encode()}
                assert (await client.request(method, path, headers=header)).status_code == 401


BAD: list[object] = [
    {},
    {"id": 1, "fingerprint": "x"},
    {"id": "1"},
    {"id": True},
    {"id": 2**63},
    {"id": -1},
    {"id": 1.5},
    {"id": [1]},
    [],
    None,
]


async def test_a_bad_request_is_reported_and_changes_nothing(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    async with operator(desk.hub) as client:
        for body in BAD:
            assert (await client.post("/internal/parked/redrive", json=body)).status_code == 422, body
            given = {**body, "reason": "a\0b"} if isinstance(body, dict) else body
            answer = await client.post("/internal/parked/discard", json=given)
            assert answer.status_code in (404, 422), body
            for path in ("/internal/replay", "/internal/resync"):
                assert (await client.post(path, json=body)).status_code == 422, body
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == 0


@pytest.mark.parametrize("token", ["", "wrong", "a-token-for-tests-onlY"])
async def test_a_client_without_a_token_learns_yes_or_no(sample_desks: SampleDesks, token: str) -> None:
    """The port may face storefronts, or Stripe."""
    desk = await sample_desks()
    async with operator(desk.hub, token=token) as client:
        assert (await client.get("/metrics")).status_code == 401
        ready, intake = await client.get("/readyz"), await client.get("/readyz/intake")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
        assert (intake.status_code, intake.json()) == (200, {"ready": True})
        assert (await client.get("/livez")).status_code == 200


async def test_a_token_of_its_own_opens_the_metrics_alone(sample_desks: SampleDesks) -> None:
    desk = await sample_desks(metrics_token=SecretStr("for-the-metrics-alone"))
    async with operator(desk.hub, token="for-the-metrics-alone") as client:
        assert "comptoir_" in (await client.get("/metrics")).text
        assert (await client.get("/readyz")).json() == {"ready": False}
        assert (await client.get("/internal/parked")).status_code == 401
