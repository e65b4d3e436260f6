"""The supervisor: ready before it returns, brings back what dies, leaves dead what was killed on purpose."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import processtree
from deploy.local.ports import free_ports
from deploy.local.supervisor import Program, ProgramNotReady, ProgramRunsAlready, Supervisor
from services.chassis.testing import wait_until

SERVER = """
import http.server, os
print("hello from", os.environ["WHO"], flush=True)
http.server.HTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def web_server(name: str, folder: Path) -> Program:
    (port,) = free_ports(1)
    argv = [sys.executable, "-c", SERVER.format(port=port)]
    return Program(name, argv, {"WHO": name}, f"http://127.0.0.1:{port}/", cwd=folder)


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    async with Supervisor(tmp_path, ready_seconds=15) as started:
        yield started


async def test_programs_are_ready_and_logged_when_start_returns(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start(web_server("orders", tmp_path), web_server("payments", tmp_path))
    assert supervisor.names() == ["orders", "payments"]
    assert "hello from orders" in supervisor.log("orders").read_text()
    assert "hello from payments" in supervisor.log_tail("payments")
    assert supervisor.exited("orders") is None


async def test_a_program_gets_the_settings_it_is_given_and_none_of_the_callers(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPTOIR_POSTGRES_ADMIN_URL", "postgresql://somebody:secret@elsewhere/postgres")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    program = "import os; print(sorted(n for n in os.environ if n[:4] in ('COMP', 'SOME')), flush=True)"
    argv = [sys.executable, "-c", f"{program}; import time; time.sleep(60)"]
    await supervisor.start(Program("teller", argv, {"COMPTOIR_HTTP_PORT": "1"}))
    await wait_until(lambda: supervisor.log("teller").read_text() != "")
    assert supervisor.log("teller").read_text() == "['COMPTOIR_HTTP_PORT', 'SOMETHING_ELSE']\n"


async def test_what_dies_comes_back_and_is_counted(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(web_server("orders", tmp_path))
    first = supervisor.pid("orders")
    os.kill(first, signal.SIGKILL)
    await wait_until(lambda: supervisor.restarts("orders") == 1)
    await supervisor.ready("orders")
    assert supervisor.pid("orders") != first
    assert supervisor.deaths("orders") == [-signal.SIGKILL]


async def test_what_is_killed_on_purpose_stays_dead_until_restarted(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    program = web_server("orders", tmp_path)
    await supervisor.start(program)
    await supervisor.kill("orders")
    assert supervisor.exited("orders") == -signal.SIGKILL
    await supervisor.restart("orders")
    assert supervisor.exited("orders") is None
    assert supervisor.restarts("orders") == 0
    await supervisor.kill("orders")
    await supervisor.start(program)
    with pytest.raises(ProgramRunsAlready, match="orders"):
        await supervisor.start(program)


async def test_the_stubborn_are_killed_after_their_grace_with_their_children(supervisor: Supervisor) -> None:
    await supervisor.start(
        Program("stubborn", ["/bin/sh", "-c", "trap '' TERM; sleep 600 & wait; sleep 600"])
    )
    leader = supervisor.pid("stubborn")
    await wait_until(lambda: bool(processtree.descendants(leader)))
    family = [leader, *processtree.descendants(leader)]
    await supervisor.stop("stubborn", grace_seconds=0.2)
    assert not any(processtree.is_running(pid) for pid in family)


async def test_a_program_that_obeys_ends_with_its_own_status(supervisor: Supervisor) -> None:
    await supervisor.start(
        Program("obedient", ["/bin/sh", "-c", "trap 'exit 7' TERM; echo up; sleep 600 & wait"])
    )
    await wait_until(lambda: "up" in supervisor.log_tail("obedient"))
    await supervisor.stop("obedient")
    assert supervisor.exited("obedient") == 7


async def test_one_that_cannot_start_is_given_up_with_its_last_words(supervisor: Supervisor) -> None:
    (port,) = free_ports(1)
    failing = ["/bin/sh", "-c", "echo 'missing setting DATABASE_URL'; exit 3"]
    with pytest.raises(
        ProgramNotReady, match=r"exit statuses \[3, 3, 3\](.|\n)*missing setting DATABASE_URL"
    ):
        await supervisor.start(Program("orders", failing, ready_url=f"http://127.0.0.1:{port}/"))


async def test_leaving_ends_everything(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        await supervisor.start(web_server("orders", tmp_path), web_server("payments", tmp_path))
        pids = [supervisor.pid(name) for name in supervisor.names()]
    assert not any(processtree.is_running(pid) for pid in pids)
