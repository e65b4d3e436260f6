"""A process that makes no progress although its dependencies answer is ended; not one whose database is unavailable."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest

from services.chassis.runtime import watchdog as watchdog_module
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.watchdog import EXIT_STATUS, Watchdog
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs
from tests.chassis.messaging.test_consuming import is_done
from tests.chassis.proxy import Proxy, through
from tests.chassis.sample import ask

ROOT = Path(__file__).resolve().parents[3]


async def looks(watchdog: Watchdog, hub: Hub) -> str | None:
    """One look; what it found stuck."""
    with contextlib.suppress(OSError):
        await watchdog._look(hub)
    return watchdog.stuck


async def test_a_stalled_queue_is_detected(hubs: Hubs, bus: Bus) -> None:
    """All messages are delivered, none is ready any more: what is not acked yet counts as work."""
    hub = await hubs()
    watchdog = Watchdog(0.3)
    async with hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE seen")
        await bus.publish([framed(ask())])
        assert "fulfillment.orders" in str(await wait_until(lambda: looks(watchdog, hub)))
    assert hub.stopping.is_set()


async def test_an_idle_process_and_one_without_its_database_are_let_be(
    hubs: Hubs, bus: Bus, sample_database: str
) -> None:
    async with Proxy(urlsplit(sample_database).port or 0) as proxy:
        hub = await hubs(database_url=through(sample_database, proxy.port))
        watchdog = Watchdog(0.05)
        for _ in range(10):
            assert await looks(watchdog, hub) is None
        proxy.become_unavailable()
        await bus.publish([framed(ask())])
        await wait_until(lambda: has_an_outage(hub))
        for _ in range(10):
            assert await looks(watchdog, hub) is None
        proxy.come_back()
        await wait_until(lambda: is_done(hub, 1))
        await hub.stop()


async def test_a_pool_that_lost_its_connections_is_noticed(
    hubs: Hubs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody took them and never gave them back; the readers believe in an outage and would wait for ever."""
    monkeypatch.setattr(watchdog_module, "POOL_SECONDS", 1.0)
    hub = await hubs(pool_size=2)
    watchdog = Watchdog(0.3)
    for _ in range(10):
        assert await looks(watchdog, hub) is None
    held = [await hub.pool.acquire() for _ in range(2)]
    await bus.publish([framed(ask())])
    assert "no connection of the pool" in str(await wait_until(lambda: looks(watchdog, hub)))
    for connection in held:
        await hub.pool.release(connection)


async def has_an_outage(hub: Hub) -> bool:
    return any(reader.outage for reader in hub.readers)


PROGRAM = """
import asyncio, sys, time
from services.chassis.runtime.watchdog import LoopWatch

async def main():
    watch = LoopWatch(0.5)
    watch.start()
    print("up", flush=True)
    while True:
        watch.beat()
        await asyncio.sleep(0.01)
        if {hangs}:
            time.sleep(60)

asyncio.run(main())
"""


def start(hangs: bool) -> subprocess.Popen[str]:
    """A process with an event loop that turns, or hangs."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(hangs=hangs)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


async def test_a_loop_that_hangs_ends_the_process_with_its_stack() -> None:
    process = start(hangs=True)
    _, output = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == EXIT_STATUS
    assert "event loop is blocked" in output
    assert "in main" in output


async def test_a_process_that_was_halted_as_a_whole_goes_on() -> None:
    process = start(hangs=False)
    try:
        process.send_signal(signal.SIGSTOP)
        await wait_until(has_passed(1.2))
        process.send_signal(signal.SIGCONT)
        await wait_until(has_passed(0.8))
        assert process.poll() is None
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


def has_passed(seconds: float):  # type: ignore[no-untyped-def]
    """Whether so much time has passed: here the time itself is what is tested."""
    end = monotonic() + seconds

    async def look() -> bool:
        return monotonic() > end

    return look
