"""Group commit for requests: many callers share one transaction.

Items that arrive while a commit runs become the next batch; there is no timer, so a single caller never waits
for others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Group commit of items in batches of at most `limit`. `commit` returns one result per item, in order."""

    def __init__(self, commit: Callable[[Sequence[T]], Awaitable[Sequence[R]]], limit: int = 100) -> None:
        self._commit = commit
        self._limit = limit
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Return the result for this item, once its batch is committed. Raises the exception of `commit`."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._limit))]
            try:
                results = await self._commit([item for item, _ in batch])
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)
            except Exception as error:
                _fail(batch, error)
            except BaseException:
                _fail(batch, ConnectionAbortedError("the process is stopping"))
                raise


def _fail(batch: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
