"""Faults of mails: a server that dies, refuses or is not there, and a pause; each ends as its runbook says."""

import time
from typing import Any

import asyncpg
import pytest

from deploy.local.ports import free_ports
from deploy.local.prometheus.watching import Watch
from services.chassis.testing import wait_until
from tests.journeys.mailbox import set_replies
from tests.journeys.sales import INK, NOTEBOOK, PLENTY, a_sale
from tests.journeys.shop import Shop
from tests.prometheus import query
from tests.watching.following import follow
from tests.watching.operating import Staff
from tests.watching.provoking import (
    PATIENCE_SECONDS,
    comptoir,
    is_silent,
    wait_until_fire,
    wait_until_silent,
)

MISSPELT = 7
UNKNOWN, UNWANTED = "550 5.1.1 no such user", "550 5.7.1 blocked using a block list of example.org"
FAILED = 'comptoir_effects_total{kind="mail", outcome="failed"}'
"""A counter whose first value was seen: only what is counted later is an increase."""
PAUSE = ["pause", "notifier", "--reason", "upgrade", "--only", "effects"]
DUE_SECONDS = 15
"""Mails that are due for so long raise the alert of the shortened rules, unless they are paused."""


@pytest.mark.timeout(400)
@pytest.mark.runbook("mail-uncertain.md", "mails-failing.md", "sender-refused.md")
async def test_mails_without_an_answer_and_refused_ones_are_seen_and_sent_again(watch: Watch) -> None:
    system = watch.system
    doubtful, unwanted, *misspelt = [a_sale() for _ in range(2 + MISSPELT)]
    replies = {sale.recipient: UNKNOWN for sale in misspelt}
    set_replies(system.mail_folder, {**replies, doubtful.recipient: "die", unwanted.recipient: UNWANTED})
    async with Shop(system, system.mail_folder) as shop, Staff(system) as staff:
        await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})
        await wait_until(lambda: query(watch.prometheus_url, FAILED), PATIENCE_SECONDS)
        began = time.time()
        await shop.order(doubtful, unwanted, *misspelt)
        await wait_until_fire(
            watch,
            ("ComptoirMailUncertain", 'service="notifier"'),
            ("ComptoirSenderRefused", ""),
            ("ComptoirMailsFailing", ""),
            since=began,
        )
        status, output = await follow(watch, "mails-failing.md", "comptoir status notifier")
        assert status == 0, output
        await staff.open("/mails?state=uncertain", "To check", doubtful.recipient)
        await staff.open("/mails?state=bounced", "Bounced", misspelt[0].recipient)
        await staff.open(f"/mails/{await _mail_to(shop, misspelt[0].recipient)}", UNKNOWN)

        right = a_sale().recipient
        await shop.change(str(misspelt[0].event_id), content={"customer": {"email": right}})
        set_replies(system.mail_folder, {})
        await staff.decide_mails("/mails/resend", "uncertain", await _mail_to(shop, doubtful.recipient))
        refused = [await _mail_to(shop, sale.recipient) for sale in (unwanted, misspelt[0])]
        await staff.decide_mails("/mails/resend", "bounced", *refused)
        for recipient in (doubtful.recipient, unwanted.recipient, right):
            assert len(await shop.mails_to(recipient)) == 1
        await wait_until_silent(watch, "ComptoirMailUncertain", "ComptoirMailsFailing", "ComptoirAuditor")
        await _let_a_day_pass(watch)
        await wait_until_silent(watch, "ComptoirSenderRefused")


@pytest.mark.timeout(400)
@pytest.mark.runbook("mails-failing.md", "paused.md")
async def test_a_mail_server_that_is_not_there_is_seen_and_a_pause_is_no_fault(watch: Watch) -> None:
    system, [nobody] = watch.system, free_ports(1)
    async with Shop(system, system.mail_folder) as shop:
        await system.supervisor.stop("notifier")
        await system.supervisor.start(system.program("notifier", COMPTOIR_SMTP_PORT=str(nobody)))
        try:
            waiting = [a_sale() for _ in range(2)]
            await shop.order(*waiting)
            await wait_until_fire(watch, ("ComptoirMailsWaiting", ""))
            status, output = await follow(watch, "mails-failing.md", "comptoir status notifier")
            assert status == 0, output
            lines = system.supervisor.log("notifier").read_text().splitlines()
            assert [line for line in lines if "mail server can't be used" in line and f":{nobody}" in line]
        finally:
            await system.supervisor.stop("notifier")
            await system.start("notifier")
        for sale in waiting:
            await shop.mails_to(sale.recipient)
        await wait_until_silent(watch, "ComptoirMailsWaiting", "ComptoirDown")

        status, output = await comptoir(watch, *PAUSE)
        assert status == 0, output
        late = a_sale()
        await shop.order(late)
        await wait_until_fire(watch, ("ComptoirPaused", 'service="notifier",what="effects"'))
        await wait_until(lambda: _are_due(watch), PATIENCE_SECONDS)
        assert await is_silent(watch, "ComptoirMailsWaiting")
        status, output = await follow(watch, "paused.md", "comptoir status")
        assert (status, "upgrade" in output) == (0, True), output
        for line in ("comptoir resume notifier", "comptoir drain notifier --timeout 600"):
            status, output = await follow(watch, "paused.md", line)
            assert status == 0, output
        await shop.mails_to(late.recipient)
        await wait_until_silent(watch, "ComptoirPaused", "ComptoirMailsWaiting", "ComptoirAuditor")


async def _mail_to(shop: Shop, recipient: str) -> str:
    """Return the id of the only mail to a recipient."""
    async with shop.client("notifier") as http:
        answer = await http.get("/internal/mails", params={"text": recipient, "shop": shop.name})
    [mail] = answer.json()["mails"]
    return str(mail["id"])


async def _let_a_day_pass(watch: Watch) -> None:
    """Move the last refusal of a shop's mails a day back."""
    connection: Any = await asyncpg.connect(watch.system.databases["notifier"])
    try:
        await connection.execute("UPDATE reputation_alarm SET last_at = last_at - interval '25 hours'")
    finally:
        await connection.close()


async def _are_due(watch: Watch) -> bool:
    found = await query(watch.prometheus_url, 'max(comptoir_effect_due_seconds{kind="mail"})')
    return bool(found) and found[0][1] > DUE_SECONDS
