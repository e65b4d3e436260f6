"""Supervisor of our own processes: started in order, ready before the next, restarted when they die.

It does for the demo and the fault tests on one machine what an orchestrator does in production. A process
that dies by itself is restarted after a pause that doubles with each death; one that was killed or stopped by
`kill` or `stop` is not restarted until it is started again. Nothing outlives the supervising program (see
`process_reaper`).

    async with Supervisor(Path("var/demo")) as supervisor:
        await supervisor.start(Program("orders", [python, "-m", "services.orders"], env, f"{url}/readyz"))
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from deploy.local import processtree
from deploy.local.reaper import process_reaper
from deploy.local.spawning import Launcher, RunningProcess

READY_SECONDS = 30.0
GRACE_SECONDS = 10.0
POLL_SECONDS = 0.03
DEATHS_TO_GIVE_UP = 3
STABLE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
LOG_TAIL_CHARACTERS = 3000


class ProgramNotReady(Exception):
    """A program exited or did not become ready in time; carries its exit statuses and the end of its log."""


class ProgramRunsAlready(Exception):
    """A program of that name is already running: stop or kill it before starting it again."""


@dataclass(frozen=True)
class Program:
    """A program to run. `env` is added to `inherited`; the program is ready when a GET of `ready_url` answers
    200.
    """

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    ready_url: str | None = None
    cwd: Path | None = None


@dataclass
class _Running:
    """One start of a program and, while it is wanted, the task that restarts it."""

    program: Program
    process: RunningProcess
    wanted: bool = True
    restarts: int = 0
    deaths: list[int] = field(default_factory=list)
    keeper: asyncio.Task[None] | None = None


class Supervisor:
    """Runs programs, each with its log in `folder`/log/<name>.log; leaving the context stops them all."""

    def __init__(
        self, folder: Path, ready_seconds: float = READY_SECONDS, launcher: Launcher | None = None
    ) -> None:
        self.folder = folder
        self.ready_seconds = ready_seconds
        self.launcher = launcher or Launcher()
        self._running: dict[str, _Running] = {}
        self._http = httpx2.AsyncClient(timeout=2, trust_env=False)

    async def __aenter__(self) -> Self:
        (self.folder / "log").mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(*(self.stop(name) for name in self._running))
        finally:
            await self._http.aclose()

    async def start(self, *programs: Program) -> None:
        """Start them side by side; return when all are ready, or raise ProgramNotReady with the one that is
        not and why.
        """
        for program in programs:
            self._launch(program)
        await asyncio.gather(*(self.ready(program.name) for program in programs))

    async def ready(self, name: str) -> None:
        """Return when the program is ready; meanwhile it may die and be restarted, but not a third time."""
        running = self._running[name]
        deadline = time.monotonic() + self.ready_seconds
        too_many = len(running.deaths) + DEATHS_TO_GIVE_UP
        while not await self._answers_ready(running):
            late = time.monotonic() > deadline
            if late or not running.wanted or len(running.deaths) >= too_many:
                why = (
                    f"is not ready within {self.ready_seconds:.0f} s" if late else "ended before it was ready"
                )
                statuses = f"exit statuses {running.deaths}" if running.deaths else "it has not ended"
                raise ProgramNotReady(f"{name} {why} ({statuses}); its log ends:\n{self.log_tail(name)}")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self, name: str, grace_seconds: float = GRACE_SECONDS) -> None:
        """Send SIGTERM, and SIGKILL to processes still running after the grace period; the program is not
        restarted.
        """
        process = self._unwanted(name)
        if process.returncode is None:
            processtree.send(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
            while processtree.is_running(process.pid) and time.monotonic() < deadline:
                await asyncio.sleep(POLL_SECONDS)
        await self._finish(process)

    async def kill(self, name: str) -> None:
        """Send SIGKILL to the program and all its descendants; it is not restarted."""
        await self._finish(self._unwanted(name))

    async def restart(self, name: str) -> None:
        """Stop it cleanly unless it is dead already, start it again and wait until it is ready."""
        await self.stop(name)
        self._launch(self._running[name].program)
        await self.ready(name)

    def pid(self, name: str) -> int:
        """Return the process id of the program's latest start."""
        return self._running[name].process.pid

    def restarts(self, name: str) -> int:
        """Return how often it died by itself and was restarted."""
        return self._running[name].restarts

    def deaths(self, name: str) -> list[int]:
        """Return the exit statuses of unrequested deaths, oldest first (negative: the signal)."""
        return list(self._running[name].deaths)

    def exited(self, name: str) -> int | None:
        """Return the exit status of the latest start (negative: the signal), None while it runs."""
        process = self._running[name].process
        return None if processtree.is_running(process.pid) else process.poll()

    def names(self) -> list[str]:
        """Return all programs started so far."""
        return list(self._running)

    def log(self, name: str) -> Path:
        """Return the file with the program's output."""
        return self.folder / "log" / f"{name}.log"

    def log_tail(self, name: str) -> str:
        """Return the end of its log."""
        return self.log(name).read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]

    def _launch(self, program: Program) -> None:
        before = self._running.get(program.name)
        if before and before.wanted:
            raise ProgramRunsAlready(f"{program.name} (process {before.process.pid}): stop or kill it first")
        running = _Running(program, self._spawn(program))
        if before:
            running.restarts, running.deaths = before.restarts, before.deaths
        running.keeper = asyncio.create_task(self._keep(running), name=f"keep {program.name}")
        self._running[program.name] = running

    def _spawn(self, program: Program) -> RunningProcess:
        log = self.log(program.name)
        environment = {**inherited(), **program.env}
        return self.launcher.start(
            program.argv, log=log, env=environment, cwd=program.cwd, last_signal=signal.SIGTERM
        )

    async def _keep(self, running: _Running) -> None:
        """Restart the program whenever it exits without a request.

        The pause doubles up to five seconds, and is short again once the program has run for half a minute.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            await processtree.ended(running.process.pid)
            await self._finish(running.process)
            running.deaths.append(running.process.wait())
            if time.monotonic() - began > STABLE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            running.process = self._spawn(running.program)
            running.restarts += 1

    def _unwanted(self, name: str) -> RunningProcess:
        """Mark the program as no longer to be restarted."""
        running = self._running[name]
        running.wanted = False
        if running.keeper:
            running.keeper.cancel()
        return running.process

    async def _finish(self, process: RunningProcess) -> None:
        """End the rest of its processes, reap it, and release it from the process reaper.

        Once it is reaped, its number may belong to another process: then there is nothing to end.
        """
        if process.returncode is None:
            await asyncio.to_thread(processtree.kill_tree, process.pid)
            await asyncio.to_thread(process.wait)
        process_reaper.release(process.pid)

    async def _answers_ready(self, running: _Running) -> bool:
        if running.process.poll() is not None:
            return False
        if running.program.ready_url is None:
            return True
        try:
            answer = await self._http.get(running.program.ready_url)
        except httpx2.HTTPError:
            return False
        return bool(answer.status_code == 200)


def inherited() -> dict[str, str]:
    """Return our environment without settings of Comptoir: those set by a person here are for the parts, such
    as a server to use, and a program receives only the settings given to it.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COMPTOIR_")}
