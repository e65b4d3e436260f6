"""The program itself, with PostgreSQL alone: the broker is unavailable, and the process is killed after a commit."""

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
from services.chassis.testing import wait_until
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
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the process ended at start"
    try:
        return httpx2.get(f"{address}/readyz/intake", timeout=10).status_code == 200
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


async def test_money_is_taken_in_and_applied_while_the_broker_is_unavailable(
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


async def test_killed_while_it_closes_days_and_verified_from_the_command_line(
    fresh_database: FreshDatabase, program: Program, tmp_path: Path
) -> None:
    url, mark = await fresh_database("payments"), tmp_path / "mark"
    connection = await asyncpg.connect(url)
    await connection.execute(
        """INSERT INTO msg.clock (is_only, seen_at) VALUES (true, now());
           INSERT INTO account (shop, order_id, code, currency, method, opened_at, version, sequence, due_minor,
               credited_minor, received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor,
               authorised_minor, balance_minor, attempt, flags)
           VALUES ('atelier', gen_random_uuid(), 'K7F3-QD9M', 'EUR', 'card', now() - interval '5 days', 1, 1, 5000,
               0, 0, 0, 0, 0, 0, 0, 5000, 'none', '{}');
           INSERT INTO ledger_entry (id, shop, order_id, number, kind, amount_minor, currency, provider, object_id,
               step, source, caused_by, occurred_at, actor, recorded_at)
           SELECT gen_random_uuid(), shop, order_id, 1, 'order_total', 5000, 'EUR', 'order', order_id::text, 0,
               'order', order_id, opened_at, 'orders', opened_at FROM account"""
    )
    days = "SELECT count(*) FROM ledger_closing"
    program(url, FAILPOINT="before_commit@closing:3", FAILPOINT_MARK=str(mark))
    until(mark.exists)
    assert mark.read_text() == "before_commit@closing"
    assert await connection.fetchval(days) == 2
    program(url)

    async def closed() -> bool:
        return bool(await connection.fetchval(days) >= 5)

    await wait_until(closed, DEADLINE_SECONDS)
    assert verified(url) == (0, "whole: 1 entries of 1 accounts, 5 closings\n")
    await connection.execute(
        """ALTER TABLE ledger_entry DISABLE TRIGGER USER; UPDATE ledger_entry SET amount_minor = 4000"""
    )
    status, output = verified(url)
    assert status == 1
    assert output.startswith("BROKEN: entry 1 (")
    assert "order_total 4000 EUR" in output
    await connection.close()


def verified(url: str) -> tuple[int, str]:
    """The exit status and the output of the command that verifies the books."""
    settings = {
        "DATABASE_URL": url,
        "AMQP_URL": "amqp://127.0.0.1:1/",
        "INTERNAL_TOKEN": "a-token-for-tests-only",
        "HTTP_PORT": "1",
        "STRIPE_ENDPOINTS": "[]",
    }
    done = subprocess.run(
        [sys.executable, "-m", "services.payments", "verify"],
        cwd=ROOT,
        env={**os.environ, **{f"COMPTOIR_{name}": value for name, value in settings.items()}},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout
