"""The fulfillment service as a real process: stopped, without its servers, hanging, and after the broker's death."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import httpx2
import pytest
import pytest_asyncio
from aiormq import spec

from contracts.fulfillment.stock import SetStock, StockLevel
from deploy.databases import create_databases, drop_databases
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.system import CUSTOMER_PAGE, ROOT, System
from services.chassis.testing import wait_until
from tests.chassis.bus import framed
from tests.chassis.proxy import Proxy, through

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAME = "fulfillment"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, rabbitmq: RabbitMQ
) -> AsyncIterator[System]:
    """Databases, migrations and topology of a whole system; each test runs the one service it is about."""
    made = System(tmp_path_factory.mktemp("system"), postgres, rabbitmq, [])
    await made.supervisor.__aenter__()
    try:
        await made.prepare()
        yield made
    finally:
        await made.__aexit__(None, None, None)


@pytest_asyncio.fixture(loop_scope="module")
async def database(system: System) -> AsyncIterator[asyncpg.Connection]:
    """The service's database; the service is stopped afterwards and has nothing left to do."""
    connection = await asyncpg.connect(system.databases[NAME])
    yield connection
    await connection.close()
    if NAME in system.supervisor.names():
        await system.supervisor.stop(NAME)


async def publish(system: System, count: int, mark: str) -> None:
    """Have orders ask for so many stock counts."""
    connection = await aio_pika.connect(system.amqp_url("orders"))
    async with connection:
        channel = await (await connection.channel()).get_underlay_channel()
        requested = [
            SetStock(shop="atelier", levels=[StockLevel(sku=f"{mark}-{n}", on_hand=n)], actor="test")
            for n in range(count)
        ]
        for start in range(0, count, 200):
            await asyncio.gather(
                *(
                    channel.basic_publish(
                        body,
                        exchange="orders",
                        routing_key=envelope.type,
                        properties=spec.Basic.Properties(headers=dict(envelope.headers()), delivery_mode=2),
                        mandatory=True,
                    )
                    for envelope, body in map(framed, requested[start : start + 200])
                )
            )


DONE = """SELECT (SELECT count(*) FROM stock_level WHERE sku LIKE $1 || '-%') AS effects,
                 (SELECT count(*) FROM msg.event_log
                  WHERE position($1 || '-' IN convert_from(body, 'UTF8')) > 0) AS said"""


async def done(database: asyncpg.Connection, mark: str) -> tuple[int, int]:
    """Effects and events of a mark."""
    row = await database.fetchrow(DONE, mark)
    assert row is not None
    return row["effects"], row["said"]


async def has_done(database: asyncpg.Connection, mark: str, count: int) -> bool:
    left = await database.fetchval("SELECT count(*) FROM msg.dispatch")
    return left == 0 and await done(database, mark) == (count, count)


async def queue_of(system: System) -> tuple[int, int]:
    """Messages ready in the queue and its consumers."""
    connection = await aio_pika.connect(system.amqp_url(NAME))
    async with connection:
        queue = await (await connection.channel()).declare_queue(f"{NAME}.orders", passive=True)
        result = queue.declaration_result
        return result.message_count or 0, result.consumer_count or 0


async def get(system: System, path: str) -> tuple[int, str]:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        try:
            answer = await client.get(system.url(NAME) + path, headers=system.operator)
        except httpx2.HTTPError as error:
            return 0, repr(error)
    return answer.status_code, answer.text


async def says(system: System, path: str, status: int, *words: str) -> bool:
    found, text = await get(system, path)
    return found == status and all(word in text for word in words)


async def test_when_stopped_under_load_it_finishes_what_it_took(system: System, database: Any) -> None:
    await system.start(NAME)
    await publish(system, 1500, "stop")
    await wait_until(lambda: some_done(database, "stop"))
    await system.supervisor.stop(NAME)
    assert system.supervisor.exited(NAME) == 0
    effects, output = await done(database, "stop")
    ready, consumers = await queue_of(system)
    assert (effects, consumers) == (output, 0)
    assert ready == 1500 - effects
    assert await database.fetchval("SELECT count(*) FROM msg.dispatch") == 0
    await system.start(NAME)
    await wait_until(lambda: has_done(database, "stop", 1500), 30)
    assert system.supervisor.restarts(NAME) == 0


async def some_done(database: Any, mark: str) -> bool:
    return (await done(database, mark))[0] > 0


async def test_the_broker_dies_under_load_and_the_process_stays(
    system: System, database: Any, rabbitmq: RabbitMQ
) -> None:
    await system.start(NAME)
    restarts = system.supervisor.restarts(NAME)
    await publish(system, 1000, "broker")
    await wait_until(lambda: some_done(database, "broker"))
    await asyncio.to_thread(rabbitmq.kill)
    await wait_until(lambda: says(system, "/readyz", 503, "broker"))
    assert (await get(system, "/readyz/intake"))[0] == 200
    await asyncio.to_thread(rabbitmq.restart)
    await wait_until(lambda: says(system, "/readyz", 200), 30)
    await publish(system, 100, "afterwards")
    await wait_until(lambda: has_done(database, "broker", 1000), 30)
    await wait_until(lambda: has_done(database, "afterwards", 100), 30)
    assert (await queue_of(system))[1] == 1
    assert system.supervisor.restarts(NAME) == restarts


