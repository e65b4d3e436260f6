"""The services as FastStream's users start them: `faststream run services.<name>.app:app`, as real processes."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES, queues_of
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.supervisor import Program
from deploy.local.system import PROGRAMS, ROOT, System
from services.chassis.testing import wait_until
from tests.lives.living import SETUP, History, some_lives

RUN = [sys.executable, "-m", "faststream", "run"]
DEADLINE_SECONDS = 60.0


@pytest_asyncio.fixture
async def system(parts_folder: Path, postgres: Postgres, rabbitmq: RabbitMQ) -> AsyncIterator[System]:
    """Yield databases, topology and a mail server; the test starts the services."""
    made = System(parts_folder / "faststream", postgres, rabbitmq, [SETUP])
    await made.supervisor.__aenter__()
    try:
        await made.prepare()
        await made.start_mail_server()
        yield made
    finally:
        await made.__aexit__(None, None, None)


def run_by_faststream(program: Program, *options: str) -> Program:
    """Return the same program, with the same settings, run by FastStream's command line."""
    argv = [*RUN, f"{program.argv[-1]}.app:app", *options]
    return replace(program, argv=argv, env={**program.env, "COMPTOIR_LOG_LEVEL": "INFO"})


@pytest.mark.timeout(300)
async def test_every_service_handles_its_part_of_whole_lives_and_stops_on_sigterm(system: System) -> None:
    """Submission, payment, stock, parcel and mails: each service handles messages of the others and emits its own."""
    await system.supervisor.start(*(run_by_faststream(system.program(name)) for name in PROGRAMS))
    history = History(system)
    outcome = await history.play(some_lives(3))
    assert outcome.wrong == []
    assert len(outcome.orders) == 3
    assert await history.violations() == []
    for name in PROGRAMS:
        await system.supervisor.stop(name)
        assert (system.supervisor.exited(name), system.supervisor.deaths(name)) == (0, []), name
        assert '"event": "stopped"' in system.supervisor.log_tail(name)
    for service in SERVICES:
        assert await left_in_queues(system, service) == dict.fromkeys(queues_of(service), (0, 0))


async def left_in_queues(system: System, service: str) -> dict[str, tuple[int, int]]:
    """Return the ready messages and the consumers of each queue of a service. Unacknowledged messages are ready
    again.
    """
    found: dict[str, tuple[int, int]] = {}
    async with await aio_pika.connect(system.amqp_url(service)) as connection:
        channel = await connection.channel()
        for name in queues_of(service):
            declared = (await channel.declare_queue(name, passive=True)).declaration_result
            found[name] = declared.message_count or 0, declared.consumer_count or 0
    return found


@pytest.mark.timeout(120)
async def test_two_workers_share_the_queues_and_each_serves_on_its_own_port(system: System) -> None:
    program = system.program("fulfillment")
    first, second = two_ports_in_a_row()
    program = replace(
        program,
        env={**program.env, "COMPTOIR_HTTP_PORT": str(first)},
        ready_url=f"http://127.0.0.1:{second}/readyz",
    )
    await system.supervisor.start(run_by_faststream(program, "--workers", "2"))

    async def both_consume() -> bool:
        return set((await left_in_queues(system, "fulfillment")).values()) == {(0, 2)}

    await wait_until(both_consume)
    await system.supervisor.stop("fulfillment")
    assert system.supervisor.exited("fulfillment") == 0


def two_ports_in_a_row() -> tuple[int, int]:
    """Return two consecutive free ports."""
    while True:
        [first] = free_ports(1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", first + 1))
            except OSError:
                continue
        return first, first + 1


def ended(cwd: Path, *arguments: str) -> tuple[int, str]:
    """Return exit status and output of FastStream's command line without any settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMPTOIR_")}
    done = subprocess.run(
        [*RUN, *arguments],
        cwd=cwd,
        env={**inherited, "FASTSTREAM_CLI_RICH_MODE": "none", "TERMINAL_WIDTH": "200"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_without_settings_it_names_all_it_needs() -> None:
    status, output = ended(ROOT, "services.payments.app:app")
    assert status == 1
    assert "COMPTOIR_DATABASE_URL is missing" in output
    assert "COMPTOIR_STRIPE_ENDPOINTS" in output
    assert "Traceback" not in output


def test_a_typo_in_the_table_of_handlers_ends_the_start_with_its_sentence(tmp_path: Path) -> None:
    for package in ("contracts", "services"):
        shutil.copytree(ROOT / package, tmp_path / package)
    table = tmp_path / "services" / "notifier" / "handlers.py"
    text = table.read_text()
    table.write_text(text.replace("mails=by_mail", "males=by_mail", 1))
    assert table.read_text() != text
    status, output = ended(tmp_path, "services.notifier.app:app")
    assert status == 1
    assert "services/notifier/handlers.py is invalid" in output
    assert "needs 'males', which ConversationUnit does not load" in output


def test_a_typo_in_the_application_is_named() -> None:
    status, output = ended(ROOT, "services.orders.app:application_")
    assert status != 0
    assert 'Attribute "application_" not found in module "services.orders.app"' in output


@pytest.mark.parametrize("service", SERVICES)
def test_its_documentation_is_the_services_part_of_the_contract(service: str, tmp_path: Path) -> None:
    target = tmp_path / "asyncapi.json"
    done = subprocess.run(
        [sys.executable, "-m", "faststream", "docs", "gen", f"services.{service}.app:app", "-o", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads(target.read_text())
    whole = json.loads((ROOT / "contracts" / "asyncapi.json").read_text())
    assert written["info"]["title"] == f"Comptoir: {service}"
    own = {name: one for name, one in whole["operations"].items() if name.startswith(f"{service}.")}
    assert written["operations"] == own
