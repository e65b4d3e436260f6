"""A small real life to audit: a dozen sales of the demo, played on a running system, then kept as
databases.

The services have stopped when the tests look at it, so each test may plant what it likes in a transaction
of its own and take it back.
"""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg
import pytest

from contracts.sale import LineKind, Module
from deploy.auditor.inputs import Journals
from deploy.demo.play import Play
from deploy.demo.sales.orders import demo_sales, demo_stock
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.standins.providers import Providers
from deploy.local.mailserver import read_journal
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.spawning import Launcher
from deploy.local.system import PROGRAMS, ShopSetup, System
from deploy.samples.merchants import GARANCE
from tests.preloading import Preloaded


@dataclass(frozen=True)
class Life:
    """Databases of a life that is over, by service, with the journals kept beside it."""

    urls: dict[str, str]
    journals: Journals
    script: Script


@pytest.fixture(scope="session")
def life(preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ, parts_folder: Path) -> Iterator[Life]:
    """Played once for all tests of the session."""
    lived = asyncio.run(live(postgres, rabbitmq, parts_folder / f"life-{secrets.token_hex(3)}", preloaded))
    yield lived
    asyncio.run(forget(postgres, lived))


async def live(postgres: Postgres, rabbitmq: RabbitMQ, folder: Path, launcher: Launcher) -> Life:
    """Play a short script to its end and keep copies of the databases."""
    script = Script(GARANCE, demo_stock(), chosen_sales())
    setup = ShopSetup(GARANCE.profile, [module.value for module in GARANCE.modules])
    async with System(folder, postgres, rabbitmq, [setup], launcher=launcher) as system:
        async with Providers(system, GARANCE.shop, Random()) as providers:
            outcome = await Play(system, script, Show(), providers).run()
        assert outcome.wrong == []
        for service in reversed(PROGRAMS):
            await system.supervisor.stop(service)
        journals = Journals(
            submitted=[sale.event_id for sale in script.sales],
            accepted_webhooks=[post.event_id for post in providers.journal.accepted()],
            mails=[mail.message_id for mail in read_journal(system.mail_journal)],
        )
        return Life(await _keep(postgres, system.databases), journals, script)


def chosen_sales() -> list[Sale]:
    """A few of every kind, and all mistakes with the sales they refer to."""
    sales = demo_sales()
    placed = [sale for sale in sales if sale.is_placed]
    wanted = {sale.repeats for sale in sales} | {
        _first_with_key_of(sales, sale) for sale in sales if sale.refusals
    }
    wanted |= {
        next(sale.event_id for sale in placed if sale.story.online is story)
        for story in OnlineStory
        if story is not OnlineStory.LOST
    }
    wanted |= {next(sale.event_id for sale in placed if sale.module == module) for module in Module}
    for parcels, dispatches in ((2, 2), (2, 1), (1, 1), (1, 0), (0, 0)):
        stories = (
            sale
            for sale in placed
            if sale.ordered(LineKind.SHIP)
            and (len(sale.story.parcels), len(sale.story.dispatches)) == (parcels, dispatches)
        )
        wanted |= {sale.event_id for sale in list(stories)[:3]}
    wanted |= {sale.event_id for sale in [sale for sale in placed if sale.story.receipts][:3]}
    return [sale for sale in sales if not sale.is_placed or sale.event_id in wanted]


def _first_with_key_of(sales: list[Sale], sale: Sale) -> object:
    key = sale.submission.idempotency_key
    return next(one.event_id for one in sales if one.submission.idempotency_key == key)


async def _keep(postgres: Postgres, databases: dict[str, str]) -> dict[str, str]:
    admin = await asyncpg.connect(postgres.admin_url)
    urls = {}
    for service, url in databases.items():
        original, copy = url.rpartition("/")[2], f"life_{service}_{secrets.token_hex(4)}"
        await admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
        urls[service] = postgres.admin_url.rpartition("/")[0] + f"/{copy}"
        await _take_over(urls[service], role=original)
    await admin.close()
    return urls


async def _take_over(url: str, role: str) -> None:
    """The copy must not depend on a role that ends with the system."""
    connection = await asyncpg.connect(url)
    await connection.execute(f'REASSIGN OWNED BY "{role}" TO CURRENT_USER; DROP OWNED BY "{role}"')
    await connection.close()


async def forget(postgres: Postgres, lived: Life) -> None:
    """Drop the copies."""
    admin = await asyncpg.connect(postgres.admin_url)
    for url in lived.urls.values():
        await admin.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')
    await admin.close()
