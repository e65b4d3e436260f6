"""Start of a program under the process reaper: it is registered before its first instruction runs."""

import asyncio
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.reaper import process_reaper

RUN_SECONDS = 120
WAIT_FOR_THE_LEASH = 'read go && exec "$0" "$@" </dev/null'


@dataclass(frozen=True)
class Identity:
    """The account a program runs under; `None` in both means the current one."""

    uid: int | None = None
    gid: int | None = None


OURSELVES = Identity()


class RunningProcess(Protocol):
    """A process that was started, as far as a supervisor needs it; `subprocess.Popen` is one."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Launcher:
    """The way programs of a system are started: each by an interpreter of its own. Tests have a faster one."""

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        last_signal: int = signal.SIGKILL,
    ) -> RunningProcess:
        """Start a program that stays, held by the process reaper; see `spawn`."""
        return spawn(argv, log=log, env=env, cwd=cwd, last_signal=last_signal)

    async def run(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, stdin: bytes = b""
    ) -> tuple[int, bytes]:
        """Run a program to its end; return its exit status and its output. TimeoutError after two minutes."""
        process = await asyncio.create_subprocess_exec(
            *(str(part) for part in argv),
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(stdin), RUN_SECONDS)
        assert process.returncode is not None
        return process.returncode, output


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    identity: Identity = OURSELVES,
    last_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own, its output appended to `log`; the returned process is the program
    itself.

    A shell waits for our signal and becomes the program only after the reaper holds it, so at no time would
    our death leave it running. `last_signal` is what the reaper sends it before SIGKILL.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", WAIT_FOR_THE_LEASH, *(str(part) for part in argv)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            user=identity.uid,
            group=identity.gid,
            extra_groups=None if identity.uid is None else [],
        )
    process_reaper.hold(process.pid, last_signal)
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.close()
    return process


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    identity: Identity = OURSELVES,
    timeout_seconds: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run `argv` to its end; raise CalledProcessError with its output when it fails."""
    return subprocess.run(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(env),
        cwd=cwd,
        check=True,
        timeout=timeout_seconds,
        user=identity.uid,
        group=identity.gid,
        extra_groups=None if identity.uid is None else [],
    )
