"""Output of the commands: JSON on standard output, or text and tables; progress on standard error.

Invariant: no control character of a message's sender reaches the terminal. Such text could rename the window,
write to the clipboard or hide what is printed.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

WIDTH_OF_FILES = 200
"""Characters of a line where the output is a file or a pipe: tables are not folded there."""
_VISIBLE = {code: chr(0x2400 + code) for code in range(0x20) if code != ord("\n")}
_VISIBLE |= {0x7F: "\u2421", **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}}
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_VISIBLE |= {code: f"\\u{code:04x}" for code in _DIRECTIONS}


def visible(text: str) -> str:
    """Return the text with its control characters as signs: ESC as ␛, C1 ones as \\x9b, those of direction as
    \\u202e. A newline stays.
    """
    return text.translate(_VISIBLE)


def _shown(title: str | None) -> str | None:
    return None if title is None else visible(title)


class _Terminal(Console):
    """Console that shows the control characters of the texts it prints, also those in tables."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options)


def emit(data: Mapping[str, Any], as_json: bool, text: Callable[[Console], None]) -> None:
    """Write a command's result: `data` as one line of JSON in ASCII, or what `text` prints."""
    if as_json:
        sys.stdout.write(json.dumps(data) + "\n")
        return
    console = _Terminal(highlight=False, markup=False, soft_wrap=True, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    text(console)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, as `1 order` and `12,000 orders`."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table without lines; None is shown as -."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*("-" if value is None else str(value) for value in row))
    return made


class Steps:
    """A bar of the progress of a long command."""

    def __init__(self, progress: Progress, title: str, total: float | None) -> None:
        self._progress, self._task = progress, progress.add_task(visible(title), total=total)

    def show(self, done: float | None = None, title: str | None = None) -> None:
        """Show how much is done, and a title that says what is going on."""
        self._progress.update(self._task, completed=done, description=_shown(title))

    def step(self, title: str | None = None) -> None:
        """Show that one more is done."""
        self._progress.update(self._task, advance=1, description=_shown(title))


@contextmanager
def progress(title: str, total: float | None, as_json: bool) -> Iterator[Steps]:
    """Show a bar on standard error while the body runs, if that is a terminal; a total of None is not known."""
    console = Console(stderr=True, highlight=False)
    count = MofNCompleteColumn() if total is not None else TextColumn("")
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        count,
        TimeElapsedColumn(),
    )
    is_shown = console.is_terminal and not as_json
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as shown:
        yield Steps(shown, title, total)
