"""The command that finds and sends again what a queue lost, against two services over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn

from deploy.local.ports import free_ports
from deploy.lost_messages import main
from services.chassis.http import edge, health
from services.chassis.runtime.watchdog import Watchdog
from services.chassis.testing import Desk
from tests.chassis.operators import TOKEN
from tests.conftest import Desks
from tests.notifier.conftest import shops
from tests.orders.rest_client import place, sale

__all__ = ["shops"]


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[str]:
    """The address of a service's operators' routes."""
    (port,) = free_ports(1)
    app = edge.application(health.routes(desk.hub, Watchdog(60)))
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


async def run(*arguments: str) -> int:
    """The exit status of the command, for the time around now."""
    now, span = datetime.now(UTC), timedelta(minutes=1)
    times = ("--from", (now - span).isoformat(), "--to", (now + span).isoformat())
    return await asyncio.to_thread(main, [*arguments, *times])


async def test_what_was_lost_is_counted_then_sent_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orders, notifier = await desks("orders"), await desks("notifier")
    monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", TOKEN)
    async with AsyncExitStack() as stack:
        for desk in (orders, notifier):
            name = f"COMPTOIR_{desk.hub.service.upper()}_URL"
            monkeypatch.setenv(name, await stack.enter_async_context(served(desk)))
        assert await run("count", "orders", "notifier") == 0
        for _ in range(2):
            await place(orders, sale())
        await orders.fetch("DELETE FROM msg.dispatch RETURNING 1")
        capsys.readouterr()
        assert await run("count", "orders", "notifier") == 1
        assert capsys.readouterr().out.split() == [
            *("2", "orders.order.placed.v1"),
            *("2", "never", "handled", "by", "notifier"),
        ]
        assert await orders.fetchval("SELECT count(*) FROM msg.dispatch") == 0, "counting sends nothing"
        assert await run("send", "orders", "notifier", "--actor", "ann") == 0
        assert "2  on their way again" in capsys.readouterr().out
        rows = await orders.fetch("SELECT routing_key, replay_id FROM msg.dispatch")
        assert [tuple(row) for row in rows] == [("notifier.orders", None)] * 2
        assert await orders.fetchval("SELECT actor FROM msg.replay") == "ann"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "set COMPTOIR_INTERNAL_TOKEN"),
        ({"COMPTOIR_INTERNAL_TOKEN": TOKEN}, "set COMPTOIR_ORDERS_URL"),
        (
            {"COMPTOIR_INTERNAL_TOKEN": TOKEN, "COMPTOIR_ORDERS_URL": "http://127.0.0.1:1"},
            "orders does not answer (ConnectError)",
        ),
    ],
    ids=["no token", "no address", "nobody there"],
)
async def test_what_can_not_be_asked_is_one_sentence(
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("COMPTOIR_INTERNAL_TOKEN", "COMPTOIR_ORDERS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert await run("count", "orders", "notifier") == 2
    told = capsys.readouterr()
    assert (told.out, said in told.err, told.err.count("\n")) == ("", True, 1)


async def test_a_wrong_token_and_a_pair_that_does_not_talk_are_told(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(await desks("notifier")) as url:
        monkeypatch.setenv("COMPTOIR_NOTIFIER_URL", url)
        monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", "another-token-of-16")
        assert await run("count", "notifier", "orders") == 2
        assert "notifier refuses the token" in capsys.readouterr().err
        monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", TOKEN)
        assert await run("count", "notifier", "payments") == 2
        assert "notifier answers 422" in capsys.readouterr().err
