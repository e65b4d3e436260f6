"""Many mails decided at once: told with their number, each by the command of a single one, if it still needs it.

The notifier that answers is the real one, over real HTTP.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from contracts.notifier.mails import ConfirmMail, ResendMail
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
from tests.serving import serving

__all__ = ["shops"]


@dataclass(frozen=True)
class Systems:
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
async def systems(backoffices: Backoffices, desks: Desks) -> AsyncIterator[Systems]:
    shop_directory.cache_clear()
    notifier = await desks("notifier")
    async with serving(build_app(notifier.hub)) as url:
        yield Systems(await backoffices(notifier_url=url), notifier)


async def submit_form(browser: Browser, path: str, state: str, **fields: Any) -> Shown:
    """Send the list's form with some mails ticked, and return the preview."""
    form = (await browser.get(f"/mails?state={state}")).form("/mails/resend")
    ticked = [("mail", one) for one in fields.pop("mails", [])]
    return await browser.post(path, [*form.filled(**fields), *ticked])


async def test_ticked_mails_are_previewed_and_sent_again_once(systems: Systems) -> None:
    failed = await systems.mails("failed", 2)
    browser = await systems.signed_in()
    shown = await submit_form(browser, "/mails/resend", "failed", mails=failed[:3])
    assert (shown.status, "Send 3 mails again" in shown.words, await systems.carry_out()) == (200, True, [])
    form = shown.form("/mails/resend").filled()
    for _ in range(2):
        assert (await browser.post("/mails/resend", form)).headers["location"] == "/mails?state=failed"
    commands = await systems.carry_out()
    assert {str(one.mail_id) for one in commands} == set(failed[:3])
    assert len(commands) == 3
    assert await systems.states() == {"planned": 3, "failed": 1}


async def test_all_that_the_list_shows_goes_beyond_its_page(systems: Systems) -> None:
    await systems.mails("failed", PAGE // 2 + 1)
    await systems.mails("uncertain")
    browser = await systems.signed_in()
    shown = await submit_form(browser, "/mails/resend", "failed", everything="on")
    assert f"Send {PAGE + 2} mails again" in shown.words
    await browser.post("/mails/resend", shown.form("/mails/resend").filled())
    assert len(await systems.carry_out()) == PAGE + 2
    assert await systems.states() == {"planned": PAGE + 2, "uncertain": 2}


async def test_uncertain_mails_are_taken_as_arrived(systems: Systems) -> None:
    uncertain = await systems.mails("uncertain", 2)
    browser = await systems.signed_in(language="fr")
    shown = await submit_form(browser, "/mails/arrived", "uncertain", mails=uncertain)
    assert "Noter 4 courriels comme arrivés" in shown.words
    await browser.post("/mails/arrived", shown.form("/mails/arrived").filled())
    assert {type(one) for one in await systems.carry_out()} == {ConfirmMail}
    assert await systems.states() == {"done": 4}
    assert "4 courriels sont notés comme arrivés." in (await browser.get("/mails")).words


async def test_what_somebody_decided_meanwhile_is_left_alone(systems: Systems) -> None:
    failed = await systems.mails("failed")
    browser = await systems.signed_in()
    shown = await submit_form(browser, "/mails/resend", "failed", mails=failed)
    await systems.notifier.fetch("UPDATE msg.effect SET state = 'done' WHERE key = $1 RETURNING 1", failed[0])
    await browser.post("/mails/resend", shown.form("/mails/resend").filled())
    assert [str(one.mail_id) for one in await systems.carry_out()] == [failed[1]]
    await systems.mails("uncertain")
    arrived = await submit_form(browser, "/mails/arrived", "uncertain", mails=[failed[0], "nonsense"])
    assert arrived.status == 303
    assert "None of the selected mails need this any more." in (await browser.get("/mails")).words


async def test_a_withdrawn_mail_is_no_failure_and_gives_the_reason(systems: Systems) -> None:
    """As the notifier's sender ends it: see `tests/notifier/mails/test_abandoned_checkouts.py`."""
    placed, late = await systems.mails("discarded")
    await systems.notifier.fetch(
        """INSERT INTO mail_end (mail_id, state, kind, at)
           SELECT id, 'withdrawn', CASE WHEN id::text = $1 THEN 'placed' ELSE 'late' END, created_at FROM mail
           RETURNING mail_id""",
        placed,
    )
    browser = await systems.signed_in()
    listed = await browser.get("/mails?state=withdrawn")
    assert "The reminder was not sent: the order was placed in the meantime." in listed.words
    assert listed.text.count('class="corner"') == 2
    for state in ("failed", "discarded"):
        assert "No matching mails" in (await browser.get(f"/mails?state={state}")).words
    shown = await browser.get(f"/mails/{placed}")
    assert ("No longer needed" in shown.words, "Send again" in shown.words) == (True, False)
    assert "Send again" in (await browser.get(f"/mails/{late}")).words
    french = await systems.signed_in(language="fr")
    assert "Devenu inutile" in (await french.get("/mails?state=withdrawn")).words


async def test_another_shops_mails_and_people_without_the_right(systems: Systems) -> None:
    failed = await systems.mails("failed")
    stranger = await systems.backoffice.signed_in(Role.OWNER, "ailleurs")
    fields = {"key": "0123456789", "state": "failed", "confirmed": "on", "mails": " ".join(failed)}
    await stranger.post("/mails/resend", fields)
    accountant = await systems.signed_in(Role.ACCOUNTANT)
    assert "/mails/resend" not in (await accountant.get("/mails?state=failed")).text
    assert (await accountant.post("/mails/resend", fields)).status == 403
    assert await systems.carry_out() == []
    done = await systems.signed_in()
    assert "/mails/resend" not in (await done.get("/mails")).text
