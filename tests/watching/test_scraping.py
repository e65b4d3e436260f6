"""Prometheus beside a running hub scrapes every process and the broker, and is itself reached from here alone."""

import subprocess
from pathlib import Path

import httpx2

from contracts.catalogue import queues_of
from deploy.local.prometheus.programs import find_prometheus
from deploy.local.prometheus.watching import ALERTMANAGER, CONFIGURATION, PROMETHEUS, Watch
from deploy.local.system import AUDITOR, PROGRAMS
from services.chassis.testing import wait_until
from tests.deploy.listening import LOOPBACK, listening
from tests.prometheus import get, query


async def test_every_process_and_the_broker_are_scraped(watch: Watch) -> None:
    async def up() -> bool:
        jobs = ("comptoir", "rabbitmq", "rabbitmq-detailed")
        found = await query(watch.prometheus_url, "up == 1")
        programs = {labels.get("program") for labels, _ in found if labels["job"] == "comptoir"}
        return {labels["job"] for labels, _ in found} == set(jobs) and programs == {*PROGRAMS, AUDITOR}

    await wait_until(up, 30)


async def test_every_queue_of_the_hub_is_measured_by_the_broker(watch: Watch) -> None:
    async def consumed() -> bool:
        vhost = f'{{vhost="{watch.system.vhost}"}} > 0'
        found = await query(watch.prometheus_url, f"rabbitmq_detailed_queue_consumers{vhost}")
        return {labels["queue"] for labels, _ in found} >= set(queues_of("orders"))

    await wait_until(consumed, 30)


async def test_alertmanager_is_known_and_both_listen_on_loopback_alone(watch: Watch) -> None:
    async def known() -> bool:
        found = await get(watch.prometheus_url, "alertmanagers")
        return [one["url"] for one in found["activeAlertmanagers"]] == [
            f"{watch.alertmanager_url}/api/v2/alerts"
        ]

    await wait_until(known, 30)
    for name in (PROMETHEUS, ALERTMANAGER):
        found = listening(watch.system.supervisor.pid(name))
        assert {address for address, _ in found} <= LOOPBACK
        assert len(found) == 1


async def test_its_pages_have_their_scripts(watch: Watch) -> None:
    async with httpx2.AsyncClient(base_url=watch.prometheus_url, trust_env=False) as http:
        assert "Prometheus" in (await http.get("/classic/alerts")).text
        assert (await http.get("/classic/static/jquery/jquery.min.js")).is_success


def test_the_committed_configuration_is_valid(tmp_path: Path) -> None:
    """With the token beside it, which is never committed."""
    programs = find_prometheus()
    for file in CONFIGURATION.glob("*.yml"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "token").write_text("a token")
    checks: list[list[str | Path]] = [
        [programs.promtool, "check", "config", tmp_path / "prometheus.yml"],
        [programs.amtool, "check-config", tmp_path / "alertmanager.yml"],
    ]
    for check in checks:
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
