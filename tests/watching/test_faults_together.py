"""Faults that do not touch each other, provoked at once since each alert takes its time: missing bindings, a process
that dies again and again, a database that is closed."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
import asyncpg
import pytest

from contracts.catalogue import STOREFRONT
from contracts.envelope import CONTENT_TYPE, Envelope, uuid7
from contracts.sale import Module
from contracts.storefront import CheckoutDropped
from deploy.demo.sales.storefront import login_of
from deploy.local.prometheus.watching import Watch
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.system import AUDITOR, CUSTOMER_PAGE
from deploy.samples.merchants import GARANCE
from deploy.topology import Management
from services.chassis.messaging.topology import UNROUTED, UNROUTED_QUEUE, Binding
from services.chassis.testing import wait_until
from tests.journeys.sales import a_sale
from tests.prometheus import query
from tests.watching.following import follow, last_hour, start_by_runbook
from tests.watching.provoking import (
    PATIENCE_SECONDS,
    comptoir,
    count_stock,
    has_fired,
    post,
    storefront,
    wait_until_fire,
    wait_until_silent,
)

PLACED, COUNTED = "orders.order.placed.v1", "orders.stock.set.v1"
DROPPED, SUBMITTED = "storefront.checkout.dropped.v1", "storefront.order.submitted.v1"
MISSING = [
    Binding("orders", "payments.orders", PLACED),
    Binding("orders", "notifier.orders", PLACED),
    Binding("orders", "fulfillment.orders", COUNTED),
    Binding(STOREFRONT, f"orders.{STOREFRONT}", DROPPED),
    Binding(UNROUTED, UNROUTED_QUEUE, ""),
]


@pytest.mark.timeout(600)
@pytest.mark.runbook(
    *("topology.md", "waiting.md", "storefront-unread.md"),
    *("restarting.md", "worker-errors.md", "auditor-stale.md", "redeliveries.md"),
)
async def test_faults_that_do_not_touch_each_other(watch: Watch, broker: PrivateRabbitMQ) -> None:
    began = time.time()
    async with asyncio.TaskGroup() as all_at_once:
        all_at_once.create_task(_bindings_are_missing(watch))
        all_at_once.create_task(_a_process_dies_again_and_again(watch, began))
        all_at_once.create_task(_a_database_is_closed(watch, broker))
    status, output = await follow(watch, "waiting.md", "comptoir parked list --state dead")
    assert (status, "no parked messages" in output) == (0, True), output


async def _bindings_are_missing(watch: Watch) -> None:
    """Orders are not heard of, a command is refused, a payment waits for its order; the module does not listen."""
    began, sale, lost = time.time(), a_sale(), "--from 2026-11-28T08:00Z --to 2026-11-28T10:00Z"
    management = Management(watch.system.management_url, watch.system.vhost)
    for binding in MISSING:
        await asyncio.to_thread(management.unbind, binding)
    async with storefront(watch) as module:
        await module.submit(sale)
        await wait_until(lambda: sale.event_id in module.answers, PATIENCE_SECONDS)
    await _submit_without_listening(watch)
    await _say(watch, DROPPED, _dropped())
    await count_stock(watch)
    money = {"method": "cheque", "amount_minor": 500, "currency": "EUR", "received_on": _today()}
    await post(watch, f"/v1/orders/{sale.event_id}/payments", money)
    await wait_until_fire(
        watch,
        ("ComptoirBindingsMissing", 'service="notifier"'),
        ("ComptoirBindingsMissing", 'service="payments"'),
        ("ComptoirRefusedByBroker", 'service="orders"'),
        ("ComptoirBrokerUnroutable", ""),
        ("ComptoirWaitingOld", 'service="payments"'),
        ("ComptoirStorefrontUnread", f'queue="{module.login}"'),
        since=began,
    )
    status, output = await follow(watch, "topology.md", "comptoir topology diff")
    assert (status, output.count("is missing")) == (1, len(MISSING)), output
    await _look_at_what_waits(watch)
    await _look_at_the_module(watch, module.login)

    status, output = await follow(watch, "topology.md", "comptoir topology apply")
    assert (status, output.count("corrected: ")) == (0, len(MISSING)), output
    for page, listener in (("topology.md", "notifier"), ("waiting.md", "payments")):
        count, send = (f"comptoir lost {verb} orders {listener} {lost}" for verb in ("count", "send"))
        status, output = await follow(watch, page, count, last_hour())
        assert status == 1, output
        status, output = await follow(watch, page, send, last_hour())
        assert status == 0, output
        status, output = await comptoir(watch, "drain", listener, "--timeout", "100")
        assert status == 0, output
        status, output = await follow(watch, page, count, last_hour())
        assert (status, f"0 never handled by {listener}" in output) == (0, True), output
    resync = "comptoir resync payments orders --shop maison"
    status, output = await follow(watch, "waiting.md", resync, {"maison": GARANCE.shop})
    assert status == 0, output
    async with storefront(watch) as module:
        await wait_until(lambda: len(module.answers) > 0, PATIENCE_SECONDS)
        status, output = await follow(watch, "topology.md", "comptoir topology diff")
        assert status == 0, output
        await wait_until_silent(watch, "ComptoirStorefrontUnread")
    ended = ("ComptoirBindingsMissing", "ComptoirRefusedByBroker", "ComptoirBrokerUnroutable")
    await wait_until_silent(watch, *ended, "ComptoirWaitingOld")


async def _look_at_what_waits(watch: Watch) -> None:
    listing = "comptoir parked list orders --state waiting"
    status, output = await follow(watch, "waiting.md", listing, {"orders": "payments"})
    assert (status, "orders.payment.record.v1" in output) == (0, True), output
    status, output = await comptoir(watch, "parked", "list", "payments", "--state", "waiting", "--json")
    [row] = json.loads(output)["parked"]
    example = {"orders": "payments", "7": str(row["id"])}
    status, output = await follow(watch, "waiting.md", "comptoir parked explain orders 7", example)
    assert (status, "wait_key" in output) == (0, True), output


async def _look_at_the_module(watch: Watch, login: str) -> None:
    queues = "rabbitmqctl list_queues name messages_ready consumers"
    _, output = await follow(watch, "storefront-unread.md", queues)
    [line] = [line for line in output.splitlines() if line.startswith(login)]
    _, ready, consumers = line.split()
    assert (int(ready) > 0, consumers) == (True, "0"), output
    _, output = await follow(watch, "storefront-unread.md", "rabbitmqctl list_connections user state")
    assert login not in output, output


async def _a_process_dies_again_and_again(watch: Watch, began: float) -> None:
    """The customers' page is killed whenever it was seen running, as one is that needs too much memory."""
    supervisor = watch.system.supervisor
    started = f'max_over_time(process_start_time_seconds{{program="{CUSTOMER_PAGE}"}}[300s])'

    async def has_started_since(timestamp: float) -> bool:
        return any(value > timestamp for _, value in await query(watch.prometheus_url, started))

    while not await has_fired(watch, "ComptoirRestarting", began, f'program="{CUSTOMER_PAGE}"'):
        [(_, before)] = await query(watch.prometheus_url, started)
        os.kill(supervisor.pid(CUSTOMER_PAGE), signal.SIGKILL)
        await wait_until(partial(has_started_since, before), PATIENCE_SECONDS)
    _, output = await follow(watch, "restarting.md", "comptoir status")
    assert "orders" in output, output
    await wait_until_silent(watch, "ComptoirRestarting")


