"""Forked programs are as those started by an interpreter of their own: id, files, settings, ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import processtree
from deploy.local.spawning import RunningProcess
from services.chassis.testing import wait_until
from tests.preloading import Preloaded

PROGRAM = """
import os, sys, time
from contracts.envelope import uuid7
print(sys.argv[1:], sys.stdin.read(), os.environ.get("MARK"), uuid7().hex[16:], flush=True)
if sys.argv[1] == "stay":
    time.sleep(600)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A module in a folder of its own."""
    (tmp_path / "spoken.py").write_text(PROGRAM)
    return "spoken"


@pytest.fixture(scope="module")
def launcher() -> Iterator[Preloaded]:
    """An interpreter for this file."""
    made = Preloaded()
    yield made
    made.close()


async def run(launcher: Preloaded, program: str, folder: Path, text: bytes = b"") -> tuple[int, str]:
    env = {"MARK": "chalk"}
    status, output = await launcher.run([sys.executable, "-m", program, "7"], env=env, cwd=folder, stdin=text)
    return status, output.decode()


def start(launcher: Preloaded, program: str, folder: Path, *arguments: str) -> RunningProcess:
    return launcher.start(
        [sys.executable, "-m", program, *arguments], log=folder / "log", env={"MARK": "chalk"}, cwd=folder
    )


async def test_a_program_gets_arguments_input_and_settings_and_ends_with_its_status(
    launcher: Preloaded, program: str, tmp_path: Path
) -> None:
    status, output = await run(launcher, program, tmp_path, b"a password")
    assert status == 7
    assert output.startswith("['7'] a password chalk ")


async def test_two_programs_never_draw_the_same_ids(
    launcher: Preloaded, program: str, tmp_path: Path
) -> None:
    drawn = [(await run(launcher, program, tmp_path))[1].split()[-1] for _ in range(3)]
    assert len(set(drawn)) == 3


async def test_a_killed_program_is_seen_as_killed_and_nothing_else_dies(
    launcher: Preloaded, program: str, tmp_path: Path
) -> None:
    victim, other = (start(launcher, program, tmp_path, "stay") for _ in range(2))
    await wait_until(lambda: (tmp_path / "log").read_text().count("chalk") == 2)
    assert victim.poll() is None
    os.kill(victim.pid, signal.SIGKILL)
    assert await asyncio.to_thread(victim.wait, 10) == -signal.SIGKILL
    assert other.poll() is None
    assert os.getsid(other.pid) == other.pid
    processtree.kill_tree(other.pid)
    assert other.wait(30) == -signal.SIGKILL
    await wait_until(
        lambda: not Path(f"/proc/{victim.pid}").exists(), why="the interpreter reaps what was read"
    )


async def test_failpoints_are_armed_by_the_programs_own_settings(launcher: Preloaded, tmp_path: Path) -> None:
    (tmp_path / "falling.py").write_text("from services.chassis.failpoints import reach\nreach('received')\n")
    env = {"COMPTOIR_FAILPOINT": "received", "COMPTOIR_FAILPOINT_MARK": str(tmp_path / "mark")}
    status, _ = await launcher.run([sys.executable, "-m", "falling"], env=env, cwd=tmp_path)
    assert status == -signal.SIGKILL
    assert (tmp_path / "mark").read_text() == "received@"


async def test_other_programs_start_as_usual(launcher: Preloaded, tmp_path: Path) -> None:
    process = launcher.start(["/bin/sh", "-c", "exit 3"], log=tmp_path / "log", env={}, cwd=tmp_path)
    assert await asyncio.to_thread(process.wait, 10) == 3
