"""`make demo` from nothing to nothing: real servers, real orders, a report, and nothing left behind."""

import asyncio
import json
import re
import shlex
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from contracts.sale import Module
from deploy.demo.running import ROOT
from deploy.local.processtree import descendants, is_running
from deploy.samples.merchants import YOURS
from services.chassis.testing import wait_until
from tests.demo.test_retail import HEADER, row

SECONDS = 110

INVOICES = [
    HEADER,
    *(
        row(invoice=str(number), code=f"8512{number % 4}", customer=f"{17000 + number}.0")
        for number in range(12)
    ),
    row(invoice="3", code="POST", description="POSTAGE", quantity=1, price="18.0", customer="17003.0"),
    row(invoice="C1", quantity=-6),
    row(invoice="C2", code="D", quantity=-1, price="27.50"),
    row(invoice="N1", customer=""),
    row(invoice="B1", code="BANK CHARGES", quantity=1, price="15.00"),
]


@asynccontextmanager
async def started(module: str, folder: Path, *arguments: str) -> AsyncIterator[Process]:
    """The program in a process of its own, which a failing test interrupts; its runs go to `folder`."""
    command = (sys.executable, "-m", module, "--folder", str(folder), *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


async def finish(process: Process) -> tuple[int, str]:
    """Exit status and output."""
    output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def read_until(process: Process, until: Callable[[str], bool]) -> str:
    """Its output up to the line that `until` waits for."""
    text = ""
    assert process.stdout is not None
    while not until(text):
        line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
        assert line, f"ended before it said so:\n{text}"
        text += line.decode()
    return text


@pytest.mark.timeout(SECONDS + 20)
async def test_invoices_of_a_file_become_orders_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("\n".join(INVOICES))
    async with started("deploy.demo", tmp_path / "runs", "--orders", str(tmp_path / "orders.csv")) as process:
        status, output = await finish(process)
    assert status == 0, output
    assert "no violations" in output
    report = json.loads((tmp_path / "runs" / "report.json").read_text())
    assert report["orders"] == {"submitted": 16, "placed": 12, "refused": 4}
    assert report["modules"] == {"shop": 12}
    assert report["documents"]["invoice"] > 0
    assert report["webhooks"] == {"lost": 1, "reconciled": 1}
    assert report["mails"]["duplicated"] == 0
    assert report["conversations"] == {
        "threads": {"waiting_customer": 1, "closed": 1},
        "messages": {"staff": 3, "customer": 1, "automatic": 1},
        "received": {"posted": 1, "automatic": 1},
    }
    assert report["audit"] == {"violations": 0}
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["report.json"]


@pytest.mark.timeout(2 * SECONDS)
async def test_up_stays_and_sells_until_it_is_interrupted(tmp_path: Path) -> None:
    async with started("deploy.demo.up", tmp_path / "runs", "--every", "0.2") as process:
        output = await read_until(process, lambda text: "A customer comes every 0.2 s" in text)
        family = descendants(process.pid)
        await sign_in_as_printed(output)
        await answer_as_printed(output)
        await sell_as_printed(output, tmp_path)
        token = output.rpartition("Bearer ")[2].partition("'")[0]
        address = output.rpartition("' ")[2].split()[0]
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as http:
            newest, *_ = recent = await orders_of(http, address, token)
            assert {order["module"] for order in recent} == {module.value for module in Module}
            assert await orders_of(http, address, token, tab="archived")

            async def five_more_are_placed() -> bool:
                return len(await placed_after(http, address, token, newest["placed_at"])) >= 5

            await wait_until(five_more_are_placed, 30)
        process.send_signal(signal.SIGINT)
        status, rest = await finish(process)
    assert status == 130, output + rest
    assert [pid for pid in family if is_running(pid)] == []
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["report.json"]


async def sign_in_as_printed(expected: str) -> None:
    """The address, the logins and the password that were printed open the doors of both shops."""
    row = printed(expected)
    address = row["Back office"]
    for login, name in ((row[YOURS.shop], "Your Shop"), (row["owner"], "Atelier Garance")):
        async with httpx2.AsyncClient(base_url=address, trust_env=False, timeout=10) as http:
            form = {"login": login, "password": row["their password"], "next": "/"}
            answer = await http.post("/sign-in", data=form, headers={"Origin": address})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            home = await http.get("/", headers={"Accept-Language": "en"})
            assert name in home.text
            operations = await http.get("/operations", headers={"Accept-Language": "en"})
            assert "4 / 4" in operations.text
            assert "not connected" not in operations.text


async def answer_as_printed(expected: str) -> None:
    """In the inbox whose address was printed, the customer of the latest parcel answers, and the notifier takes it."""
    address = printed(expected)["Inbox of all mails"]
    async with httpx2.AsyncClient(base_url=address, trust_env=False, timeout=10) as http:
        found = await http.get("/", params={"text": "est en route"})
        mail = re.findall(r'href="(/mails/[0-9a-f-]+)"', found.text)[0]
        form = {"text": "Merci !", "quote": "on", "kind": "answer"}
        answer = await http.post(f"{mail}/answer", data=form, headers={"Origin": address})
        assert (answer.status_code, answer.headers.get("location")) == (303, f"{mail}?sent=answer#answer"), (
            answer.text
        )


def printed(expected: str) -> dict[str, str]:
    """The rows of the tables that were printed."""
    return {
        cells[0].strip(): cells[1].strip()
        for line in expected.splitlines()
        if len(cells := line.strip("│ \n").split("│")) == 2
    }


async def sell_as_printed(expected: str, folder: Path) -> None:
    """The README's program, run as printed while customers come, hears the answer to every order of its own."""
    [text] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (folder / "order.py").write_text(text)
    [printed] = [line for line in expected.splitlines() if " order.py 'amqp://" in line]
    arguments = shlex.split(printed.partition(" order.py ")[2])
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(folder / "order.py"), *arguments),
            env={"PYTHONPATH": str(ROOT)},
            stdout=PIPE,
            stderr=STDOUT,
        )
        status, answer = await finish(process)
        assert (status, answer[:12]) == (0, "accepted as "), answer


async def placed_after(http: httpx2.AsyncClient, address: str, token: str, timestamp: str) -> list[str]:
    """The latest orders that were placed after a moment."""
    return [
        order["order_id"] for order in await orders_of(http, address, token) if order["placed_at"] > timestamp
    ]


async def orders_of(
    http: httpx2.AsyncClient, address: str, token: str, **filters: str
) -> list[dict[str, Any]]:
    """The latest orders, at most 200."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = await http.get(address, headers=headers, params={"limit": "200", **filters})
    orders: list[dict[str, Any]] = answer.json()["orders"]
    return orders


async def test_a_file_of_another_format_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n")
    async with started("deploy.demo", tmp_path, "--orders", str(tmp_path / "orders.csv")) as process:
        status, output = await finish(process)
    assert status == 2
    assert "no column InvoiceNo" in output
    assert list(tmp_path.iterdir()) == [tmp_path / "orders.csv"]
