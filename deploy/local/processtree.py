"""Process trees: a process and all its descendants, and how to end them.

Servers move their children out of their process group (PostgreSQL gives each backend a session of its own),
so the group is not enough: descendants are read from /proc, where that exists.
"""

import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")
POLL_SECONDS = 0.02


def _parent_and_state(pid: int) -> tuple[int, str] | None:
    """Return the parent's id and the state code of `pid`; None when the process has gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return int(fields[1]), fields[0]


def is_running(pid: int) -> bool:
    """Return whether `pid` runs; a process that has ended and waits to be reaped does not."""
    if PROC.is_dir():
        seen = _parent_and_state(pid)
        return seen is not None and seen[1] not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def descendants(pid: int) -> list[int]:
    """Return all descendants of `pid`, without `pid` itself."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        seen = _parent_and_state(int(entry.name))
        if seen:
            children.setdefault(seen[0], []).append(int(entry.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def send(pid: int, signal_number: int, *, whole_group: bool = False) -> None:
    """Signal `pid`, or all of the process group it leads; do nothing when no such process exists any more."""
    try:
        if whole_group:
            os.killpg(pid, signal_number)
        else:
            os.kill(pid, signal_number)
    except (ProcessLookupError, PermissionError):
        return


def wait_until_gone(pids: list[int], timeout_seconds: float) -> bool:
    """Wait until none of `pids` runs any more; return whether that was so before the time was over."""
    deadline = time.monotonic() + timeout_seconds
    while any(is_running(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def kill_tree(pid: int) -> None:
    """Send SIGKILL to the leader `pid`, its group and all descendants; return when they are gone (at most 10
    s).

    The leader is killed first, so that it cannot start or restart anything meanwhile.
    """
    family = descendants(pid)
    send(pid, signal.SIGKILL)
    send(pid, signal.SIGKILL, whole_group=True)
    for member in family:
        send(member, signal.SIGKILL)
    wait_until_gone([pid, *family], timeout_seconds=10)
