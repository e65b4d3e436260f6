"""The running auditor reports lasting inconsistencies, not those of messages in transit."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.auditor.finding import CHECKS, Violation
from deploy.auditor.serving import application
from deploy.auditor.watching import Watch, pause
from deploy.demo.running import ROOT
from deploy.local.ports import free_ports
from services.chassis.testing import wait_until
from tests.auditor.life import Life
from tests.auditor.test_command_line import run_auditor, variables

SECONDS = 60
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CHECK = next(iter(CHECKS))


def wrong(where: str, found: str = "2") -> Violation:
    """A finding of the first check."""
    return Violation(CHECK, "sentence", where, "1", found)


def test_what_is_seen_twice_in_a_row_unchanged_counts() -> None:
    watch = Watch()
    assert watch.scan([wrong("a"), wrong("b"), wrong("c")], NOW, 0.1) == []
    assert (watch.report["count"], watch.report["in_motion"]) == (0, 3)
    later = NOW + timedelta(seconds=5)
    assert watch.scan([wrong("a"), wrong("b", found="3")], later, 0.1) == [wrong("a")]
    assert (watch.report["count"], watch.report["in_motion"]) == (1, 1)
    (report,) = watch.report["violations"]
    assert (report["where"], report["since"]) == ("a", "2026-11-22T09:00:00.000Z")
    assert {each["name"]: each["violations"] for each in watch.report["checks"]}[CHECK] == 1
    assert watch.scan([], later, 0.1) == []
    assert watch.report["count"] == 0


def test_slow_scans_leave_the_machine_to_others() -> None:
    assert pause(15.0, 1.0) == 14.0
    assert pause(15.0, 10.0) == 40.0


def test_a_scan_that_failed_keeps_what_is_known() -> None:
    watch = Watch()
    watch.scan([], NOW, 0.1)
    watch.fail(OSError("away"), NOW)
    assert (watch.report["error"], watch.report["count"]) == ("OSError: away", 0)


async def test_findings_are_for_who_has_the_token() -> None:
    watch = Watch()
    transport = httpx2.ASGITransport(app=application(watch, "a-token", "for-metrics"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://auditor") as http:
        headers = {"Authorization": "Bearer a-token"}
        scraping = {"Authorization": "Bearer for-metrics"}
        assert (await http.get("/metrics", headers=scraping)).status_code == 200
        assert (await http.get("/findings", headers=scraping)).status_code == 401
        assert (await http.get("/findings")).status_code == 401
        assert (await http.get("/findings", headers={"Authorization": "Bearer other"})).status_code == 401
        assert (await http.get("/findings", headers=headers)).status_code == 503
        watch.scan([wrong("a")], NOW, 0.1)
        assert (await http.get("/findings", headers=headers)).json()["in_motion"] == 1


@asynccontextmanager
async def watching(life: Life, *arguments: str) -> AsyncIterator[None]:
    """The program on a life's databases."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.auditor", "--watch", "--every", "0.2", *arguments),
        cwd=ROOT,
        env={**variables(life), "COMPTOIR_INTERNAL_TOKEN": "a-token"},
        stdout=DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), SECONDS)


async def until(read: Callable[[], Any], fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The report, once it is as wanted."""

    async def fitting() -> dict[str, Any] | None:
        report: dict[str, Any] | None = await read()
        return report if report is not None and fits(report) else None

    return await wait_until(fitting, SECONDS)


@pytest.mark.timeout(2 * SECONDS)
async def test_planted_damage_shows_within_seconds_and_goes_when_repaired(life: Life, tmp_path: Path) -> None:
    out, port = tmp_path / "findings.json", free_ports(1)[0]

    async def read() -> dict[str, Any] | None:
        return json.loads(out.read_text()) if out.exists() else None

    async def ask() -> dict[str, Any] | None:
        async with httpx2.AsyncClient(trust_env=False) as http:
            try:
                url = f"http://127.0.0.1:{port}/findings"
                answer = await http.get(url, headers={"Authorization": "Bearer a-token"})
            except httpx2.HTTPError:
                return None
        return answer.json() if answer.status_code == 200 else None

    damage = "UPDATE orders SET authorised_minor = authorised_minor + $1 WHERE order_id = $2"
    connection = await asyncpg.connect(life.urls["orders"])
    async with watching(life, "--out", str(out), "--serve", f"127.0.0.1:{port}"):
        report = await until(read, lambda found: "count" in found)
        assert report["count"] == 0, "a parked message is told by Operations, not here"
        damaged = await connection.fetchval(
            "SELECT order_id FROM orders WHERE payment_status = 'paid' LIMIT 1"
        )
        await connection.execute(damage, 1, damaged)
        report = await until(ask, lambda found: found["count"] > 0)
        assert "orders_know_every_position" in {each["check"] for each in report["violations"]}
        await connection.execute(damage, -1, damaged)
        await until(ask, lambda found: found["count"] == 0)
    await connection.close()


@pytest.mark.parametrize("arguments", [(), ("--serve", "9200"), ("--serve", "127.0.0.1:x")])
async def test_what_nobody_would_receive_is_refused(life: Life, arguments: tuple[str, ...]) -> None:
    status, output = await run_auditor("--watch", *arguments, **variables(life))
    assert status == 2
    assert "needs" in output


async def test_prometheus_scrapes_what_is_wrong_and_how_scans_go() -> None:
    watch = Watch()
    transport = httpx2.ASGITransport(app=application(watch, "a-token"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://auditor") as http:
        headers = {"Authorization": "Bearer a-token"}
        assert (await http.get("/metrics")).status_code == 401
        assert "comptoir_auditor_violations" not in (await http.get("/metrics", headers=headers)).text
        for _ in range(2):
            watch.scan([wrong("a"), wrong("b")], NOW, 0.5)
        watch.fail(OSError("away"), NOW)
        watch.progress.full_scan_at = NOW
        output = (await http.get("/metrics", headers=headers)).text
    assert f'comptoir_auditor_violations{{check="{CHECK}"}} 2.0' in output
    assert "comptoir_auditor_scans_failed_total 1.0" in output
    assert "comptoir_auditor_scan_seconds 0.5" in output
    assert "comptoir_auditor_full_scan_timestamp_seconds" in output
