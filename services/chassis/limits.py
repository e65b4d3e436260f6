"""Waits on a connection that can't last for ever, and that end as errors, never as cancellations of our own tasks.

When a connection is closed, aiormq ends whatever still waits on it with CancelledError. To asyncio that looks as if the
waiting task itself had been cancelled: a loop that lets it through ends without a word.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class ConnectionEnded(ConnectionError):
    """The connection was closed while somebody waited on it."""


def is_cancelled() -> bool:
    """Whether the present task itself has been asked to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@contextmanager
def cancellations_as_errors() -> Iterator[None]:
    """Raise ConnectionEnded where a library cancels what is waited for; a task that is cancelled itself ends."""
    try:
        yield
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        raise ConnectionEnded("the connection was closed") from error


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, or TimeoutError after so many seconds, also when it does not let itself be cancelled.

    `asyncio.wait_for` waits until what it has cancelled is over, which on a dead connection may be never.
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
"""What was cancelled and may take its time: asyncio itself keeps no reference to a task."""


def _abandon(task: asyncio.Future[Any]) -> None:
    _abandoned.add(task)
    task.add_done_callback(_forget)
    task.cancel()


def _forget(task: asyncio.Future[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
