"""Programs forked from an interpreter that has imported their modules already: tests start them hundreds of times.

Each is a process of its own, with its own id, session, environment and log, and dies by `kill -9` like any other; only
the second or two of imports is spared, and what `tests.quick` names. `python -m tests.preloading` is the interpreter;
`Preloaded` asks it for processes over a socket. It reports how a process ended and reaps it once that was read, so an
id is never reused early.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

from deploy.local.reaper import process_reaper
from deploy.local.spawning import Launcher, RunningProcess
from deploy.local.supervisor import inherited
from deploy.local.system import PROGRAMS, ROOT, module_of
from services.chassis import failpoints
from tests.quick import hash_quickly, share_certificates

_MOST_BYTES = 262_144
IMPORTED_LATE = (
    "anyio._backends._asyncio",
    "httpcore2",
    "uvicorn.protocols.http.auto",
    "uvicorn.lifespan.off",
)
"""Modules that libraries import when they are first used: 50 ms of each process."""


class ForkedProcess:
    """A process of the interpreter's, as `subprocess.Popen` shows one of ours."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal), None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
                self.returncode = int(self._connection.recv(64) or -signal.SIGKILL)
                self._connection.close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once there is one; raise TimeoutExpired if it takes longer."""
        if self.returncode is None and not select.select([self._connection], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        status = self.poll()
        assert status is not None
        return status


class Preloaded(Launcher):
    """A launcher whose `python -m` programs are forked; all others start as usual."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._interpreter = subprocess.Popen(
                [sys.executable, "-m", "tests.preloading"],
                stdin=theirs.fileno(),
                cwd=ROOT,
                env=inherited(),
                start_new_session=True,
            )
        process_reaper.hold(self._interpreter.pid)
        self._requests = ours
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the interpreter; its processes have ended before."""
        self._requests.close()
        self._interpreter.wait(30)
        process_reaper.release(self._interpreter.pid)

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        last_signal: int = signal.SIGKILL,
    ) -> RunningProcess:
        if list(argv[:2]) != [sys.executable, "-m"]:
            return super().start(argv, log=log, env=env, cwd=cwd, last_signal=last_signal)
        with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            return self._fork(argv[2:], env, cwd or Path.cwd(), last_signal, nothing, output)

    async def run(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, stdin: bytes = b""
    ) -> tuple[int, bytes]:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
            given.write(stdin)
            given.seek(0)
            process = self._fork(argv[2:], env, cwd, signal.SIGKILL, given, output)
            try:
                status = await asyncio.to_thread(process.wait, 120)
            finally:
                process_reaper.release(process.pid)
            output.seek(0)
            return status, output.read()

    def _fork(
        self,
        arguments: Sequence[str | Path],
        env: Mapping[str, str],
        cwd: Path,
        last_signal: int,
        given: Any,
        output: Any,
    ) -> ForkedProcess:
        """Have the interpreter fork; the process waits until the reaper holds it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        wanted = {"arguments": [str(each) for each in arguments], "env": dict(env), "cwd": str(cwd)}
        files = [given.fileno(), output.fileno(), theirs.fileno()]
        with self._lock, theirs:
            socket.send_fds(self._requests, [json.dumps(wanted).encode()], files)
        process = ForkedProcess(int(ours.recv(64)), ours)
        process_reaper.hold(process.pid, last_signal)
        ours.send(b"go")
        return process


class _Interpreter:
    """The other side: forks what is asked for, reports ends, reaps."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._children: dict[socket.socket, int] = {}
        self._ended: set[socket.socket] = set()

    def serve(self) -> dict[str, Any] | None:
        """Answer requests until the client closes: then return None. In a forked process: return what it is to run."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            for ready in select.select([self._requests, woken, *self._ended], [], [])[0]:
                if ready is woken:
                    woken.recv(4096)
                    self._report()
                elif ready is not self._requests:
                    self._reap(ready)
                elif (wanted := self._receive()) is None:
                    return None
                elif wanted:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    woken.close()
                    waker.close()
                    return wanted

    def _receive(self) -> dict[str, Any] | None:
        """Fork for one request; return what to run in the new process, an empty dict in this one, None at the end."""
        text, files, _, _ = socket.recv_fds(self._requests, _MOST_BYTES, 3)
        if not text:
            return None
        given, output, connection = files[0], files[1], socket.socket(fileno=files[2])
        child = os.fork()
        if child:
            os.close(given)
            os.close(output)
            self._children[connection] = child
            return {}
        for other in (self._requests, *self._children):
            other.close()
        _become_own(connection, given, output)
        return dict(json.loads(text))

    def _report(self) -> None:
        for connection, child in self._children.items():
            seen = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if seen is not None and connection not in self._ended:
                died = seen.si_code != os.CLD_EXITED
                with contextlib.suppress(OSError):
                    connection.send(str(-seen.si_status if died else seen.si_status).encode())
                self._ended.add(connection)

    def _reap(self, connection: socket.socket) -> None:
        """The client has read the status and closed: the id may be used again."""
        if connection.recv(64):
            return
        os.waitpid(self._children.pop(connection), 0)
        self._ended.remove(connection)
        connection.close()


def _become_own(connection: socket.socket, given: int, output: int) -> None:
    """Take a session and files of one's own; go on when the client says so, end when it is gone."""
    os.setsid()
    connection.send(str(os.getpid()).encode())
    if connection.recv(2) != b"go":
        os._exit(1)
    for source, target in ((given, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for file in (given, output):
        os.close(file)
    connection.close()


def _run(wanted: Mapping[str, Any]) -> None:
    """Be `python -m MODULE ARGUMENTS…` from here on."""
    module, *arguments = wanted["arguments"]
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["env"])
    importlib.reload(failpoints)
    sys.argv, sys.path[0] = [module, *arguments], wanted["cwd"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _prepare_back_office() -> None:
    """Find the pages and read the templates, which the back office does when it starts: half a second."""
    web = "services.orders.backoffice.web"
    importlib.import_module(f"{web}.routing").found_in(importlib.import_module("services.orders.backoffice"))
    importlib.import_module(f"{web}.rendering").Templates(importlib.import_module(f"{web}.statics").Statics())


def _prepare_notifier() -> None:
    """Load the templates of mails, which the notifier does when it starts: 120 ms."""
    importlib.import_module("services.notifier.profile.samples").preload_templates()


def _main() -> None:
    requests = socket.socket(fileno=os.dup(0))
    for program in PROGRAMS:
        importlib.import_module(f"{module_of(program)}.__main__")
    for module in IMPORTED_LATE:
        importlib.import_module(module)
    _prepare_back_office()
    _prepare_notifier()
    share_certificates()
    httpx2.create_ssl_context(trust_env=False)
    hash_quickly()
    gc.collect()
    gc.freeze()
    wanted = _Interpreter(requests).serve()
    if wanted is not None:
        _run(wanted)


if __name__ == "__main__":
    _main()
