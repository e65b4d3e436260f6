"""`comptoir effects` against a service over HTTP: what failed is listed and acknowledged with a reason."""

import asyncio
import json

import pytest

from deploy.cli.app import main
from services.chassis.testing import Desk
from tests.deploy.cli.test_parked import notifier, shops

__all__ = ["notifier", "shops"]


async def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, ["effects", *arguments])
    return int(ended.value.code or 0)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line that a command wrote; before it the service, which runs in the same process, has logged."""
    return capsys.readouterr().out.splitlines()[-1]


async def test_failed_effects_are_listed_and_acknowledged(
    notifier: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await notifier.fetch(
        """INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at)
           SELECT key, 'inbound', 'failed', payload, now(), 'unreadable', now(), now()
           FROM (VALUES ('first', '{"shop": "maison"}'::jsonb), ('second', '{}')) AS row (key, payload) RETURNING 1"""
    )
    for shop, keys in (("maison", ["first"]), ("other", [])):
        assert await run("list", "notifier", "--shop", shop, "--json") == 0
        assert [row["key"] for row in json.loads(printed(capsys))["effects"]] == keys
    everyone = ("acknowledge", "notifier", "--kind", "inbound", "--reason", "r")
    assert await run(*everyone, "--shop", "other") == 1
    capsys.readouterr()
    for command in (("list", "notifier"), everyone):
        assert await run(*command, "--shop", "") == 2
        assert "the shop is empty" in capsys.readouterr().err
    assert await run("list", "notifier") == 0
    output = capsys.readouterr().out
    assert all(word in output for word in ("inbound", "first", "second", "maison", "unreadable"))
    assert await run("acknowledge", "notifier", "first", "--kind", "inbound", "--reason", "r") == 2
    assert "give either the KEY" in capsys.readouterr().err
    named = ("--reason", "an advertisement", "--actor", "ada")
    assert await run("acknowledge", "notifier", "first", "--reason", "é" * 201) == 1
    assert "the reason has 201 characters; give at most 200" in capsys.readouterr().err
    assert await run("acknowledge", "notifier", "first", *named) == 0
    assert printed(capsys) == "1 acknowledged"
    assert await run("acknowledge", "notifier", "first", *named) == 1
    assert printed(capsys) == "nothing acknowledged: it was already"
    assert await run("acknowledge", "notifier", "third", *named) == 1
    assert printed(capsys) == "nothing acknowledged: there is no such failed effect"
    assert await run("acknowledge", "notifier", "--kind", "inbound", *named, "--json") == 0
    assert json.loads(printed(capsys)) == {"service": "notifier", "acknowledged": 1}
    assert await run("list", "notifier") == 0
    assert capsys.readouterr().out == "no failed effects\n"
    assert await run("list", "notifier", "--acknowledged", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["effects"]
    assert {(row["key"], row["acknowledged_by"], row["acknowledgement"]) for row in rows} == {
        ("first", "ada", "an advertisement"),
        ("second", "ada", "an advertisement"),
    }
    await notifier.fetch(
        """INSERT INTO msg.effect (key, kind, state, payload, next_at, created_at, updated_at)
           SELECT n::text, 'inbound', 'failed', '{}', now(), now(), now()
           FROM generate_series(1, 501) AS n RETURNING 1"""
    )
    assert await run("list", "notifier") == 0
    assert printed(capsys) == "notifier: the latest 500 of 501"


PERIOD = ("--from", "2026-11-28T08:00Z", "--to", "2026-11-29T08:00Z")
OF_SHOP = (
    ("effects", "list"),
    ("effects", "acknowledge", "orders", "--kind", "mail", "--reason", "r"),
    ("replay", "orders", "notifier", *PERIOD),
    ("lost", "count", "orders", "notifier", *PERIOD),
    ("lost", "send", "orders", "notifier", *PERIOD),
    ("resync", "orders", "notifier"),
    ("parked", "list"),
    ("parked", "retry", "orders", "--all"),
    ("parked", "discard", "orders", "--all", "--reason", "r"),
    ("erase", "--order", "K7F3-QD9M", "--reason", "r"),
    ("verify", "books"),
)


@pytest.mark.parametrize("command", OF_SHOP, ids=" ".join)
def test_an_empty_shop_never_means_all(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--shop", ""])
    assert ended.value.code == 2
    assert "the shop is empty" in capsys.readouterr().err
