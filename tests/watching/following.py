"""Runbooks, for tests: their commands as they are written, run on the hub of a watch."""

import asyncio
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local.prometheus.watching import Watch
from deploy.local.supervisor import Program, inherited
from deploy.local.system import AUDITOR, PROGRAMS, ROOT, module_of
from tests.watching.provoking import comptoir, databases

FOLDER = ROOT / "deploy" / "runbooks"


def commands_of(page: Path) -> list[list[str]]:
    """Return the words of each command that a page has, in its blocks and in its sentences."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    inline = re.findall(r"`(comptoir [^`\n]+)`", page.read_text())
    lines = [line for block in blocks for line in block.splitlines()] + [
        line for line in inline if "…" not in line
    ]
    return [shlex.split(line) for line in lines if line.strip()]


def command_of(page: str, line: str, instead: Mapping[str, str] | None = None) -> list[str]:
    """Return the words of a command that the page must have, with others in place of its examples."""
    words = shlex.split(line)
    assert words in commands_of(FOLDER / page), f"{page} does not say: {line}"
    assert set(instead or {}) <= set(words), f"{line} has no {set(instead or {}) - set(words)}"
    return [(instead or {}).get(word, word) for word in words]


async def follow(
    watch: Watch, page: str, line: str, instead: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command that the page has; return its exit status and output."""
    program, *words = command_of(page, line, instead)
    if program == "comptoir":
        return await comptoir(watch, *words)
    if program == "python":
        return await _run(watch, *words[1:])
    where = ["--vhost", watch.system.vhost] if words[0] == "list_queues" else []
    try:
        return 0, await asyncio.to_thread(watch.system.rabbitmq.tool, program, *words, *where)
    except subprocess.CalledProcessError as failed:
        return failed.returncode, failed.stdout


async def _run(watch: Watch, module: str, *words: str) -> tuple[int, str]:
    """Run a service's own command; return its exit status and output."""
    system = watch.system
    [name] = [name for name in PROGRAMS if module_of(name) == module]
    argv = [sys.executable, "-m", module, *words]
    settings = {**inherited(), **system.environment(name)}
    status, output = await system.supervisor.launcher.run(argv, env=settings, cwd=ROOT)
    return status, output.decode()


def last_hour() -> dict[str, str]:
    """Return the last hour in place of the period that the pages' examples have."""
    now = datetime.now(UTC)
    first, last = now - timedelta(hours=1), now + timedelta(minutes=1)
    return {
        "2026-11-28T08:00Z": f"{first:%Y-%m-%dT%H:%MZ}",
        "2026-11-28T10:00Z": f"{last:%Y-%m-%dT%H:%MZ}",
    }


async def start_by_runbook(
    watch: Watch,
    page: str,
    line: str,
    instead: Mapping[str, str] | None = None,
    *,
    replica: str | None = None,
) -> None:
    """Start a program by the command that the page has, under its own name or as a replica; return once it is ready."""
    system = watch.system
    python, *words = command_of(page, line, instead)
    assert python == "python"
    if words[1] == "deploy.auditor":
        program = Program(
            AUDITOR, [sys.executable, *words], databases(watch), f"{system.url(AUDITOR)}/livez", ROOT
        )
    else:
        [name] = [name for name in PROGRAMS if module_of(name) == words[1]]
        program = system.program(name, replica)
        assert words[2:] == []
    await system.supervisor.start(program)
