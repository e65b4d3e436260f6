"""Start of a program under the process reaper: it is registered before its first instruction runs."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.leash import leash

WAIT_FOR_THE_LEASH = 'read go && exec "$0" "$@" </dev/null'


@dataclass(frozen=True)
class Identity:
    """The account a program runs under; `None` in both means the current one."""

    uid: int | None = None
    gid: int | None = None


OURSELVES = Identity()


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
    leash.hold(process.pid, last_signal)
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
