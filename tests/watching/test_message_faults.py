"""Messages that are dead, not read or late: their alerts fire in the real Prometheus, the runbooks end them."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import aio_pika
import pytest

from contracts.envelope import Envelope, uuid7
from deploy.demo.sales.storefront import Storefront
from deploy.local.prometheus.watching import Watch
from deploy.samples.merchants import GARANCE
from services.chassis.testing import wait_until
from tests.journeys.sales import a_sale
from tests.prometheus import query
from tests.watching.following import follow, start_by_runbook
from tests.watching.provoking import (
    PATIENCE_SECONDS,
    comptoir,
    is_silent,
    notified,
    storefront,
    wait_until_fire,
    wait_until_silent,
)


@pytest.mark.timeout(600)
@pytest.mark.runbook("parked.md")
async def test_a_dead_message_is_seen_explained_and_discarded(watch: Watch) -> None:
    assert await is_silent(watch, "ComptoirParkedDead")
    await _poison(watch)
    await wait_until_fire(watch, ("ComptoirParkedDead", 'service="orders"'))
    await wait_until(lambda: notified(watch, "ComptoirParkedDead"), PATIENCE_SECONDS)

    status, output = await comptoir(watch, "parked", "list", "orders", "--json")
    assert status == 0, output
    [row] = json.loads(output)["parked"]
    number = {"7": str(row["id"])}
    status, output = await follow(watch, "parked.md", "comptoir parked explain orders 7", number)
    assert (status, "unknown_type" in output) == (0, True), output
    discard = 'comptoir parked discard orders 7 --reason "module was removed"'
    status, output = await follow(watch, "parked.md", discard, number)
    assert status == 0, output
    await wait_until_silent(watch, "ComptoirParkedDead")


@pytest.mark.timeout(600)
@pytest.mark.runbook("down.md", "queue-unread.md", "backlog.md", "paused.md")
async def test_a_service_that_is_stopped_and_one_that_is_paused(watch: Watch) -> None:
    """Payments is down, and its queue grows unread; the notifier is paused, and handles old messages afterwards."""
    await watch.system.supervisor.stop("payments")
    try:
        status, output = await comptoir(watch, "pause", "notifier", "--reason", "a test of faults")
        assert status == 0, output
        async with storefront(watch) as module:
            selling = asyncio.create_task(_sell_on(watch, module))
            try:
                await wait_until_fire(
                    watch,
                    ("ComptoirDown", 'program="payments"'),
                    ("ComptoirPaused", 'service="notifier",what="messages"'),
                    ("ComptoirQueueUnread", 'queue="payments.orders"'),
                    ("ComptoirStuck", 'queue="payments.orders"'),
                    ("ComptoirQueueGrowing", 'queue="payments.orders"'),
                )
            finally:
                selling.cancel()
            await wait_until(lambda: module.submitted_at.keys() <= module.answers.keys(), PATIENCE_SECONDS)
        status, output = await follow(watch, "down.md", "comptoir status")
        assert (status, "payments does not answer" in output) == (3, True), output
        assert "a test of faults" in output, output
    finally:
        await start_by_runbook(watch, "down.md", "python -m services.payments")
    status, output = await follow(watch, "paused.md", "comptoir resume notifier")
    assert status == 0, output
    await wait_until_fire(watch, ("ComptoirEventAgeHigh", 'service="notifier"'))
    await start_by_runbook(watch, "backlog.md", "python -m services.orders", replica="orders-2")
    try:
        status, output = await follow(watch, "backlog.md", "comptoir drain --timeout 600")
        assert status == 0, output
    finally:
        await watch.system.supervisor.stop("orders-2")
    ended = ("ComptoirDown", "ComptoirPaused", "ComptoirQueueUnread", "ComptoirStuck")
    await wait_until_silent(watch, *ended, "ComptoirQueueGrowing", "ComptoirEventAgeHigh", "ComptoirAuditor")


async def _sell_on(watch: Watch, module: Storefront) -> None:
    """Sell more whenever Prometheus has seen the last sales in payments' queue, so that it grows."""
    sold, labels = 0, f'queue="payments.orders",vhost="{watch.system.vhost}"'

    async def are_seen() -> bool:
        found = await query(watch.prometheus_url, f"rabbitmq_detailed_queue_messages_ready{{{labels}}}")
        return any(value >= sold for _, value in found)

    while True:
        for _ in range(3):
            await module.submit(a_sale())
            sold += 1
        await wait_until(are_seen, PATIENCE_SECONDS)


async def _poison(watch: Watch) -> None:
    """Let payments send orders a message of a type that is in no catalogue."""
    envelope = Envelope(uuid7(), "/payments", "payments.moon.eclipsed.v1", datetime.now(UTC), GARANCE.shop)
    headers: dict[str, Any] = dict(envelope.headers())
    async with await aio_pika.connect(watch.system.amqp_url("payments")) as connection:
        exchange = await (await connection.channel()).get_exchange("payments", ensure=False)
        message = aio_pika.Message(b"{}", headers=headers, delivery_mode=2, user_id="payments")
        await exchange.publish(message, "orders.payments", mandatory=True)
