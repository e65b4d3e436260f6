"""kill -9 at every failpoint of every consumer, relay, effect worker, webhook receiver and request.

In each round every service is armed with one of its failpoints, so up to four processes die in the middle of the same
lives. All orders must reach their end all the same, and the auditor must find nothing. A failpoint that never fired
fails its round: a test of a crash that did not happen shows nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import zip_longest
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES, queues_of
from deploy.local.mailserver import read_journal
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.system import System
from services.chassis.failpoints import NAMES
from services.chassis.testing import wait_until
from tests.lives.living import QUICK, SETUP, History, some_lives
from tests.lives.timeline import where_everything_stands
from tests.preloading import Preloaded

DEATH_SECONDS = 15.0
CONSUMER = ("received", "inbox_written", "before_commit", "after_commit", "before_ack")
RELAY = ("before_confirm", "after_confirm")
UNIT = ("before_commit@unit", "after_commit@unit")
OF_ONE_SERVICE = {
    "orders": UNIT,
    "payments": (*UNIT, "webhook_committed"),
    "fulfillment": (),
    "notifier": (
        *UNIT,
        "effect_in_flight",
        "mail_addressed",
        "mail_introduced",
        "mail_whole",
        "mail_accepted",
    ),
}


def failpoints_of(service: str) -> list[str]:
    """All failpoints a service can be killed at, consumers' ones once per queue."""
    consumers = [f"{point}@{queue}" for queue in queues_of(service) for point in CONSUMER]
    return [*consumers, *RELAY, *OF_ONE_SERVICE[service]]


ROUNDS = [
    {service: point for service, point in zip(SERVICES, points, strict=True) if point}
    for points in zip_longest(*(failpoints_of(service) for service in SERVICES))
]


def _name(armed: dict[str, str]) -> str:
    return " ".join(
        point if "@" in point and "unit" not in point else f"{point}@{s}" for s, point in armed.items()
    )


def test_every_named_failpoint_has_its_turn() -> None:
    tried = {point.partition("@")[0] for armed in ROUNDS for point in armed.values()}
    assert tried == set(NAMES) - {
        "inbound_committed"
    }  # tests/notifier/conversation/test_death_while_receiving.py


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system_and_history(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> AsyncIterator[tuple[System, History]]:
    folder = parts_folder / "kill"
    overrides = dict.fromkeys(SERVICES, QUICK)
    async with System(folder, postgres, rabbitmq, [SETUP], overrides=overrides, launcher=preloaded) as system:
        yield system, History(system)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("armed", ROUNDS, ids=_name)
async def test_a_death_loses_and_doubles_nothing(
    system_and_history: tuple[System, History], armed: dict[str, str]
) -> None:
    system, history = system_and_history
    marks = {
        service: system.folder / f"{service} {point}".replace("/", "_") for service, point in armed.items()
    }
    deaths_before = {service: len(system.supervisor.deaths(service)) for service in armed}
    await asyncio.gather(*(_arm(system, service, point, marks[service]) for service, point in armed.items()))
    outcome = await history.play(some_lives(3))
    assert outcome.wrong == [], await where_everything_stands(system)
    await history.refund(next(iter(outcome.orders)))
    await history.quiet()
    never_fired = [point for service, point in armed.items() if not marks[service].exists()]
    assert never_fired == []
    await asyncio.gather(*(_back_from_death(system, service, deaths_before[service]) for service in armed))
    assert await history.violations() == []
    await _decide_on_uncertain_mails(system)


async def _arm(system: System, service: str, point: str, mark: Path) -> None:
    await system.supervisor.kill(service)
    env = {"COMPTOIR_FAILPOINT": point, "COMPTOIR_FAILPOINT_MARK": str(mark)}
    await system.supervisor.start(system.program(service, **env))


async def _back_from_death(system: System, service: str, deaths_before: int) -> None:
    """A service that marked its failpoint has died, maybe as soon as it started, or is about to: wait until it is
    back."""
    await wait_until(
        lambda: -9 in system.supervisor.deaths(service)[deaths_before:],
        DEATH_SECONDS,
        f"{service} marked its failpoint and lives on",
    )
    await system.supervisor.ready(service)


async def _decide_on_uncertain_mails(system: System) -> None:
    """What a person does: look into the mail server's log, and send again what never got there."""
    accepted = {mail.message_id for mail in read_journal(system.mail_journal)}
    headers = {"Authorization": f"Bearer {system.secrets.internal_token}"}
    async with httpx2.AsyncClient(base_url=system.url("notifier"), headers=headers, trust_env=False) as http:
        for mail in (await http.get("/internal/mails", params={"state": "uncertain"})).json()["mails"]:
            if mail["message_id"] not in accepted:
                assert (
                    await http.post(f"/internal/mails/{mail['id']}/resend")
                ).status_code == httpx2.codes.ACCEPTED
