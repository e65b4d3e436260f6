"""The program itself, with PostgreSQL alone: the broker is away, and the process is killed after a commit."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.local.ports import free_ports
from tests.conftest import FreshDatabase
from tests.payments.builders import SECRET, SLUG, as_body, intent_id, signature, succeeded

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 30.0
Program = Callable[..., str]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Starts `python -m services.payments` on a database; gives its address once it answers."""
    running: list[subprocess.Popen[bytes]] = []

    def start(database_url: str, **environment: str) -> str:
        port, nobody = free_ports(2)
        endpoint = {"slug": SLUG, "shop": "atelier", "secrets": [SECRET], "livemode": False}
        settings = {
            "DATABASE_URL": database_url,
            "AMQP_URL": f"amqp://127.0.0.1:{nobody}/",
            "INTERNAL_TOKEN": "a-token-for-tests-only",
            "HTTP_PORT": str(port),
            "STRIPE_ENDPOINTS": json.dumps([endpoint]),
            **environment,
        }
        with (tmp_path / f"{port}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.payments"],
                cwd=ROOT,
                env={**os.environ, **{f"COMPTOIR_{name}": value for name, value in settings.items()}},
                stdout=log,
                stderr=log,
            )
        running.append(process)
        address = f"http://127.0.0.1:{port}"
        until(lambda: is_ready(address, process))
        return address

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the process ended at start"
    try:
        return httpx2.get(f"{address}/readyz/intake", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False


def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


def post(address: str, event: dict[str, Any]) -> int:
    body = as_body(event)
    headers = {"content-type": "application/json", "stripe-signature": signature(body)}
    answer = httpx2.post(f"{address}/webhooks/stripe/{SLUG}", content=body, headers=headers, timeout=10)
    return int(answer.status_code)


def webhooks(address: str) -> list[dict[str, Any]]:
    headers = {"authorization": "Bearer a-token-for-tests-only"}
    answer = httpx2.get(f"{address}/internal/webhooks", headers=headers, timeout=10)
    found: list[dict[str, Any]] = answer.json()["webhooks"]
    return found


async def test_money_is_taken_in_and_applied_while_the_broker_is_away(
    fresh_database: FreshDatabase, program: Program
) -> None:
    address = program(await fresh_database("payments"))
    assert httpx2.get(f"{address}/readyz", timeout=10).status_code == 503
    assert post(address, succeeded(intent_id())) == 200
    until(lambda: [row["state"] for row in webhooks(address)] == ["waiting"])


async def test_killed_after_the_commit_and_before_the_answer(
    fresh_database: FreshDatabase, program: Program, tmp_path: Path
) -> None:
    url, mark, one = await fresh_database("payments"), tmp_path / "mark", succeeded(intent_id())
    doomed = program(url, FAILPOINT="webhook_committed", FAILPOINT_MARK=str(mark))
    with pytest.raises(httpx2.TransportError):
        post(doomed, one)
    assert mark.read_text().startswith("webhook_committed")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM webhook WHERE state = 'received'") == 1
    await connection.close()
    address = program(url)
    assert post(address, one) == 200
    until(lambda: [(row["state"], row["deliveries"]) for row in webhooks(address)] == [("waiting", 2)])


def test_a_blank_secret_and_the_process_does_not_start() -> None:
    blank = [{"slug": SLUG, "shop": "atelier", "secrets": [""], "livemode": False}]
    done = subprocess.run(
        [sys.executable, "-m", "services.payments"],
        cwd=ROOT,
        env={**os.environ, "COMPTOIR_STRIPE_ENDPOINTS": json.dumps(blank)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    for name in ("STRIPE_ENDPOINTS", "DATABASE_URL", "AMQP_URL", "INTERNAL_TOKEN", "HTTP_PORT"):
        assert f"COMPTOIR_{name}" in done.stderr
