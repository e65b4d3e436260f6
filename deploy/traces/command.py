"""`comptoir traces`: export the traces of a period."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy.auditor.inputs import open_inputs
from deploy.cli.environment import database_urls
from deploy.cli.failures import NotConfigured, Unreachable
from deploy.cli.options import AsJson, check_period, environment_of, named_file, time_with_offset
from deploy.cli.output import Steps, counted, emit, progress
from deploy.traces.reading import Reader, windows
from deploy.traces.sending import AT_ONCE, Receiver, endpoint_of, headers_of
from deploy.traces.spans import Span, spans_of

SETTLED = timedelta(minutes=2)
"""What was sent more recently may still be on its way, and is left for the next export."""
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Cursor:
    """A file that keeps until when traces were exported, and when."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.until: datetime | None = None
        self.made_at: datetime | None = None
        if file is not None and _exists(file):
            try:
                read = json.loads(file.read_text(encoding="utf-8"))
                self.until, self.made_at = (
                    datetime.fromisoformat(read[name]) for name in ("until", "made_at")
                )
            except OSError as error:
                raise NotConfigured(f"could not read {file} ({error.strerror}): correct --cursor") from None
            except (ValueError, KeyError, TypeError):
                raise NotConfigured(
                    f"{file} is not a cursor of an export: remove it, and give the beginning with --from"
                ) from None

    def keep(self, until: datetime, made_at: datetime) -> None:
        """Write until when traces were exported; the file is replaced as a whole."""
        if self._file is None:
            return
        written = self._file.with_name(f"{self._file.name}.new")
        text = json.dumps({"until": until.isoformat(), "made_at": made_at.isoformat()})
        try:
            written.write_text(text, encoding="utf-8")
            written.replace(self._file)
        except OSError as error:
            raise NotConfigured(
                f"could not write {self._file} ({error.strerror}): correct --cursor"
            ) from None


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError as error:
        raise NotConfigured(f"could not read {file} ({error.strerror}): correct --cursor") from None


def traces(
    context: typer.Context,
    otlp: Annotated[
        str, typer.Option("--otlp", metavar="URL", help="OTLP/HTTP receiver, such as http://127.0.0.1:4318.")
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            parser=time_with_offset,
            help="Since this time, unless --cursor has one; an hour ago unless given.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TIME",
            parser=time_with_offset,
            help="Until before this time; two minutes ago unless given.",
        ),
    ] = None,
    cursor_file: Annotated[
        Path | None,
        typer.Option(
            "--cursor",
            metavar="FILE",
            dir_okay=False,
            callback=named_file,
            help="Go on where the last export with this file ended.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export the traces of a period by OTLP.

    They are derived from the event logs, the inboxes and the mails; nothing is measured for them while messages are
    handled. They hold ids, types and times, no personal data. COMPTOIR_OTLP_HEADERS has the receiver's headers,
    NAME=VALUE.
    """
    now = datetime.now(UTC)
    cursor = Cursor(cursor_file)
    end = datetime.fromisoformat(until) if until else now - SETTLED
    begin = cursor.until or (datetime.fromisoformat(since) if since else now - timedelta(hours=1))
    if cursor.until is None:
        check_period(begin, end)
    environment = environment_of(context)
    urls, endpoint = database_urls(environment), endpoint_of(otlp)
    receiver = Receiver(endpoint, headers_of(environment.get("COMPTOIR_OTLP_HEADERS", "")))
    parts = list(windows(begin, end))
    try:
        with progress("exporting traces", len(parts), as_json) as bar:
            sent = asyncio.run(_export(urls, receiver, parts, cursor, now, bar))
    except DATABASE_ERRORS as error:
        raise Unreachable(
            f"the traces could not be read ({type(error).__name__}): is PostgreSQL running?"
        ) from None
    finally:
        receiver.close()
    emit(
        {"spans": sent, "from": begin.isoformat(), "to": end.isoformat()},
        as_json,
        lambda console: console.print(
            f"{counted(sent, 'span')} of {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC exported"
        ),
    )


async def _export(
    urls: Mapping[str, str],
    receiver: Receiver,
    parts: Sequence[tuple[datetime, datetime]],
    cursor: Cursor,
    now: datetime,
    bar: Steps,
) -> int:
    sent = 0
    if not parts:
        return 0
    async with open_inputs(urls) as inputs:
        reader = Reader(inputs, parts[0][0], cursor.made_at)
        for begin, end in parts:
            for batch in _batches(list(spans_of(await reader.read(begin, end)))):
                await asyncio.to_thread(receiver.send, batch)
                sent += len(batch)
            cursor.keep(end, now)
            bar.step()
    return sent


def _batches(spans: list[Span]) -> Iterator[list[Span]]:
    for begun in range(0, len(spans), AT_ONCE):
        yield spans[begun : begun + AT_ONCE]
