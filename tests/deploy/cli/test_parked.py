"""`comptoir parked` against a service over HTTP: what strangers wrote shows as signs, all alike are discarded."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from contracts.envelope import uuid7
from deploy.cli.app import main
from deploy.cli.output import emit, table, visible
from services.chassis.http import operator_routes
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.recovery import operations_store
from services.chassis.testing import Desk
from tests.chassis.operators import TOKEN
from tests.conftest import Desks
from tests.deploy.cli.test_lost import served
from tests.notifier.conftest import shops

__all__ = ["shops"]
CLIPBOARD = "\x1b]52;c;aGFjaw==\x07\x9b2J\x7f\r"
SHOWN = "␛]52;c;aGFjaw==␇\\x9b2J␡␍"


@pytest.fixture
async def notifier(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    desk = await desks("notifier")
    monkeypatch.setenv("COMPTOIR_INTERNAL_TOKEN", TOKEN)
    async with served(desk) as url:
        monkeypatch.setenv("COMPTOIR_NOTIFIER_URL", url)
        yield desk


async def park(desk: Desk, *types: str) -> None:
    """Park a message of each type: there is none of it."""
    for type_ in types:
        headers = {
            "cloudEvents_id": str(uuid7()),
            "cloudEvents_source": "/payments",
            "cloudEvents_specversion": "1.0",
            "cloudEvents_type": type_,
            "cloudEvents_time": datetime.now(UTC).isoformat(),
            "x-note": CLIPBOARD,
        }
        await desk.hub.committer.commit([RawMessage("notifier.payments", headers, b'{"sku": 7}')])


async def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, ["parked", *arguments])
    return int(ended.value.code or 0)


def controls(text: str) -> set[str]:
    return {sign for sign in text if sign != "\n" and (sign < " " or "\x7f" <= sign < "\xa0")}


async def test_control_characters_of_a_message_are_shown_as_signs(
    notifier: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(notifier, "payments.moon.eclipsed.v1")
    await notifier.hub.pool.execute(
        "UPDATE msg.parked SET reason = $1, detail = $1, type = $1, fingerprint = $1, body = $2",
        CLIPBOARD,
        json.dumps({"sku": CLIPBOARD}, ensure_ascii=False).encode(),
    )
    row = await notifier.fetchval("SELECT id FROM msg.parked")
    for command in (("list", "notifier"), ("list", "notifier", "--grouped")):
        assert await run(*command) == 0
        output = capsys.readouterr().out
        assert (controls(output), output.count(SHOWN)) == (set(), 3)
    explain = ("explain", "notifier", str(row))
    assert await run(*explain) == 0
    output = capsys.readouterr().out
    assert controls(output) == set()
    assert output.count(SHOWN) == 4
    assert "x-note" not in output
    assert await run(*explain, "--json") == 0
    output = capsys.readouterr().out
    assert (controls(output), output.isascii()) == (set(), True)
    assert json.loads(output)["reason"] == CLIPBOARD


def test_what_is_printed_has_no_control_character(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = "".join(map(chr, range(0xA0)))
    emit({}, False, lambda console: console.print(every))
    emit({}, False, lambda console: console.print(table((every,), [(every,)])))
    assert controls(capsys.readouterr().out) == set()
    assert visible("a\nb\x1b[2J é") == "a\nb␛[2J é"
    assert visible("evil \u202etxt\u2066") == "evil \\u202etxt\\u2066"
    monkeypatch.setattr(sys, "argv", ["comptoir", "--env-file", "/nowhere/\x1b[2J", "status"])
    with pytest.raises(SystemExit):
        main()
    assert "/nowhere/␛[2J" in capsys.readouterr().err


async def test_a_service_that_discards_a_few_at_a_time_is_called_until_none_is_left(
    notifier: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_routes, "MOST_DISCARDED", 2)
    monkeypatch.setattr(operations_store, "MOST_COUNTED", 3)
    moons, suns = ["payments.moon.eclipsed.v1"] * 5, ["payments.sun.eclipsed.v1"] * 3
    await park(notifier, *moons, *suns, *moons)
    fingerprint = await notifier.fetchval("SELECT fingerprint FROM msg.parked ORDER BY id LIMIT 1")
    why = ("--reason", "made up by a test")
    capsys.readouterr()
    assert await run("discard", "notifier", "--fingerprint", fingerprint, *why) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "10 discarded"
    await park(notifier, *moons)
    capsys.readouterr()
    assert await run("discard", "notifier", "--all", *why) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "8 discarded"
    assert await notifier.fetchval("SELECT count(*) FROM msg.parked WHERE state <> 'discarded'") == 0
    assert await run("discard", "notifier", "--all", *why) == 1
