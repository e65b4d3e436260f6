"""Many mails decided at once: told with their number, each by the command of a single one, if it still needs it.

The notifier that answers is the real one, over real HTTP.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from contracts.notifier import ConfirmMail, ResendMail
from deploy.local.ports import free_ports
from services.chassis.testing import Desk
from services.notifier.api import build_app
from services.notifier.mails.settings import shop_directory
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.mails.pages import PAGE
from tests.backoffice.browser import Backoffice, Browser, Shown
from tests.backoffice.conftest import Backoffices
from tests.conftest import Desks
from tests.notifier.builders import SHOP, an_order
from tests.notifier.conftest import shops

__all__ = ["shops"]


@dataclass(frozen=True)
class House:
    """A back office and the notifier that it asks."""

    backoffice: Backoffice
    notifier: Desk

    async def mails(self, state: str, orders: int = 1) -> list[str]:
        """The ids of the mails of new orders, all of them in a state."""
        for _ in range(orders):
            await self.notifier.deliver(an_order())
        rows = await self.notifier.fetch(
            "UPDATE msg.effect SET state = $1 WHERE state = 'planned' RETURNING key", state
        )
        return [row["key"] for row in rows]

    async def carry_out(self) -> list[Any]:
        """Deliver the commands that staff sent to the notifier."""
        sent = [one for one in self.backoffice.desk.emitted() if isinstance(one[1], ResendMail | ConfirmMail)]
        self.backoffice.desk._units.clear()
        for envelope, command in sent:
            await self.notifier.deliver(command, id=envelope.id)
        return [command for _, command in sent]

    async def states(self) -> dict[str, int]:
        """How many mails stand how."""
        rows = await self.notifier.fetch("SELECT state, count(*) AS n FROM msg.effect GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    async def signed_in(self, role: Role = Role.OWNER, language: str = "en") -> Browser:
        """A browser of a person of the notifier's shop."""
        return await self.backoffice.signed_in(role, SHOP, language)


@pytest.fixture
async def house(backoffices: Backoffices, desks: Desks) -> AsyncIterator[House]:
    shop_directory.cache_clear()
    (port,) = free_ports(1)
    notifier = await desks("notifier")
    config = uvicorn.Config(build_app(notifier.hub), "127.0.0.1", port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield House(await backoffices(notifier_url=f"http://127.0.0.1:{port}"), notifier)
    server.should_exit = True
    await running


async def tell(browser: Browser, path: str, state: str, **fields: Any) -> Shown:
    """Send the list's form with some mails ticked; the page that tells what would be done."""
    form = (await browser.get(f"/mails?state={state}")).form("/mails/resend")
    ticked = [("mail", one) for one in fields.pop("mails", [])]
    return await browser.post(path, [*form.filled(**fields), *ticked])


async def test_ticked_mails_are_told_first_and_sent_again_once(house: House) -> None:
    failed = await house.mails("failed", 2)
    browser = await house.signed_in()
    told = await tell(browser, "/mails/resend", "failed", mails=failed[:3])
    assert (told.status, "Send 3 mails again" in told.words, await house.carry_out()) == (200, True, [])
    form = told.form("/mails/resend").filled()
    for _ in range(2):
        assert (await browser.post("/mails/resend", form)).headers["location"] == "/mails?state=failed"
    commands = await house.carry_out()
    assert {str(one.mail_id) for one in commands} == set(failed[:3])
    assert len(commands) == 3
    assert await house.states() == {"planned": 3, "failed": 1}


async def test_all_that_the_list_shows_goes_beyond_its_page(house: House) -> None:
    await house.mails("failed", PAGE // 2 + 1)
    await house.mails("uncertain")
    browser = await house.signed_in()
    told = await tell(browser, "/mails/resend", "failed", everything="on")
    assert f"Send {PAGE + 2} mails again" in told.words
    await browser.post("/mails/resend", told.form("/mails/resend").filled())
    assert len(await house.carry_out()) == PAGE + 2
    assert await house.states() == {"planned": PAGE + 2, "uncertain": 2}


async def test_uncertain_mails_are_taken_as_arrived(house: House) -> None:
    uncertain = await house.mails("uncertain", 2)
    browser = await house.signed_in(language="fr")
    told = await tell(browser, "/mails/arrived", "uncertain", mails=uncertain)
    assert "Noter 4 courriels comme arrivés" in told.words
    await browser.post("/mails/arrived", told.form("/mails/arrived").filled())
    assert {type(one) for one in await house.carry_out()} == {ConfirmMail}
    assert await house.states() == {"done": 4}
    assert "4 courriels sont notés comme arrivés." in (await browser.get("/mails")).words


async def test_what_somebody_decided_meanwhile_is_left_alone(house: House) -> None:
    failed = await house.mails("failed")
    browser = await house.signed_in()
    told = await tell(browser, "/mails/resend", "failed", mails=failed)
    await house.notifier.fetch("UPDATE msg.effect SET state = 'done' WHERE key = $1 RETURNING 1", failed[0])
    await browser.post("/mails/resend", told.form("/mails/resend").filled())
    assert [str(one.mail_id) for one in await house.carry_out()] == [failed[1]]
    await house.mails("uncertain")
    arrived = await tell(browser, "/mails/arrived", "uncertain", mails=[failed[0], "nonsense"])
    assert arrived.status == 303
    assert "No selected mail still needs this." in (await browser.get("/mails")).words


async def test_another_shops_mails_and_people_without_the_right(house: House) -> None:
    failed = await house.mails("failed")
    stranger = await house.backoffice.signed_in(Role.OWNER, "ailleurs")
    fields = {"key": "0123456789", "state": "failed", "confirmed": "on", "mails": " ".join(failed)}
    await stranger.post("/mails/resend", fields)
    accountant = await house.signed_in(Role.ACCOUNTANT)
    assert "/mails/resend" not in (await accountant.get("/mails?state=failed")).text
    assert (await accountant.post("/mails/resend", fields)).status == 403
    assert await house.carry_out() == []
    done = await house.signed_in()
    assert "/mails/resend" not in (await done.get("/mails")).text
