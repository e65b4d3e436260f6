"""What a run tells while it goes on: a line for every step, and live counts on a terminal."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from rich.console import Console
from rich.live import Live
from rich.text import Text

REFRESH_SECONDS = 0.25
PLAIN_REFRESH_SECONDS = 3.0
WIDTH_OF_FILES = 110

Counts = Mapping[str, str]


def _console() -> Console:
    """As wide as the terminal; into a file or pipe, wide enough for the table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_OF_FILES)


class Show:
    """Writes to a console; the times are since it was made."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def step(self, what: str) -> None:
        """A step that begins now."""
        self.console.print(f"[dim]{self.seconds:5.1f} s[/dim]  {what}", soft_wrap=True)

    @asynccontextmanager
    async def counting(self, counts: Callable[[], Counts]) -> AsyncIterator[None]:
        """While the body runs, show what `counts` gives: in place on a terminal, now and then a line
        elsewhere.
        """
        show = self._show_live if self.console.is_terminal else self._show_plain
        showing = asyncio.create_task(show(counts))
        try:
            yield
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
            self.console.print(self._line(counts()), soft_wrap=True)

    async def _show_live(self, counts: Callable[[], Counts]) -> None:
        with Live(self._line(counts()), console=self.console, transient=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(REFRESH_SECONDS)
                live.update(self._line(counts()), refresh=True)

    async def _show_plain(self, counts: Callable[[], Counts]) -> None:
        while True:
            await asyncio.sleep(PLAIN_REFRESH_SECONDS)
            self.console.print(self._line(counts()), soft_wrap=True)

    def _line(self, counts: Counts) -> Text:
        text = " · ".join(f"{name} {value}" for name, value in counts.items())
        return Text.assemble((f"{self.seconds:5.1f} s  ", "dim"), text)
