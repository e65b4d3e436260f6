"""What the bench is doing while it runs: on a terminal one line that changes, elsewhere a line now and then."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from rich.console import Console

EVERY_SECONDS = 5.0
"""As often a line is told where lines stay, and a count is taken: more often it would be a part of what is measured."""


class Progress:
    """Shows the current step and its progress; prints nothing without a console."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._status = console.status("") if console is not None and console.is_terminal else None
        self._began = time.monotonic()
        self._reported_at = -EVERY_SECONDS

    def begin(self, step: str) -> None:
        """A step begins: it is told at once."""
        self._reported_at = -EVERY_SECONDS
        self.report(step)

    def report(self, text: str) -> None:
        """How far it is; elsewhere than on a terminal not more often than every few seconds."""
        now = time.monotonic()
        if self._status is not None:
            self._status.start()
            self._status.update(text)
        elif self._console is not None and now - self._reported_at >= EVERY_SECONDS:
            self._console.print(f"{now - self._began:5.0f} s  {text}", markup=False, highlight=False)
        else:
            return
        self._reported_at = now

    def end(self, line: str) -> None:
        """Something is finished: its line stays."""
        if self._status is not None:
            self._status.stop()
        if self._console is not None:
            self._console.print(line, markup=False, highlight=False)

    @contextlib.asynccontextmanager
    async def watching(self, step: str, count: Callable[[], Awaitable[int]]) -> AsyncIterator[None]:
        """Tell a count that grows for as long as the body runs. A count that fails ends the telling alone."""
        self.begin(step)
        task = asyncio.create_task(self._watch(step, count))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, step: str, count: Callable[[], Awaitable[int]]) -> None:
        first, began = await count(), time.monotonic()
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            done, seconds = await count() - first, time.monotonic() - began
            self.report(f"{step}: {done:,} in {seconds:.0f} s, {done / seconds:.0f}/s")
