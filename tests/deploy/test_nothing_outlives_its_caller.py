"""A program killed with SIGKILL cleans up nothing, yet its servers, processes and folders go with it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local import processtree

ROOT = Path(__file__).resolve().parents[2]

CALLER = """
import asyncio, json, sys, time
from pathlib import Path
from deploy.local.parts import start_postgres, start_rabbitmq
from deploy.local.processtree import descendants
from deploy.local.supervisor import Program, Supervisor

async def run_something():
    supervisor = await Supervisor(folder).__aenter__()
    script = "trap '' TERM; sleep 600 & wait; sleep 600"
    await supervisor.start(Program("stubborn", ["/bin/sh", "-c", script]))
    return supervisor.pid("stubborn")

folder = Path(sys.argv[1])
if sys.argv[2] == "servers":
    leaders = [start_postgres(folder / "postgres", {}).pid]
    broker = start_rabbitmq(folder / "rabbitmq", {})
    leaders += [broker.pid, broker._epmd.pid]
else:
    leaders = [asyncio.run(run_something())]
    deadline = time.monotonic() + 20
    while not descendants(leaders[0]):
        assert time.monotonic() < deadline, "the program started no child"
        time.sleep(0.01)
print(json.dumps([*leaders, *(pid for leader in leaders for pid in descendants(leader))]), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("what", ["servers", "programs"])
def test_all_is_gone_after_the_caller_was_killed(what: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as caller:
        assert caller.stdout is not None
        family = json.loads(caller.stdout.readline())
        assert len(family) > 1
        assert all(processtree.is_running(pid) for pid in family)
        caller.kill()
    assert processtree.wait_until_gone(family, timeout_seconds=20)
    deadline = time.monotonic() + 10
    while (tmp_path / "postgres").exists() or (tmp_path / "rabbitmq").exists():
        assert time.monotonic() < deadline, list(tmp_path.rglob("*"))[:20]
        time.sleep(0.05)
