"""kill -9 of the notifier at every step of sending, against a mail server in every mood, all moods in each round.

Afterwards the server's journal is compared with what the notifier has recorded: no mail is lost, none was
accepted twice, and where nobody can know, the mail is named as uncertain.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES
from deploy.local.mailserver import read_journal
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.system import System
from services.chassis.testing import wait_until
from tests.journeys.mailbox import set_replies
from tests.journeys.sales import INK, NOTEBOOK, PLENTY, a_sale, notebooks
from tests.journeys.shop import Shop
from tests.lives.living import QUICK, SETUP
from tests.preloading import Preloaded

BEHAVIOURS = {
    "accepts": None,
    "refuses": "550 5.1.1 no such user",
    "defers": "451 4.2.1 later",
    "hangs": "hang",
    "dies": "die",
    "keeps and dies": "keep and die",
}
STEPS = (
    "effect_in_flight",
    "mail_addressed",
    "mail_introduced",
    "mail_whole",
    "mail_accepted",
    "before_commit@unit",
)
ENDS = {
    "accepts": {"done", "uncertain"},
    "refuses": {"bounced", "uncertain"},
    "defers": {"done", "uncertain"},
    "hangs": {"uncertain"},
    "dies": {"uncertain"},
    "keeps and dies": {"uncertain"},
}
"""In which states a mail may end by the mood its server had; a death in the middle leaves any of them uncertain."""
DEATH_SECONDS = 20.0
PASSES = (1, 2)
"""At which arrival at the step the process dies: with the first mail, and with another. A round has six mails or more,
but their outcomes may be recorded in two commits."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> AsyncIterator[Shop]:
    folder = parts_folder / "killed-sending"
    mail_folder, (port,) = folder / "mails", free_ports(1)
    mail_folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "tests.journeys.mailbox", "--port", str(port), "--journal"]
    overrides: dict[str, dict[str, str]] = {service: dict(QUICK) for service in SERVICES}
    overrides["notifier"] |= {
        "COMPTOIR_SMTP_TIMEOUT_SECONDS": "1",
        "COMPTOIR_INBOUND_DOMAIN": "courrier.example.org",
    }
    system = System(
        folder,
        postgres,
        rabbitmq,
        [SETUP],
        overrides=overrides,
        mail_argv=[*argv, folder / "mails.jsonl", "--folder", mail_folder],
        smtp_port=port,
        launcher=preloaded,
    )
    async with system, Shop(system, mail_folder) as shop:
        await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})
        yield shop


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("step", STEPS)
async def test_no_mail_is_lost_or_sent_twice(shop: Shop, step: str, passes: int) -> None:
    sales = {behaviour: a_sale(notebooks(2)) for behaviour in BEHAVIOURS}
    set_replies(
        shop.mail_folder, {sales[behaviour].recipient: text for behaviour, text in BEHAVIOURS.items() if text}
    )
    mark = shop.system.folder / f"{step} {passes}"
    before = len(shop.system.supervisor.deaths("notifier"))
    await _arm(shop.system, f"{step}:{passes}", mark)
    await shop.order(*sales.values())
    await _back_from_death(shop.system, before, mark)
    set_replies(
        shop.mail_folder,
        {
            sales[behaviour].recipient: text
            for behaviour, text in BEHAVIOURS.items()
            if text and behaviour != "defers"
        },
    )
    for behaviour, sale in sales.items():
        mails = await _settled(shop, str(sale.event_id))
        accepted = Counter(mail.message_id for mail in read_journal(shop.system.mail_journal))
        assert len(mails) == 2
        for mail in mails:
            _compare(mail, accepted[mail["message_id"]])
            if mail["recipient"] == sale.recipient:
                assert mail["state"] in ENDS[behaviour], (behaviour, mail["state"], mail["detail"])


def _compare(mail: dict[str, Any], accepted: int) -> None:
    """What the notifier has recorded is what the server did; only an uncertain mail may be either."""
    expected = {"done": (1,), "uncertain": (0, 1)}.get(mail["state"], (0,))
    assert accepted in expected, (mail["state"], mail["detail"], accepted)


async def _arm(system: System, point: str, mark: Path) -> None:
    await system.supervisor.kill("notifier")
    env = {"COMPTOIR_FAILPOINT": point, "COMPTOIR_FAILPOINT_MARK": str(mark)}
    await system.supervisor.start(system.program("notifier", **env))


async def _back_from_death(system: System, deaths_before: int, mark: Path) -> None:
    await wait_until(
        lambda: -9 in system.supervisor.deaths("notifier")[deaths_before:] and mark.exists(),
        DEATH_SECONDS,
        "the notifier lives on",
    )
    await system.supervisor.ready("notifier")


async def _settled(shop: Shop, order_id: str) -> list[dict[str, Any]]:
    """The order's mails once none is planned or in flight."""

    async def ended() -> list[dict[str, Any]] | None:
        async with shop.client("notifier") as http:
            mails = (await http.get("/internal/mails", params={"order": order_id})).json()["mails"]
        waiting = [mail for mail in mails if mail["state"] in ("planned", "in_flight")]
        return mails if mails and not waiting else None

    return await shop.until(f"an end of the mails of order {order_id}", ended)
