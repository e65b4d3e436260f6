"""Process reaper: no process started here outlives the program that started it, even when that program is
killed with SIGKILL.

A small watcher in a session of its own reads a pipe whose other end only the program holds. The program sends
which processes it started and which folders are only its own; when the pipe closes, for whatever reason, the
watcher ends the processes still held and removes the folders. Without it, a killed test run would leave
brokers behind.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from shutil import rmtree

from deploy.local import processtree

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 3.0


class ProcessReaper:
    """This program's connection to its watcher; the watcher starts with the first message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe: int | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        os.register_at_fork(after_in_child=self._forget)

    def hold(self, pid: int, last_signal: int = signal.SIGKILL) -> None:
        """End the process `pid` and all its descendants with this program; `last_signal` goes first."""
        self._say(f"hold {pid} {last_signal:d}")

    def release(self, pid: int) -> None:
        """Release `pid`, which has ended: its number may be reused by another process."""
        self._say(f"release {pid}")

    def remove_at_end(self, folder: Path) -> None:
        """Remove `folder` with everything in it when this program ends."""
        self._say(f"remove {folder}")

    def removed(self, folder: Path) -> None:
        """Record that `folder` was removed already."""
        self._say(f"removed {folder}")

    def _say(self, line: str) -> None:
        with self._lock:
            if self._pipe is None:
                self._pipe = self._start()
            os.write(self._pipe, f"{line}\n".encode())

    def _start(self) -> int:
        reading, writing = os.pipe()
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.reaper"],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            start_new_session=True,
        )
        os.close(reading)
        atexit.register(self._let_go)
        return writing

    def _let_go(self) -> None:
        """Close the pipe at the end of the program and wait for the watcher, so that everything is gone on
        return.
        """
        if self._pipe is not None and self._watcher is not None:
            os.close(self._pipe)
            self._pipe = None
            self._watcher.wait(timeout=30)

    def _forget(self) -> None:
        """Close the pipe in a forked child, which is not the program and must not keep it open."""
        if self._pipe is not None:
            os.close(self._pipe)
        self._pipe, self._watcher = None, None
        atexit.unregister(self._let_go)


process_reaper = ProcessReaper()


def watch() -> None:
    """Run the watcher: record what is sent until the pipe closes, then end and remove what is left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    held: dict[int, int] = {}
    folders: list[Path] = []
    for line in sys.stdin:
        verb, _, what = line.rstrip("\n").partition(" ")
        if verb == "hold":
            pid, last_signal = what.split()
            held[int(pid)] = int(last_signal)
        elif verb == "release":
            held.pop(int(what), None)
        elif verb == "remove":
            folders.append(Path(what))
        elif Path(what) in folders:
            folders.remove(Path(what))
    end_all(held)
    for folder in folders:
        rmtree(folder, ignore_errors=True)


def end_all(held: dict[int, int]) -> None:
    """Send each held process its last signal, wait briefly, then send SIGKILL."""
    families = {pid: processtree.descendants(pid) for pid in held}
    for pid, last_signal in held.items():
        processtree.send(pid, last_signal)
    obeying = [pid for pid, last_signal in held.items() if last_signal != signal.SIGKILL]
    processtree.wait_until_gone(obeying, GRACE_SECONDS)
    for pid, family in families.items():
        processtree.kill_tree(pid)
        for member in family:
            processtree.send(member, signal.SIGKILL)


if __name__ == "__main__":
    watch()
