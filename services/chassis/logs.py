"""Structured logs: one line per thing that happened, with the ids to follow it by.

JSON when nobody watches, readable on a terminal. Bodies, secrets and signatures are never logged.
"""

import logging
import sys

import structlog


def configure_logs(service: str, level: str) -> None:
    """Send structlog and the standard library's logs of this process to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    tail: list[structlog.typing.Processor] = [] if terminal else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*shared, *tail, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(
        level=max(logging.getLevelName(level), logging.WARNING), stream=sys.stderr, format="%(message)s"
    )
