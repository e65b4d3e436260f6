"""Structured logs: one line per event, with the ids needed to trace it.

The format is JSON, or readable text on a terminal. Bodies, secrets and signatures are never logged, nor the
rows and inputs that errors are about: of an error only its class and message (`errors.describe`) and its
frames are logged.
"""

import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Any

import structlog

from services.chassis.errors import describe, places

REPEAT_SECONDS = 60.0


def configure_logs(service: str, level: str) -> None:
    """Send structlog's and the standard library's logs of this process to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _explain_error,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: _Unfailing(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=max(logging.getLevelName(level), logging.WARNING), handlers=[handler])
    for library in ("aiormq", "aio_pika"):  # they log each attempt; the chassis logs once per state
        logging.getLogger(library).setLevel(logging.CRITICAL)


class _Unfailing(structlog.WriteLogger):
    """A logger that ignores write errors (a closed pipe, a full disk): they are no reason to fail the work."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = fatal = exception = failure = err = msg


class Repeats:
    """Rate limit for repeated log lines: the first is written immediately, then one per minute with a
    count.
    """

    def __init__(self, seconds: float = REPEAT_SECONDS, now: Callable[[], float] = monotonic) -> None:
        self._seconds, self._now = seconds, now
        self._said: dict[Hashable, float] = {}
        self._unsaid: Counter[Hashable] = Counter()

    def due(self, key: Hashable) -> int:
        """Return the number of occurrences since the last line with this key, this one included; 0 while no
        line is due."""
        self._unsaid[key] += 1
        now = self._now()
        if key in self._said and now - self._said[key] < self._seconds:
            return 0
        self._said[key] = now
        return self._unsaid.pop(key)


def _explain_error(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event.setdefault("error", describe(error))
        event["places"] = places(error)
    return event
