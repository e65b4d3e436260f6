"""The shop that the journeys share for the whole session; when it closes, the auditor checks all of its data."""

import asyncio
import sys
from collections.abc import AsyncIterator, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.system import ShopSetup, System
from deploy.samples.merchants import TRUMPET, YOURS
from tests.journeys.sales import INK, NOTEBOOK, PLENTY
from tests.journeys.shop import Shop
from tests.lives.living import QUICK, SETUP
from tests.lives.timeline import where_everything_stands
from tests.preloading import Preloaded

OTHER = ShopSetup(TRUMPET.profile, [module.value for module in TRUMPET.modules])

READERS = ShopSetup(YOURS.profile, [module.value for module in YOURS.modules])
"""The module that the README's program uses: no other test consumes its answers."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Run journeys of the shared shop in the shop's own event loop."""
    for item in items:
        if "shop" in getattr(item, "fixturenames", ()) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the state of all services to a failed journey's report; after its teardown the shop may be closed."""
    report = yield
    shop = getattr(item, "funcargs", {}).get("shop")
    if report.failed and report.when != "teardown" and isinstance(shop, Shop):
        report.sections.append(("where everything stands", _state(shop.system)))
    return report


def _state(system: System) -> str:
    """Return the state of all services, fetched in a separate event loop, since the shop's belongs to pytest."""
    with ThreadPoolExecutor(1) as aside:
        try:
            return aside.submit(asyncio.run, where_everything_stands(system)).result()
        except (OSError, asyncpg.PostgresError) as error:
            return f"not known: {error!r}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> AsyncIterator[Shop]:
    """Yield Atelier Garance, with plenty of notebooks and ink in stock; the system has two other shops."""
    folder = parts_folder / "journeys"
    mail_folder, (port,) = folder / "mails", free_ports(1)
    mail_folder.mkdir(parents=True)
    mailbox = [sys.executable, "-m", "tests.journeys.mailbox", "--port", str(port)]
    system = System(
        folder,
        postgres,
        rabbitmq,
        [SETUP, OTHER, READERS],
        overrides={service: {**QUICK, "COMPTOIR_LOG_LEVEL": "DEBUG"} for service in SERVICES},
        mail_argv=[*mailbox, "--journal", folder / "mails.jsonl", "--folder", mail_folder],
        smtp_port=port,
        launcher=preloaded,
    )
    async with system, Shop(system, mail_folder) as opened:
        await opened.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})
        yield opened
        found = await opened.violations()
        assert found == [], "\n".join([*map(str, found), await where_everything_stands(system)])