async def _a_database_is_closed(watch: Watch, broker: PrivateRabbitMQ) -> None:
    """Fulfillment's workers fail and the auditor can't scan; what fulfillment holds is delivered again whenever its
    connection breaks. Then the auditor ends."""
    began, supervisor = time.time(), watch.system.supervisor
    async with _closed(watch, "fulfillment"):
        for _ in range(3):
            await _submit_without_listening(watch)
        while not await has_fired(watch, "ComptoirRedeliveries", began):
            await asyncio.to_thread(broker.ctl, "close_all_user_connections", "fulfillment", "a test")
        connections = "rabbitmqctl list_connections user peer_host connected_at state"
        status, output = await follow(watch, "redeliveries.md", connections)
        assert (status, "orders" in output) == (0, True), output
        await wait_until_fire(
            watch,
            ("ComptoirWorkerErrors", 'service="fulfillment"'),
            ("ComptoirAuditorStale", ""),
            since=began,
        )
        status, output = await follow(watch, "worker-errors.md", "comptoir status")
        assert (status, "fulfillment" in output) == (3, True), output
        await supervisor.stop(AUDITOR)
    own = {"127.0.0.1:8007": f"127.0.0.1:{watch.system.ports[AUDITOR]}"}
    serve = "python -m deploy.auditor --watch --serve 127.0.0.1:8007"
    await start_by_runbook(watch, "auditor-stale.md", serve, own)
    ended = ("ComptoirRedeliveries", "ComptoirWorkerErrors", "ComptoirAuditorStale")
    await wait_until_silent(watch, *ended, "ComptoirAuditor", "ComptoirDown")


@asynccontextmanager
async def _closed(watch: Watch, service: str) -> AsyncIterator[None]:
    """The database of a service accepts no more connections meanwhile, as one that has too many of them."""
    name = urlsplit(watch.system.databases[service]).path.removeprefix("/")
    admin = await asyncpg.connect(watch.system.postgres.admin_url)
    try:
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        await admin.close()


async def _submit_without_listening(watch: Watch) -> None:
    """Submit a sale as a module that does not read its answers."""
    sale = a_sale()
    body = sale.submission.model_dump_json(exclude_none=True).encode()
    await _say(watch, SUBMITTED, body, sale.event_id)


async def _say(watch: Watch, type_: str, body: bytes, id_: UUID | None = None) -> None:
    """Publish a module's message without `mandatory`: the broker drops it silently when no queue takes it."""
    login, dropped = login_of(GARANCE.shop, "shop"), id_ or uuid7()
    source = f"/{STOREFRONT}/{GARANCE.shop}/shop"
    envelope = Envelope(dropped, source, type_, datetime.now(UTC), GARANCE.shop, subject=str(dropped))
    async with await aio_pika.connect(watch.system.amqp_url(login)) as connection:
        exchange = await (await connection.channel()).get_exchange(STOREFRONT, ensure=False)
        message = aio_pika.Message(
            body, headers=dict(envelope.headers()), content_type=CONTENT_TYPE, delivery_mode=2, user_id=login
        )
        await exchange.publish(message, type_, mandatory=False)


def _dropped() -> bytes:
    dropped = CheckoutDropped(
        shop=GARANCE.shop, module=Module.SHOP, checkout_id=uuid7(), dropped_at=datetime.now(UTC)
    )
    return dropped.model_dump_json(exclude_none=True).encode()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
