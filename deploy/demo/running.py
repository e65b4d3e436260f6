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
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from deploy.auditor.auditing import audit
from deploy.auditor.finding import Violation
from deploy.auditor.ground import Journals
from deploy.demo.closing import show_table, show_wrongs
from deploy.demo.figures import Figures, gather_figures, lost_orders, wrong_mails
from deploy.demo.play import Play
from deploy.demo.sales.merchant import Merchant
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.standins.provider import Journal, Provider
from deploy.demo.standins.stripe_api import StripeApi
from deploy.local.mailserver import read_journal
from deploy.local.parts import Parts, started_parts
from deploy.local.system import ShopSetup, System

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "var" / "demo"

AfterPlay = Callable[[System, Script], Coroutine[Any, Any, None]]


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
    """Ctrl-C and SIGTERM both end the run in good order, even where a shell starts background jobs deaf
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
    async with started_system(parts, folder, script, neighbours) as system:
        play = Play(system, script, show)
        await play.run()
        show.step("the auditor looks at four databases and three journals")
        violations = await _audit(system, play)
        figures = await gather_figures(system, play, violations)
        write_report(folder, figures)
        show_table(show.console, figures, show.seconds)
        counts = [*lost_orders(figures), *wrong_mails(figures, script)]
        wrongs = [*play.outcome.wrong, *counts, *map(str, violations)]
        if after is not None and not wrongs:
            await after(system, script)
        show.step("everything is ended")
    return wrongs


@asynccontextmanager
async def started_system(
    parts: Parts, folder: Path, script: Script, neighbours: Sequence[Merchant] = ()
) -> AsyncIterator[System]:
    """The system of the script's one merchant, and of its neighbours."""
    setups = [
        ShopSetup(merchant.profile, [module.value for module in merchant.modules])
        for merchant in (script.merchant, *neighbours)
    ]
    async with (
        System(folder, parts.postgres, parts.rabbitmq, setups) as system,
        provider_api(system, script.merchant.shop),
    ):
        yield system


@asynccontextmanager
async def provider_api(system: System, shop: str) -> AsyncIterator[StripeApi]:
    """The provider's API for refunds that are sent, as long as the system lives."""
    journal = Journal(system.folder / "webhooks.jsonl")
    provider = Provider(system.webhook_url(shop), system.secrets.stripe_secret, journal, Random())

    async def tell(body: bytes) -> None:
        await provider.deliver(body, "refund")

    try:
        async with StripeApi(system.provider_port, system.secrets.stripe_key, tell) as api:
            yield api
    finally:
        await provider.close()


async def _audit(system: System, play: Play) -> list[Violation]:
    def journals() -> Journals:
        return Journals(
            submitted=[
                event_id for storefront in play.storefronts.values() for event_id in storefront.submitted_at
            ],
            accepted_webhooks=[post.event_id for post in play.journal.accepted()],
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
    beside = folder.parent / f".report-{folder.name}.json"
    beside.write_text(text, encoding="utf-8")
    beside.replace(folder.parent / "report.json")
