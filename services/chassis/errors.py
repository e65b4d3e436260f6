"""Errors as logs, health routes and operators may see them: class and cause, without customer data."""

import traceback
from pathlib import Path

import asyncpg
from pydantic import ValidationError

PLACES = 8


def describe(error: BaseException) -> str:
    """Return an error in one line, without the row or input it is about: those contain customers' texts."""
    name = type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        text = str(error.args[0]) if error.args else ""
        if isinstance(error, asyncpg.DataError):
            text = text.partition(":")[0]
        return f"{name} {error.sqlstate}: {text}"[:500]
    if isinstance(error, ValidationError):
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        return f"{name} of {error.title}: {'; '.join(problem['msg'] for problem in problems[:5])}"[:500]
    return f"{name}: {error}"[:500]


def places(error: BaseException) -> list[str]:
    """Return where an error was raised, innermost frame last, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
