"""The last release's code beside this one, on this schema and broker: orders go on, and the auditor is content."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from contracts.catalogue import SERVICES
from contracts.sale import PaymentMethod
from deploy.demo.script import Script
from deploy.local.supervisor import Supervisor
from deploy.local.system import ROOT
from services.chassis.testing import wait_until
from tests.faults.harness import LIVES, Harness
from tests.faults.test_replicas import MOST_ROUNDS, handled_by
from tests.lives.living import many_lives

LAST_RELEASE = "a7aa6fa"
"""Commit that installations run when they upgrade to this version; it moves on with each release."""


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last release's source."""
    git, tar = shutil.which("git"), shutil.which("tar")
    assert git is not None
    assert tar is not None
    wanted = [git, "archive", LAST_RELEASE, "services", "contracts", "deploy"]
    packed = subprocess.run(wanted, cwd=ROOT, capture_output=True, check=False)
    if packed.returncode != 0:
        pytest.skip(f"there is no history back to {LAST_RELEASE} here: clone the whole of it")
    folder = tmp_path_factory.mktemp("last-release")
    subprocess.run([tar, "-x", "-C", folder], input=packed.stdout, check=True)
    return folder


async def test_both_versions_work_side_by_side_and_what_the_old_one_did_not_know_is_handled_later(
    harness: Harness, earlier: Path
) -> None:
    async with _earlier_processes(harness, earlier) as names:
        for _ in range(MOST_ROUNDS):  # which of the two gets a message is the broker's choice
            await harness.play(_known_to_both())
            idle = [name for name in (*names, *SERVICES) if not await handled_by(harness, name)]
            if not idle:
                break
        assert idle == []
    for service in SERVICES:
        await harness.system.supervisor.restart(service)
    await wait_until(lambda: _nothing_unknown_is_parked(harness))
    found = await harness.history.violations()
    assert found == [], "\n".join(map(str, found))


def _known_to_both() -> Script:
    """Lives without PayPal, which the last release had not: what is new is used once no old process runs."""
    script = many_lives(2 * LIVES)
    sales = [
        sale
        for sale in script.sales
        if sale.submission.payment is not None and sale.submission.payment.method is not PaymentMethod.PAYPAL
    ]
    return replace(script, sales=sales[:LIVES])


@asynccontextmanager
async def _earlier_processes(harness: Harness, folder: Path) -> AsyncIterator[list[str]]:
    """Run a process of each service from a folder; they are not forked from a preloaded one."""
    system = harness.system
    names = {service: f"{service}, the last release" for service in SERVICES}
    programs = [system.program(service, name) for service, name in names.items()]
    async with Supervisor(folder / "log") as supervisor:
        await supervisor.start(*(replace(program, cwd=folder) for program in programs))
        yield list(names.values())


async def _nothing_unknown_is_parked(harness: Harness) -> bool:
    return all([not await _unknown(harness, service) for service in SERVICES])


async def _unknown(harness: Harness, service: str) -> int:
    connection = await asyncpg.connect(harness.system.databases[service])
    try:
        found: int = await connection.fetchval(
            """SELECT count(*) FROM msg.parked
               WHERE reason IN ('unknown_type', 'unknown_version') AND state IN ('dead', 'waiting')"""
        )
        return found
    finally:
        await connection.close()
