"""`comptoir lost` finds what a queue lost and sends it again, against two services over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from deploy.cli import recovery
from deploy.cli.app import main
from deploy.cli.failures import Failure
from services.chassis.http import health
from services.chassis.runtime.watchdog import Watchdog
from services.chassis.testing import Desk
from tests.builders.submissions import SHOP
from tests.chassis.operators import TOKEN
from tests.conftest import Desks
from tests.notifier.conftest import shops
from tests.orders.rest_client import place, sale
from tests.serving import serving

__all__ = ["shops"]


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[str]:
    """The address of a service's operators' routes."""
    async with serving(health.application(desk.hub, Watchdog(60))) as url:
        yield url


async def run(*arguments: str) -> int:
    """The exit status of the command, for the time around now."""
    now, span = datetime.now(UTC), timedelta(minutes=1)
    times = ("--from", (now - span).isoformat(), "--to", (now + span).isoformat())
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, ["lost", *arguments, *times])
    return int(ended.value.code or 0)


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
            *("messages", "type"),
            *("2", "orders.order.placed.v1"),
            *("2", "never", "handled", "by", "notifier"),
        ]
        assert await run("count", "orders", "notifier", "--shop", SHOP) == 1
        assert capsys.readouterr().out.split()[-5:] == ["2", "never", "handled", "by", "notifier"]
        assert await run("count", "orders", "notifier", "--shop", "another") == 1
        output = capsys.readouterr()
        assert "never handled" not in output.out
        assert (
            output.err
            == "orders answers 422: orders has sent no message of shop another; check the shop's name\n"
        )
        assert await orders.fetchval("SELECT count(*) FROM msg.dispatch") == 0, "counting sends nothing"
        assert await run("send", "orders", "notifier", "--actor", "ann") == 0
        assert "2 never handled by notifier, 2 sent again" in capsys.readouterr().out
        rows = await orders.fetch("SELECT routing_key, replay_id FROM msg.dispatch")
        assert [tuple(row) for row in rows] == [("notifier.orders", None)] * 2
        assert await orders.fetchval("SELECT actor FROM msg.replay") == "ann"


@pytest.mark.parametrize(
    ("variables", "status", "expected"),
    [
        ({}, 2, "set COMPTOIR_INTERNAL_TOKEN"),
        ({"COMPTOIR_INTERNAL_TOKEN": TOKEN}, 2, "set COMPTOIR_ORDERS_URL"),
        (
            {"COMPTOIR_INTERNAL_TOKEN": TOKEN, "COMPTOIR_ORDERS_URL": "http://127.0.0.1:1"},
            3,
            "orders does not answer (ConnectError)",
        ),
    ],
    ids=["no token", "no address", "nobody there"],
)
async def test_what_can_not_be_requested_is_one_sentence(
    variables: dict[str, str],
    status: int,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("COMPTOIR_INTERNAL_TOKEN", "COMPTOIR_ORDERS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert await run("count", "orders", "notifier") == status
    output = capsys.readouterr()
    assert (output.out, expected in output.err, output.err.count("\n")) == ("", True, 1)


async def test_a_wrong_token_and_a_pair_that_does_not_connect_are_reported(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(await desks("notifier")) as url:
        monkeypatch.setenv("COMPTOIR_NOTIFIER_URL", url)
        monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", "another-token-of-16")
        assert await run("count", "notifier", "orders") == 3
        assert "notifier refuses the token" in capsys.readouterr().err
        monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", TOKEN)
        assert await run("count", "notifier", "payments") == 1
        assert (
            "payments receives no messages from notifier; its consumers are: orders"
            in capsys.readouterr().err
        )


def test_a_replay_of_which_nothing_is_sent_is_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "STALLED_SECONDS", 0.2)
    monkeypatch.setattr(recovery, "POLL_SECONDS", 0.01)
    left = iter(range(30, 0, -1))
    recovery.wait_until_sent(lambda: next(left, 0), "replay")
    with pytest.raises(Failure, match=r"nothing of the replay was sent .* it goes on once the broker"):
        recovery.wait_until_sent(lambda: 7, "replay")
