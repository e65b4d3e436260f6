"""The private RabbitMQ: keeps quorum queues through restarts, closed to everybody else, gone after use."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import httpx2
import pytest
from pamqp.common import FieldTable

from deploy.local import processtree
from deploy.local.rabbitmq import PrivateRabbitMQ, RabbitMQDidNotStart, start_rabbitmq
from services.chassis.testing import wait_until
from tests.deploy.listening import LOOPBACK, listening

QUORUM: FieldTable = {"x-queue-type": "quorum"}


@pytest.fixture(scope="module")
def broker(parts_folder: Path) -> Iterator[PrivateRabbitMQ]:
    started = start_rabbitmq(parts_folder / "own-broker", {})
    assert isinstance(started, PrivateRabbitMQ)
    yield started
    started.stop()


async def publish(broker: PrivateRabbitMQ, queue: str, body: bytes) -> None:
    connection = await aio_pika.connect(broker.amqp_url)
    async with connection, connection.channel() as channel:
        await channel.declare_queue(queue, durable=True, arguments=QUORUM)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue)


async def take(broker: PrivateRabbitMQ, queue: str) -> bytes:
    connection = await aio_pika.connect(broker.amqp_url)
    async with connection, connection.channel() as channel:
        declared = await channel.declare_queue(queue, durable=True, arguments=QUORUM)
        message = await declared.get(timeout=10)
        await message.ack()
        return message.body


async def test_confirmed_messages_survive_restart_and_kill(broker: PrivateRabbitMQ) -> None:
    await publish(broker, "kept", b"through a restart")
    broker.restart()
    assert await take(broker, "kept") == b"through a restart"

    await publish(broker, "kept", b"through a kill")
    broker.kill()
    broker.restart()
    assert await take(broker, "kept") == b"through a kill"


def test_it_listens_on_loopback_alone_its_epmd_too(broker: PrivateRabbitMQ) -> None:
    assert broker._epmd is not None
    found = listening(broker.pid) | listening(broker._epmd.pid)
    assert {address for address, _ in found} <= LOOPBACK
    http = {broker.management_port, broker.metrics_port}
    assert {port for _, port in found} == {
        broker.amqp_port,
        broker.distribution_port,
        broker.epmd_port,
    } | http


async def test_it_exports_metrics_of_the_whole_and_of_each_queue(broker: PrivateRabbitMQ) -> None:
    assert broker.metrics_url is not None
    whole = httpx2.get(f"{broker.metrics_url}/metrics").text
    assert "\nrabbitmq_alarms_memory_used_watermark 0\n" in whole
    await publish(broker, "measured", b"one")
    detailed = f"{broker.metrics_url}/metrics/detailed"
    families = {"family": ["queue_coarse_metrics", "queue_consumer_count"]}
    ready = re.compile(
        r'^rabbitmq_detailed_queue_messages_ready{[^}]*queue="measured"[^}]*} 1$', re.MULTILINE
    )
    await wait_until(lambda: bool(ready.search(httpx2.get(detailed, params=families).text)))


def test_only_the_administrator_may_enter(broker: PrivateRabbitMQ) -> None:
    users = broker.ctl("list_users", "--formatter", "json")
    assert "guest" not in users
    whoami = f"{broker.management_url}/api/whoami"
    assert httpx2.get(whoami, auth=(broker.user, broker.password)).json()["name"] == broker.user
    assert httpx2.get(whoami, auth=("guest", "guest")).status_code == 401


def test_stopped_it_leaves_nothing(broker: PrivateRabbitMQ) -> None:
    assert broker._epmd is not None
    leaders = [broker.pid, broker._epmd.pid]
    family = [*leaders, *(pid for leader in leaders for pid in processtree.descendants(leader))]
    broker.stop()
    assert not any(processtree.is_running(pid) for pid in family)
    assert not broker.place.folder.exists()
    assert not broker.place.wanted.exists()


async def test_it_runs_below_a_path_with_a_blank(parts_folder: Path) -> None:
    """RabbitMQ's scripts do not: its own folder, and its programs if need be, lie elsewhere then."""
    below = parts_folder / "a folder with blanks"
    started = start_rabbitmq(below / "broker", {})
    assert isinstance(started, PrivateRabbitMQ)
    try:
        await publish(started, "kept", b"below blanks")
        assert await take(started, "kept") == b"below blanks"
    finally:
        started.stop()
    assert not (below / "broker").exists()
    below.rmdir()


def test_a_full_disk_is_reported_at_the_start(parts_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its disk alarm on the broker starts, and nothing that is published ever ends."""
    usage = shutil.disk_usage(parts_folder)._replace(free=110 * 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RabbitMQDidNotStart, match="only 110 MB are free"):
        start_rabbitmq(parts_folder / "full", {})
    assert not (parts_folder / "full").exists()