async def test_it_starts_without_its_servers_logs_it_and_waits_for_them(
    system: System, database: Any
) -> None:
    amqp, postgres = urlsplit(system.amqp_url(NAME)), urlsplit(system.databases[NAME])
    async with Proxy(amqp.port or 0) as broker, Proxy(postgres.port or 0) as server:
        broker.become_unavailable()
        server.become_unavailable()
        program = system.program(
            NAME,
            COMPTOIR_DATABASE_URL=through(system.databases[NAME], server.port),
            COMPTOIR_AMQP_URL=through(system.amqp_url(NAME), broker.port),
        )
        starting = asyncio.create_task(system.supervisor.start(program))
        await wait_until(lambda: says(system, "/livez", 200))
        assert await says(system, "/readyz", 503, "database", "broker")
        assert await says(system, "/readyz/intake", 503, "database")
        server.come_back()
        await wait_until(lambda: says(system, "/readyz", 503, "broker: not consuming"))
        await wait_until(lambda: says(system, "/readyz/intake", 200))
        broker.come_back()
        await starting
        await system.supervisor.stop(NAME)


async def test_one_that_hangs_exits_and_is_started_afresh(system: System, database: Any) -> None:
    await system.supervisor.start(system.program(NAME, COMPTOIR_WATCHDOG_SECONDS="1"))
    restarts = system.supervisor.restarts(NAME)
    async with database.transaction():
        await database.execute("LOCK TABLE msg.inbox")
        await publish(system, 1, "stuck")
        await wait_until(lambda: restarted(system, restarts), 30)
    assert 1 in system.supervisor.deaths(NAME)
    assert "no progress although dependencies answer" in system.supervisor.log_tail(NAME)
    await wait_until(lambda: has_done(database, "stuck", 1))


async def restarted(system: System, before: int) -> bool:
    return system.supervisor.restarts(NAME) > before


async def run(system: System, **env: str) -> tuple[int, str]:
    """Run the program until it ends by itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPTOIR_")}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", f"services.{NAME}"],
        env={**inherited, **system.environment(NAME), **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stderr


async def test_a_database_that_was_not_migrated_is_reported_in_a_sentence(
    system: System, postgres: Postgres
) -> None:
    empty = await create_databases(postgres.admin_url, "_empty")
    try:
        status, output = await run(system, COMPTOIR_DATABASE_URL=empty[NAME])
    finally:
        await drop_databases(postgres.admin_url, "_empty")
    assert status == 1
    assert "python -m services.fulfillment migrate" in output
    assert "Traceback" not in output


async def test_a_wrong_password_is_reported_in_a_sentence(system: System) -> None:
    url = urlsplit(system.databases[NAME])
    wrong = url._replace(netloc=f"{url.username}:wrong-secret@{url.hostname}:{url.port}").geturl()
    status, output = await run(system, COMPTOIR_DATABASE_URL=wrong, COMPTOIR_POLL_SIZE="hunter2")
    assert status == 1
    assert "COMPTOIR_DATABASE_URL" in output
    assert "wrong-secret" not in output
    [warning] = [line for line in output.splitlines() if "unknown setting; it is ignored" in line]
    assert "COMPTOIR_POLL_SIZE" in warning
    assert "COMPTOIR_POOL_SIZE" in warning
    assert "hunter2" not in output


async def test_a_missing_root_certificate_is_reported_in_a_sentence(system: System, tmp_path: Path) -> None:
    url = f"{system.databases[NAME]}?sslmode=verify-full"
    status, output = await run(system, COMPTOIR_DATABASE_URL=url, HOME=str(tmp_path))
    assert status == 1
    assert "COMPTOIR_DATABASE_URL can't be used" in output
    assert "root certificate" in output
    assert "Traceback" not in output


async def test_a_public_process_has_its_metrics_on_a_separate_port(system: System) -> None:
    (port,) = free_ports(1)
    await system.supervisor.start(system.program(CUSTOMER_PAGE, COMPTOIR_METRICS_PORT=str(port)))
    private = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(trust_env=False) as http:
            for path in ("/metrics", "/internal/parked"):
                answer = await http.get(f"{system.url(CUSTOMER_PAGE)}{path}", headers=system.operator)
                assert answer.status_code == 404
            assert (await http.get(f"{private}/livez")).text == "alive"
            assert (await http.get(f"{private}/metrics")).status_code == 401
            assert (await http.get(f"{private}/internal/parked", headers=system.operator)).status_code == 404
            metrics = (await http.get(f"{private}/metrics", headers=system.operator)).text
            assert "comptoir_database_statements_total{" in metrics
            ready = (await http.get(f"{private}/readyz", headers=system.operator)).json()
            assert (ready["ready"], ready["missing"]) == (True, [])
    finally:
        await system.supervisor.stop(CUSTOMER_PAGE)
