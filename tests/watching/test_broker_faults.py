"""RabbitMQ without bindings, with a wrong login, full, or gone with its data: seen by Prometheus, ended as the runbooks
say."""

import asyncio
import os
import shutil
from functools import partial

import pytest

from deploy.local.prometheus.watching import Watch
from deploy.local.rabbitmq import PrivateRabbitMQ
from services.chassis.testing import wait_until
from tests.journeys.sales import a_sale
from tests.prometheus import query
from tests.watching.following import follow, last_hour, start_by_runbook
from tests.watching.provoking import (
    PATIENCE_SECONDS,
    comptoir,
    count_stock,
    fires,
    notified,
    storefront,
    wait_until_fire,
    wait_until_silent,
)

pytestmark = pytest.mark.timeout(600)
LITTLE = 32 * 2**20
"""Bytes by which the disk fills at a time."""
ROOM = 2**30
"""Bytes that are free above the disk's limit."""


@pytest.mark.runbook("outbox.md", "redeliveries.md")
async def test_a_login_that_is_rejected(watch: Watch, broker: PrivateRabbitMQ) -> None:
    await _ctl(broker, "change_password", "orders", "another")
    await _ctl(broker, "close_all_user_connections", "orders", "a test of faults")
    await count_stock(watch)
    await wait_until_fire(
        watch,
        ("ComptoirOutboxOld", 'service="orders"'),
        ("ComptoirNotPublishing", 'service="orders"'),
        ("ComptoirBrokerChurn", ""),
    )
    status, output = await follow(watch, "outbox.md", "comptoir status")
    assert (status, "ACCESS_REFUSED" in output) == (1, True), output
    status, output = await follow(watch, "outbox.md", "comptoir topology apply")
    assert status == 0, output
    status, output = await follow(watch, "outbox.md", "comptoir drain --timeout 600")
    assert status == 0, output
    await wait_until_silent(watch, "ComptoirOutboxOld", "ComptoirNotPublishing", "ComptoirBrokerChurn")


@pytest.mark.runbook("broker-alarm.md")
async def test_a_broker_without_memory_or_disk(watch: Watch, broker: PrivateRabbitMQ) -> None:
    page = "broker-alarm.md"
    await _ctl(broker, "set_vm_memory_high_watermark", "0.000001")
    filling = asyncio.create_task(_fill(watch, broker))
    try:
        await wait_until_fire(watch, ("ComptoirBrokerAlarm", ""), ("ComptoirBrokerDiskPredicted", ""))
        await count_stock(watch)
        await wait_until_fire(watch, ("ComptoirNotPublishing", 'service="orders"'))
        status, output = await follow(watch, page, "rabbitmq-diagnostics check_local_alarms")
        assert (status != 0, "Memory alarm" in output) == (True, True), output
        lists = "rabbitmqctl list_queues name messages_ready messages_unacknowledged"
        status, output = await follow(watch, page, lists)
        assert (status, "fulfillment.orders" in output) == (0, True), output
    finally:
        if filling.done():
            filling.result()
        filling.cancel()
        (broker.place.folder / "filling").unlink(missing_ok=True)
        status, output = await follow(watch, page, "rabbitmqctl set_vm_memory_high_watermark 0.6")
        await _ctl(broker, "set_disk_free_limit", "64MB")
    assert status == 0, output
    status, output = await follow(watch, page, "comptoir drain --timeout 600")
    assert status == 0, output
    await wait_until_silent(
        watch, "ComptoirBrokerAlarm", "ComptoirBrokerDiskPredicted", "ComptoirNotPublishing"
    )


