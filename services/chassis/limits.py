"""Limited waits on a connection, which end with errors, never with cancellations of our own tasks.

When a connection is closed, aiormq ends every wait on it with CancelledError. To asyncio that looks as if the
waiting task itself had been cancelled: a loop that lets it propagate ends silently.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class ConnectionEnded(ConnectionError):
    """The connection was closed while a task waited on it."""


def is_cancelled() -> bool:
    """Return whether the current task itself has been asked to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@contextmanager
def cancellations_as_errors() -> Iterator[None]:
    """Raise ConnectionEnded where a library cancels an awaited future; a cancellation of the task itself
    propagates."""
    try:
        yield
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        raise ConnectionEnded("the connection was closed") from error


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, or raise TimeoutError after that many seconds, even when `work` ignores
    its cancellation.

    `asyncio.wait_for` waits until the cancelled task has ended, which on a dead connection may be never.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not done:
        _abandon(task)
        raise TimeoutError(f"no answer within {seconds:g} s")
    if task.cancelled():
        raise ConnectionEnded("the connection was closed")
    return task.result()


_abandoned: set[asyncio.Future[Any]] = set()
"""Cancelled tasks that may still be running: asyncio itself keeps no strong reference to a task."""


def _abandon(task: asyncio.Future[Any]) -> None:
    _abandoned.add(task)
    task.add_done_callback(_forget)
    task.cancel()


def _forget(task: asyncio.Future[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
