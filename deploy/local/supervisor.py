"""Our own processes, kept running: started in order, ready before the next, restarted when they die.

What an orchestrator does in production, for the demo and the tests of faults on one machine. A process that
dies by itself comes back after a pause that doubles with each death; one that a test killed or stopped stays
dead until it is started again. Nothing outlives the program that supervises (see `leash`).

    async with Supervisor(Path("var/demo")) as supervisor:
        await supervisor.start(Program("orders", [python, "-m", "services.orders"], env, "http://127.0.0.1:8001/readyz"))
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from deploy.local import processtree
from deploy.local.leash import leash
from deploy.local.spawning import spawn

READY_SECONDS = 30.0
GRACE_SECONDS = 10.0
POLL_SECONDS = 0.03
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
LOG_TAIL_CHARACTERS = 3000


class ProgramNotReady(Exception):
    """A program ended or did not become ready in time; carries the end of its log."""


@dataclass(frozen=True)
class Program:
    """What to run. `env` is added to our environment; it is ready when a GET of `ready_url` answers 200."""

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    ready_url: str | None = None
    cwd: Path | None = None


@dataclass
class _Running:
    program: Program
    process: subprocess.Popen[bytes]
    wanted: bool = True
    restarts: int = 0
    deaths: list[int] = field(default_factory=list)
    keeper: asyncio.Task[None] | None = None


class Supervisor:
    """Runs programs with their logs in `folder`/log/<name>.log; leaving the context stops them, last started first."""

    def __init__(self, folder: Path, ready_seconds: float = READY_SECONDS) -> None:
        self.folder = folder
        self.ready_seconds = ready_seconds
        self._running: dict[str, _Running] = {}
        self._http = httpx2.AsyncClient(timeout=2, trust_env=False)

    async def __aenter__(self) -> Self:
        (self.folder / "log").mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for name in reversed(list(self._running)):
                await self.stop(name)
        finally:
            await self._http.aclose()

    async def start(self, *programs: Program) -> None:
        """Start them side by side and return when all are ready; ProgramNotReady names the one that is not."""
        for program in programs:
            self._launch(program)
        await asyncio.gather(*(self.ready(program.name) for program in programs))

    async def ready(self, name: str) -> None:
        """Return when the program answers ready; it may die and come back meanwhile, within the deadline."""
        running = self._running[name]
        deadline = asyncio.get_running_loop().time() + self.ready_seconds
        while not await self._answers_ready(running):
            late = asyncio.get_running_loop().time() > deadline
            if late or not running.wanted:
                why = f"not ready within {self.ready_seconds:.0f} s" if late else "was stopped"
                raise ProgramNotReady(
                    f"{name} {why}; deaths: {running.deaths}; its log ends:\n{self.log_tail(name)}"
                )
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self, name: str, grace_seconds: float = GRACE_SECONDS) -> None:
        """SIGTERM, and SIGKILL for what still runs after the grace; it is not restarted."""
        running = self._unwanted(name)
        processtree.send(running.process.pid, signal.SIGTERM)
        if not await self._ends(running.process, grace_seconds):
            await asyncio.to_thread(processtree.kill_tree, running.process.pid)
        await self._finish(running)

    async def kill(self, name: str) -> None:
        """SIGKILL for the program and all it started; it is not restarted."""
        running = self._unwanted(name)
        await asyncio.to_thread(processtree.kill_tree, running.process.pid)
        await self._finish(running)

    async def restart(self, name: str) -> None:
        """Stop it in good order, or take it as it is when already dead, start it again and wait until it is ready."""
        if not self.is_dead(name):
            await self.stop(name)
        self._launch(self._running[name].program)
        await self.ready(name)

    def pid(self, name: str) -> int:
        """The process id of the program's latest start."""
        return self._running[name].process.pid

    def restarts(self, name: str) -> int:
        """How often it died by itself and was started again."""
        return self._running[name].restarts

    def deaths(self, name: str) -> list[int]:
        """Exit statuses of its own deaths, oldest first (negative: the signal)."""
        return list(self._running[name].deaths)

    def exited(self, name: str) -> int | None:
        """The exit status of the latest start (negative: the signal), None while it runs."""
        return self._running[name].process.poll()

    def is_dead(self, name: str) -> bool:
        """Whether it runs no more and will not be restarted."""
        running = self._running[name]
        return not running.wanted and running.process.poll() is not None

    def names(self) -> list[str]:
        """All programs started so far."""
        return list(self._running)

    def log(self, name: str) -> Path:
        """The file with everything the program wrote."""
        return self.folder / "log" / f"{name}.log"

    def log_tail(self, name: str) -> str:
        """The end of its log."""
        return self.log(name).read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]

    def _launch(self, program: Program) -> None:
        known = self._running.pop(program.name, None)
        if known and known.wanted:
            self._running[program.name] = known
            raise ValueError(f"{program.name} runs already; stop or kill it first")
        running = _Running(program, self._spawn(program))
        if known:
            running.restarts, running.deaths = known.restarts, known.deaths
        running.keeper = asyncio.create_task(self._keep(running), name=f"keep {program.name}")
        self._running[program.name] = running

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **program.env}
        return spawn(
            program.argv,
            log=self.log(program.name),
            env=environment,
            cwd=program.cwd,
            last_signal=signal.SIGTERM,
        )

    async def _keep(self, running: _Running) -> None:
        """Start the program again whenever it ends unasked; the pause doubles up to five seconds."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            while running.process.poll() is None:
                await asyncio.sleep(POLL_SECONDS)
            running.deaths.append(running.process.returncode)
            leash.release(running.process.pid)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            running.process = self._spawn(running.program)
            running.restarts += 1

    def _unwanted(self, name: str) -> _Running:
        running = self._running[name]
        running.wanted = False
        if running.keeper:
            running.keeper.cancel()
        return running

    async def _ends(self, process: subprocess.Popen[bytes], within_seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + within_seconds
        while process.poll() is None:  # noqa: ASYNC110 - a process tells nobody that it ended
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def _finish(self, running: _Running) -> None:
        """Reap it, end what it may have left in its group, and take it off the leash."""
        await asyncio.to_thread(running.process.wait)
        processtree.send(running.process.pid, signal.SIGKILL, whole_group=True)
        leash.release(running.process.pid)

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
