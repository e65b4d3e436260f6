"""Outages of the database or its network: nothing is lost, nothing is done twice, and work resumes automatically."""

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest
from jinja2 import TemplateNotFound
from structlog.testing import capture_logs

from deploy.local.parts import Postgres, RabbitMQ
from services.chassis.runtime.hub import Hub
from services.chassis.storage.database import is_outage
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs
from tests.chassis.messaging.test_consuming import is_done, seen, stopped_with_nothing_left
from tests.chassis.messaging.test_inbox import ONCE
from tests.chassis.proxy import TO_SERVER, Proxy, through
from tests.chassis.sample import ask


@pytest.mark.parametrize("expected", [False, True])
async def test_a_connection_lost_inside_commit(
    hubs: Hubs, bus: Bus, sample_database: str, expected: bool
) -> None:
    """Cut before the server hears COMMIT, or after it has obeyed: only the inbox knows which, and it is asked."""
    async with Proxy(urlsplit(sample_database).port or 0) as proxy:
        hub = await hubs(database_url=through(sample_database, proxy.port), batch_size=20, lease_seconds=1)
        cut = proxy.cut_after if expected else proxy.cut_before
        cut(b"COMMIT", times=3)
        messages = [framed(ask(sku=f"SKU-{n}")) for n in range(200)]
        await bus.publish(messages)
        await wait_until(lambda: answered(hub, 200))
        assert proxy.cuts == 3
        [row] = await hub.pool.fetch(ONCE)
        assert tuple(row) == (200, 200, 200, 0)
        received = await bus.take_all("orders.fulfillment", "orders", 200)
        assert {envelope.causation_id for envelope in received} == {envelope.id for envelope, _ in messages}
        assert await stopped_with_nothing_left(hub, bus)


async def answered(hub: Hub, count: int) -> bool:
    """`is_done`, although a connection may be cut while we look."""
    try:
        return await is_done(hub, count)
    except Exception as error:
        if not is_outage(error):
            raise
        return False


async def test_backends_terminated_under_load(hubs: Hubs, bus: Bus, postgres: Postgres) -> None:
    hub = await hubs()
    task = asyncio.create_task(bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(400)]))
    admin = await asyncpg.connect(postgres.admin_url)
    for done in (1, 100, 200):
        await wait_until(lambda done=done: reached(hub, done))  # type: ignore[misc]
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'comptoir-fulfillment'"
        )
    await admin.close()
    await task
    await wait_until(lambda: answered(hub, 400))
    [row] = await hub.pool.fetch(ONCE)
    assert tuple(row) == (400, 400, 400, 0)


async def reached(hub: Hub, count: int) -> bool:
    try:
        return await seen(hub) >= count
    except Exception as error:
        if not is_outage(error):
            raise
        return False


async def test_postgresql_crashes_and_restarts_under_load(hubs: Hubs, bus: Bus, postgres: Postgres) -> None:
    """No acked message is missing afterwards: commits wait for the disk."""
    hub = await hubs()
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(400)])
    await wait_until(lambda: reached(hub, 1))
    await asyncio.to_thread(postgres.kill)
    await asyncio.to_thread(postgres.restart)
    await wait_until(lambda: answered(hub, 400), 30)
    [row] = await hub.pool.fetch(ONCE)
    assert tuple(row) == (400, 400, 400, 0)
    received = await bus.take_all("orders.fulfillment", "orders", 400)
    assert len({envelope.id for envelope in received}) == 400
    assert not hub.stopping.is_set()


async def test_a_database_that_accepts_no_connections_for_a_while(
    hubs: Hubs, bus: Bus, postgres: Postgres, sample_database: str
) -> None:
    """Messages wait, the process stays, and both go on once the database is open again."""
    hub = await hubs()
    await bus.publish([framed(ask(sku="FIRST"))])
    await wait_until(lambda: is_done(hub, 1))
    name = urlsplit(sample_database).path.removeprefix("/")
    admin = await asyncpg.connect(postgres.admin_url)
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError) as closed:
            await asyncpg.connect(sample_database)
        assert is_outage(closed.value)
        await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(20)])
        await wait_until(lambda: any(reader.outage for reader in hub.readers))
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await admin.close()
    await wait_until(lambda: answered(hub, 21))
    assert not hub.stopping.is_set()
    assert await hub.pool.fetchval("SELECT count(*) FROM msg.parked") == 0


async def test_a_statement_in_a_state_that_forbids_it_is_not_an_outage(sample_database: str) -> None:
    connection = await asyncpg.connect(sample_database)
    try:
        await connection.execute("CREATE TEMPORARY SEQUENCE unused")
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError) as refused:
            await connection.fetchval("SELECT currval('unused')")
    finally:
        await connection.close()
    assert not is_outage(refused.value)


async def test_acks_that_never_arrive_make_duplicates_and_nothing_else(hubs: Hubs, bus: Bus) -> None:
    port = urlsplit(bus.url("orders")).port or 0
    async with Proxy(port) as proxy:
        hub = await hubs(port=proxy.port)
        await bus.publish([framed(ask(sku="FIRST"))])
        await wait_until(lambda: is_done(hub, 1))
        proxy.swallow(TO_SERVER)
        await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(100)])
        await wait_until(lambda: reached(hub, 101))
        proxy.flow()
        proxy.cut_all()
        await wait_until(lambda: is_done(hub, 101))
        [row] = await hub.pool.fetch(ONCE)
        assert tuple(row) == (101, 101, 101, 0)
        assert await stopped_with_nothing_left(hub, bus)


def test_a_missing_template_is_not_an_outage() -> None:
    assert is_outage(ConnectionRefusedError())
    assert not is_outage(TemplateNotFound("orders/list.html"))


async def test_an_unavailable_broker_is_logged_once_per_outage(
    hubs: Hubs, rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.messaging.inbound.consuming.RECONNECT_SECONDS", 0.05)
    async with Proxy(urlsplit(rabbitmq.amqp_url).port or 0) as proxy:
        hub = await hubs(port=proxy.port)
        consumers = hub.consumers
        assert consumers is not None
        await wait_until(lambda: consumers.is_consuming)
        before = consumers._generation
        with capture_logs() as logged:
            proxy.become_unavailable()
            await wait_until(lambda: consumers._generation >= before + 12)  # two for each connection
            proxy.come_back()
            await wait_until(lambda: consumers.is_consuming)
        entries = [
            (line["event"], line.get("worker"), line.get("error"))
            for line in logged
            if line["log_level"] != "info"
        ]
        assert "not consuming; reconnecting" in {event for event, *_ in entries}
        assert len(entries) == len(set(entries)), entries