@pytest.mark.runbook("broker-down.md")
async def test_a_broker_that_does_not_answer_and_comes_back_empty(
    watch: Watch, broker: PrivateRabbitMQ
) -> None:
    """First its metrics only, then the broker is killed; what waited in its queues is sent again."""
    page, system = "broker-down.md", watch.system
    await asyncio.to_thread(broker.tool, "rabbitmq-plugins", "disable", "rabbitmq_prometheus")
    await wait_until(lambda: fires(watch, "ComptoirBrokerDown"), PATIENCE_SECONDS)
    status, output = await follow(watch, page, "comptoir status")
    assert status == 0, output
    status, output = await follow(watch, page, "rabbitmq-plugins enable rabbitmq_prometheus")
    assert status == 0, output
    await wait_until_silent(watch, "ComptoirBrokerDown")

    await system.supervisor.stop("payments")
    sale = a_sale()
    async with storefront(watch) as module:
        await module.submit(sale)
        await wait_until(lambda: sale.event_id in module.answers, PATIENCE_SECONDS)
    others = ("orders", "fulfillment", "notifier")
    status, output = await comptoir(watch, "drain", *others, "--timeout", "100")
    assert status == 0, output
    await asyncio.to_thread(broker.kill)
    await wait_until(lambda: fires(watch, "ComptoirBrokerDown"), PATIENCE_SECONDS)
    await wait_until(lambda: notified(watch, "ComptoirBrokerDown"), PATIENCE_SECONDS)
    assert (await follow(watch, page, "rabbitmq-diagnostics status"))[0] != 0
    status, output = await follow(watch, page, "comptoir status")
    assert (status, "orders: broker:" in output) == (3, True), output
    _lose_data(broker)
    await asyncio.to_thread(broker.restart)
    own = {"comptoir": system.vhost, "administrator": broker.user}
    status, output = await follow(watch, page, "rabbitmqctl add_vhost comptoir", {"comptoir": system.vhost})
    assert status == 0, output
    rights = 'rabbitmqctl set_permissions --vhost comptoir administrator ".*" ".*" ".*"'
    status, output = await follow(watch, page, rights, own)
    assert status == 0, output
    status, output = await follow(watch, page, "comptoir topology apply")
    assert status == 0, output
    await start_by_runbook(watch, "down.md", "python -m services.payments")
    period = "--from 2026-11-28T08:00Z --to 2026-11-28T10:00Z"
    status, output = await follow(watch, page, f"comptoir lost count orders payments {period}", last_hour())
    assert (status, "1 never handled by payments" in output) == (1, True), output
    status, output = await follow(watch, page, f"comptoir lost send orders payments {period}", last_hour())
    assert (status, "1 sent again" in output) == (0, True), output
    status, output = await follow(watch, page, "comptoir topology diff")
    assert status == 0, output
    status, output = await follow(watch, page, "comptoir drain --timeout 600")
    assert status == 0, output
    status, output = await follow(watch, page, f"comptoir lost count orders payments {period}", last_hour())
    assert status == 0, output
    await wait_until_silent(watch, "ComptoirBrokerDown", "ComptoirDown")


async def _ctl(broker: PrivateRabbitMQ, *arguments: str) -> None:
    await asyncio.to_thread(broker.ctl, *arguments)


async def _fill(watch: Watch, broker: PrivateRabbitMQ) -> None:
    """Fill the broker's disk, a little whenever Prometheus has seen what is free; from the beginning again if others
    freed as much meanwhile. Ends by cancelling only.
    """
    available = "rabbitmq_disk_space_available_bytes"
    while True:
        [(_, free)] = await query(watch.prometheus_url, available)
        await _ctl(broker, "set_disk_free_limit", str(int(free) - ROOM))
        with (broker.place.folder / "filling").open("wb") as file:
            for filled in range(0, ROOM // 2, LITTLE):
                os.posix_fallocate(file.fileno(), filled, LITTLE)
                before = await query(watch.prometheus_url, available)
                await wait_until(partial(_differs, watch, available, before), PATIENCE_SECONDS)


async def _differs(watch: Watch, expression: str, before: list[tuple[dict[str, str], float]]) -> bool:
    return await query(watch.prometheus_url, expression) != before


def _lose_data(broker: PrivateRabbitMQ) -> None:
    """Remove all that the broker wrote: exchanges, queues, messages, users."""
    for path in (broker.place.folder / "data").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
