"""A run from nothing to nothing: private servers, a system, a play, the audit, the report; then all is
ended.

Each run has a folder of its own, `var/demo/<time>-<random>`, so that several may run side by side. It is
removed after a good run and kept, with all logs, after a bad one.
"""

import asyncio
import json
import os
import secrets
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from deploy.auditor.auditing import audit
from deploy.auditor.finding import Violation
from deploy.auditor.inputs import Journals
from deploy.demo.closing import show_table, show_wrongs
from deploy.demo.figures import Figures, all_mailed, gather_figures, lost_orders, wrong_mails
from deploy.demo.mail.conversations import Conversations, converse, wrong_conversations
from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.money.disputes import dispute_payments, wrong_disputes
from deploy.demo.money.documents import all_issued, switch_on, wrong_documents
from deploy.demo.money.receipts import wrong_receipts
from deploy.demo.money.reconciliation import wrong_reconciliation
from deploy.demo.play import Play
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.staff import Staff, hire, staff_of
from deploy.demo.standins.providers import Providers
from deploy.local.mailserver import read_journal
from deploy.local.parts import Parts, started_parts
from deploy.local.system import ShopSetup, System
from deploy.samples.merchants import Merchant

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "var" / "demo"


@dataclass(frozen=True)
class Played:
    """A script that was played, on a system that is still running."""

    system: System
    script: Script
    providers: Providers
    staff: Staff


AfterPlay = Callable[[Played], Coroutine[Any, Any, None]]


def run(
    script: Script,
    show: Show,
    runs: Path = RUNS,
    after: AfterPlay | None = None,
    neighbours: Sequence[Merchant] = (),
) -> int:
    """Run the script on servers of its own; the exit status. `after` is awaited before everything is
    ended. `neighbours` have shops on the same system, in which nothing is played.
    """
    folder = new_folder(runs)
    end_on_signals()
    try:
        wrongs = _run_in(folder, script, show, after, neighbours)
    except KeyboardInterrupt:
        show.console.print("stopped; everything is ended")
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets one line and the way to the logs
        wrongs = [f"{type(error).__name__}: {error}"]
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
    if wrongs:
        show_wrongs(show.console, wrongs)
        show.console.print(f"logs and journals: {folder}")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def end_on_signals() -> None:
    """Ctrl-C and SIGTERM both end the run cleanly, even where a shell starts background jobs deaf
    to Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))


def _run_in(
    folder: Path, script: Script, show: Show, after: AfterPlay | None, neighbours: Sequence[Merchant]
) -> list[str]:
    show.step("private PostgreSQL and RabbitMQ are started")
    with started_parts(folder) as parts:
        return asyncio.run(_run_on(parts, folder, script, show, after, neighbours))


async def _run_on(
    parts: Parts,
    folder: Path,
    script: Script,
    show: Show,
    after: AfterPlay | None,
    neighbours: Sequence[Merchant],
) -> list[str]:
    show.step("databases, migrations, topology, mail server and the four services")
    async with (
        started_system(parts, folder, script, neighbours) as system,
        Providers(system, script.merchant.shop, Random()) as providers,
    ):
        staff = staff_of(script.merchant)
        show.step("the owner signs in to the back office and fills in the legal details of invoices")
        await hire(system, script.merchant.shop, staff, staff.people[:1])
        await switch_on(system, script.merchant, script.sales, staff)
        play = Play(system, script, show, providers)
        await play.run()
        disputes, conversations = await _settle(system, script, show, providers, staff)
        show.step("the auditor checks four databases and three journals")
        violations = await _audit(system, play)
        figures = await gather_figures(system, play, disputes, conversations, violations)
        write_report(folder, figures)
        show_table(show.console, figures, show.seconds)
        wrongs = [*play.outcome.wrong, *_wrong_figures(figures, script), *map(str, violations)]
        if after is not None and not wrongs:
            await after(Played(system, script, providers, staff))
        show.step("everything is ended")
    return wrongs


async def _settle(
    system: System, script: Script, show: Show, providers: Providers, staff: Staff
) -> tuple[Counter[str], Conversations]:
    """Let payments be disputed and customers answer, and wait for the last document and mail."""
    shop = script.merchant.shop
    show.step(
        "four customers dispute their payments, by card and by PayPal; one dispute is lost and written off"
    )
    show.step("a customer answers by mail and gets an answer; another is out of office")
    async with MerchantDesk(system.url("orders"), system.secrets.api_tokens[shop]) as desk:
        disputes, conversations = await asyncio.gather(
            dispute_payments(system, script.placed, providers, desk, staff),
            converse(system, shop, script.placed, staff),
        )
    show.step("invoices and credit notes are issued and mailed")
    await all_issued(system, shop, script.placed)
    await all_mailed(system, script)
    return disputes, conversations


def _wrong_figures(figures: Figures, script: Script) -> list[str]:
    return [
        *lost_orders(figures),
        *wrong_mails(figures, script),
        *wrong_receipts(figures.receipts, script.placed),
        *wrong_disputes(figures.disputes, script.placed),
        *wrong_conversations(figures.conversations, script.placed),
        *wrong_reconciliation(figures.reconciled, script.placed),
        *wrong_documents(figures.documents, script.placed),
    ]


@asynccontextmanager
async def started_system(
    parts: Parts, folder: Path, script: Script, neighbours: Sequence[Merchant] = ()
) -> AsyncIterator[System]:
    """The system of the script's one merchant, and of its neighbours."""
    setups = [
        ShopSetup(merchant.profile, [module.value for module in merchant.modules])
        for merchant in (script.merchant, *neighbours)
    ]
    async with System(folder, parts.postgres, parts.rabbitmq, setups) as system:
        yield system


async def _audit(system: System, play: Play) -> list[Violation]:
    def journals() -> Journals:
        return Journals(
            submitted=[
                event_id for storefront in play.storefronts.values() for event_id in storefront.submitted_at
            ],
            accepted_webhooks=[post.event_id for post in play.providers.journal.accepted()],
            mails=[mail.message_id for mail in read_journal(system.mail_journal)],
        )

    return await audit(system.databases, journals)


def new_folder(runs: Path) -> Path:
    """A folder for one run."""
    folder = runs / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"  # noqa: DTZ005 - a person's wall clock
    folder.mkdir(parents=True)
    return folder


def write_report(folder: Path, figures: Figures) -> None:
    """The figures as JSON, in the run's folder and, complete at once, in the place where they are looked
    for.
    """
    text = json.dumps(figures.report(), indent=2, ensure_ascii=False) + "\n"
    own = folder / "report.json"
    own.write_text(text, encoding="utf-8")
    temporary = folder.parent / f".report-{folder.name}.json"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder.parent / "report.json")
