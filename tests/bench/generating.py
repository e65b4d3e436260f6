"""Load generators run as processes of their own: an order for load goes in, what they saw comes out, both as JSON.

Secrets travel by standard input, never on a command line.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop

from deploy.local import processtree
from deploy.local.reaper import process_reaper

ROOT = Path(__file__).resolve().parents[2]


class GeneratorFailed(Exception):
    """A load generator ended badly; carries the end of what it wrote."""


async def generate(module: str, order: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
    """Run `python -m tests.bench.<module>` on an order for load; what it saw. It never outlives us or its time."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.bench.{module}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    process_reaper.hold(process.pid)
    try:
        output, errors = await asyncio.wait_for(
            process.communicate(json.dumps(order).encode()), timeout_seconds
        )
    finally:
        if process.returncode is None:
            processtree.kill_tree(process.pid)
            await process.wait()
        process_reaper.release(process.pid)
    if process.returncode != 0:
        raise GeneratorFailed(
            f"{module} ended with {process.returncode}:\n{errors.decode(errors='replace')[-2000:]}"
        )
    return dict(json.loads(output))


def run_generator(work: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> None:
    """The other side: read the order, do the work, write what was seen."""

    async def run() -> dict[str, Any]:
        return await work(json.load(sys.stdin))

    json.dump(uvloop.run(run()), sys.stdout)
