"""A hub, and a Prometheus that watches it."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES
from deploy.local.parts import Postgres, start_rabbitmq
from deploy.local.ports import free_ports
from deploy.local.prometheus.watching import Watch
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.system import System
from tests.lives.living import QUICK, SETUP
from tests.preloading import Preloaded

QUICKER = {
    "_interval: 15s": "_interval: 1s",
    **dict.fromkeys(
        ("for: 1m", "for: 2m", "for: 5m", "for: 10m", "for: 15m", "for: 30m", "for: 2h"), "for: 2s"
    ),
    "> 3600": "> 3",
    "> 300": "> 10",
    "> 60": "> 3",
    "> 30\n": "> 3\n",
    'process_start_time_seconds{job="comptoir"}[15m]': 'process_start_time_seconds{job="comptoir"}[90s]',
    "comptoir_worker_errors_total[15m]": "comptoir_worker_errors_total[40s]",
    "[5m]": "[12s]",
    "[10m]": "[6s]",
    "offset 11m": "offset 13s",
    "[15m]": "[15s]",
    "[30m]": "[15s]",
    "[1h]": "[15s]",
    "[6h]": "[10s]",
    "offset 1d": "offset 10s",
    "offset 7d": "offset 20s",
    "[24h]": "[15s]",
    "24 * 3600": "1 * 600",
    "offset 1h": "offset 10s",
}
"""The committed configuration with less patience, so that a test need not wait for minutes: durations, and thresholds
of ages, all in seconds. RabbitMQ counts the messages of a queue every five seconds, and workers pause up to ten."""


@pytest.fixture(scope="session")
def broker(parts_folder: Path) -> Iterator[PrivateRabbitMQ]:
    """A broker that tests may stop and starve: private even where another is named by the environment."""
    broker = start_rabbitmq(parts_folder / "watched-rabbitmq", {}, is_durable=False)
    assert isinstance(broker, PrivateRabbitMQ)
    yield broker
    broker.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def watch(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, broker: PrivateRabbitMQ
) -> AsyncIterator[Watch]:
    """Prometheus and Alertmanager beside a hub with its auditor; `watch.system` is the hub."""
    folder, [port] = parts_folder / "watching", free_ports(1)
    mailbox = [sys.executable, "-m", "tests.journeys.mailbox", "--port", str(port)]
    system = System(
        folder,
        postgres,
        broker,
        [SETUP],
        overrides=dict.fromkeys(SERVICES, QUICK),
        mail_argv=[*mailbox, "--journal", folder / "mails.jsonl", "--folder", folder / "mails"],
        smtp_port=port,
        launcher=preloaded,
    )
    async with system:
        await system.start_auditor(1.0)
        watch = Watch(system, QUICKER)
        await watch.start()
        yield watch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the running hub run in its own event loop."""
    for item in items:
        if "watch" in getattr(item, "fixturenames", ()) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
