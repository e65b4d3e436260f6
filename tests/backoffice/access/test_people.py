"""People let in from the command line, their invitations, and the last owner."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.orders.backoffice.access import passwords, staff
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import ORIGIN, PASSWORD, SHOP, Backoffice
from tests.quick import STRONG_HASHER

ROOT = Path(__file__).resolve().parents[3]
LOGIN = "camille@maison.example"


async def _run(backoffice: Backoffice, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    settings = backoffice.app_state.settings
    env = {name: value for name, value in os.environ.items() if not name.startswith("COMPTOIR_")}
    env |= {
        "COMPTOIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "COMPTOIR_AMQP_URL": "amqp://127.0.0.1:1/",
        "COMPTOIR_INTERNAL_TOKEN": "a-token-for-tests-only",
        "COMPTOIR_HTTP_PORT": "0",
        "COMPTOIR_BACKOFFICE_ORIGIN": ORIGIN,
    }
    command = [sys.executable, "-m", "services.orders.backoffice", *arguments]
    return await asyncio.to_thread(
        lambda: subprocess.run(
            command, cwd=ROOT, env=env, input=stdin, text=True, capture_output=True, timeout=60, check=False
        )
    )


async def test_the_first_owner_chooses_a_password_with_a_link(backoffice: Backoffice) -> None:
    invited = await _run(backoffice, "invite-owner", "--shop", SHOP, "--login", LOGIN, "--name", "Camille")
    assert invited.returncode == 0, invited.stderr
    path = invited.stdout.strip().removeprefix(ORIGIN)
    token = path.removeprefix("/invitation/")
    (row,) = await backoffice.desk.fetch("select token_hash from staff_invitation")
    assert token.encode() not in row["token_hash"]
    browser = backoffice.browser()
    page = await browser.get(path)
    assert "Welcome, Camille" in page.words
    chosen = {"password": PASSWORD, "password-again": PASSWORD}
    assert (await browser.post(path, {**chosen, "password-again": "another one"})).status == 422
    assert (await browser.post(path, {"password": "short", "password-again": "short"})).status == 422
    assert (await browser.sign_in(LOGIN)).status == 422
    assert (await browser.post(path, chosen)).headers["location"] == "/sign-in"
    assert (await browser.post(path, chosen)).status == 404, "it works once"
    assert (await browser.sign_in(LOGIN.upper())).status == 303
    assert "Owner" in (await browser.get("/account")).words


async def test_a_later_invitation_replaces_the_earlier_one(backoffice: Backoffice) -> None:
    links = [
        (await _run(backoffice, "invite-owner", "--shop", SHOP, "--login", LOGIN)).stdout.strip()
        for _ in range(2)
    ]
    browser = backoffice.browser()
    assert [(await browser.get(link.removeprefix(ORIGIN))).status for link in links] == [404, 200]
    await backoffice.desk.hub.pool.execute("update staff_invitation set expires_at = now()")
    assert (await browser.get(links[1].removeprefix(ORIGIN))).status == 404
    other = await _run(backoffice, "invite-owner", "--shop", "atelier", "--login", LOGIN)
    assert other.returncode == 1
    assert "is already in use" in other.stderr


async def test_staff_are_added_with_a_password_that_is_in_no_list_of_processes(
    backoffice: Backoffice,
) -> None:
    added = await _run(
        backoffice,
        "add-staff",
        "--shop",
        SHOP,
        "--login",
        LOGIN,
        "--role",
        "accountant",
        stdin=f"{PASSWORD}\n",
    )
    assert added.returncode == 0, added.stderr
    browser = backoffice.browser()
    assert (await browser.sign_in(LOGIN)).status == 303
    assert "Accountant" in (await browser.get("/account")).words
    weak = await _run(backoffice, "add-staff", "--shop", SHOP, "--login", "x@y.example", stdin="123\n")
    assert weak.returncode == 1
    assert "at least 12" in weak.stderr
    wrong = await _run(backoffice, "add-staff", "--shop", SHOP, "--login", "nobody", stdin=f"{PASSWORD}\n")
    assert "is not a mail address" in wrong.stderr


async def test_a_shop_keeps_its_last_owner(backoffice: Backoffice) -> None:
    await backoffice.hire(Role.OWNER, login="one@maison.example")
    await backoffice.hire(Role.MANAGER, login="two@maison.example")
    rows = await backoffice.desk.fetch("select staff_id from staff order by login")
    one, two = (row["staff_id"] for row in rows)
    with pytest.raises(staff.LastOwner):
        async with backoffice.desk.unit() as unit:
            await staff.give_role(unit.connection, SHOP, one, Role.MANAGER)
    with pytest.raises(staff.LastOwner):
        async with backoffice.desk.unit() as unit:
            await staff.disable(unit.connection, SHOP, one)
    async with backoffice.desk.unit() as unit:
        await staff.give_role(unit.connection, SHOP, two, Role.OWNER)
        await staff.disable(unit.connection, SHOP, one)
    assert (await backoffice.browser().sign_in("one@maison.example")).status == 422
    assert (await backoffice.browser().sign_in("two@maison.example")).status == 303


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaaa", "x" * 201, "camille@maison.example", "12camille@maison.example"]
)
def test_passwords_that_are_easy_to_guess_are_refused(password: str) -> None:
    assert passwords.objection(password, LOGIN) is not None


def test_several_words_are_a_password() -> None:
    assert passwords.objection("quatre mots sans rapport", LOGIN) is None


def test_a_password_costs_64_mib_and_three_rounds_in_production() -> None:
    """Tests hash with less."""
    assert STRONG_HASHER.hash("quatre mots sans rapport").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
