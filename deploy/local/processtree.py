"""Process trees: a process and all its descendants, and how to end them.

Servers move their children out of their process group (PostgreSQL gives each backend a session of its own),
so the group is not enough: descendants are looked up. Nothing here waits for a process with waitpid, which would
take the exit status from the part of the program that started it.
"""

import asyncio
import os
import signal
import time

import psutil

POLL_SECONDS = 0.02
_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def is_running(pid: int) -> bool:
    """Return whether `pid` runs; a process that has ended and waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() not in _ENDED
    except psutil.NoSuchProcess:
        return False


async def ended(pid: int) -> None:
    """Return when `pid` has ended, also while it waits to be reaped."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process, end.set)
    try:
        await end.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


def descendants(pid: int) -> list[int]:
    """Return all descendants of `pid`, without `pid` itself."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


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
