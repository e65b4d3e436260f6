"""A broker that is halted and goes on (SIGSTOP, a suspended machine): messages are handled again within seconds."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from deploy.local.parts import RabbitMQ
from services.chassis.background.workers import Worker
from services.chassis.http import health
from services.chassis.http.health import what_is_missing
from services.chassis.limits import ConnectionEnded, cancellations_as_errors, within
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.watchdog import Watchdog
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs
from tests.chassis.messaging.test_consuming import is_done, stopped_with_nothing_left
from tests.chassis.sample import ask

SOON = 15.0
"""What "within seconds" is on a busy machine; the watchdog would have taken 95."""


@contextmanager
def halted(broker: RabbitMQ) -> Iterator[None]:
    """The broker's process is halted meanwhile."""
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


class Gate:
    """Holds a hub's commits of `fulfillment.orders` after they happened, before the acks."""

    def __init__(self, hub: Hub) -> None:
        self.committed = asyncio.Event()
        self.opened = asyncio.Event()
        self.connections: list[Any] = []
        self.reader = next(reader for reader in hub.readers if reader.queue == "fulfillment.orders")
        commit, collect = self.reader._commit, self.reader.collect

        async def hold(arrivals: Sequence[RawMessage]) -> None:
            await commit(arrivals)
            self.committed.set()
            await self.opened.wait()

        def note(message: Any) -> None:
            self.connections.append(message.channel.connection)
            collect(message)

        self.reader._commit = hold
        self.reader.collect = note  # type: ignore[method-assign]


async def is_reconnecting(hub: Hub) -> bool:
    return hub.consumers is not None and not hub.consumers.is_consuming


async def test_an_ack_that_a_closing_connection_ends_does_not_end_the_reader(
    hubs: Hubs, bus: Bus, rabbitmq: RabbitMQ
) -> None:
    """aiormq ends it with CancelledError, as if the reader itself had been cancelled: it stood still for good."""
    hub = await hubs()
    gate = Gate(hub)
    await bus.publish([framed(ask())])
    await gate.committed.wait()
    with halted(rabbitmq):
        closing = asyncio.create_task(gate.connections[0].close(asyncio.CancelledError))
        await asyncio.sleep(0)
        gate.opened.set()
        await closing
    await bus.publish([framed(ask(sku=f"LATER-{n}")) for n in range(5)])
    await wait_until(lambda: is_done(hub, 6), SOON)
    assert not hub.stopping.is_set()


async def test_a_connection_renewed_while_the_broker_is_halted_takes_nothing_more(
    hubs: Hubs, bus: Bus, rabbitmq: RabbitMQ
) -> None:
    """The old one must not go on consuming beside the new one: nobody would ack what it gets."""
    hub = await hubs()
    gate = Gate(hub)
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(400)])
    await gate.committed.wait()
    with halted(rabbitmq):
        assert hub.consumers is not None
        hub.consumers.renew("the broker is halted")
        await wait_until(lambda: is_reconnecting(hub))
        gate.opened.set()
        assert "not consuming" in str(await what_is_missing(hub))
        await wait_until(lambda: is_closed(gate.connections[0]))
    await wait_until(lambda: is_done(hub, 400), SOON)
    await wait_until(lambda: has_one_consumer(bus), SOON)
    assert await what_is_missing(hub) == []
    assert await stopped_with_nothing_left(hub, bus)


async def is_closed(connection: Any) -> bool:
    return bool(connection.is_closed)


async def has_one_consumer(bus: Bus) -> bool:
    return (await bus.counts("fulfillment.orders"))[1] == 1


async def test_the_watchdog_notices_a_silent_broker_and_all_goes_on(
    hubs: Hubs, bus: Bus, rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.messaging.inbound.consuming.ANSWER_SECONDS", 0.5)
    watchdog = Watchdog(60)
    hub = await hubs()
    looking = asyncio.create_task(Worker("watchdog", lambda _: watchdog._look(hub), 0.2).loop(hub))
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(100)])
    with halted(rabbitmq):
        await wait_until(lambda: is_reconnecting(hub))
    await bus.publish([framed(ask(sku=f"LATER-{n}")) for n in range(100)])
    await wait_until(lambda: is_done(hub, 200), SOON)
    looking.cancel()
    assert watchdog.stuck is None


async def test_readiness_reports_messages_that_nobody_commits(
    hubs: Hubs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STALLED_SECONDS", 0.1)
    hub = await hubs()
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE seen")
        await bus.publish([framed(ask())])
        text = await wait_until(says(hub, "none was committed for"))
        assert "fulfillment.orders" in str(text)
    await wait_until(says(hub, None))


def says(hub: Hub, words: str | None) -> Callable[[], Any]:
    """Whether readiness names this; with None, whether nothing is missing."""

    async def look() -> list[str] | bool:
        missing = await what_is_missing(hub)
        return not missing if words is None else [text for text in missing if words in text]

    return look


async def test_a_queue_that_is_missing_stops_no_other(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    await asyncio.to_thread(bus.management.send, "DELETE", f"queues/{bus.vhost}/fulfillment.payments")
    await wait_until(says(hub, "the queue fulfillment.payments is missing"))
    await bus.publish([framed(ask())])
    await wait_until(lambda: is_done(hub, 1))
    await asyncio.to_thread(bus.open)
    await wait_until(says(hub, None))


async def test_a_wait_ends_even_when_what_is_waited_for_can_not_be_cancelled() -> None:
    gate = asyncio.Event()

    async def stubborn() -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    with pytest.raises(TimeoutError):
        await within(0.05, stubborn())
    gate.set()


async def test_what_a_library_cancels_is_an_error_and_our_own_end_is_none() -> None:
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ended.set_exception(asyncio.CancelledError)
    with pytest.raises(ConnectionEnded), cancellations_as_errors():
        await ended

    async def wait() -> None:
        with cancellations_as_errors():
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
