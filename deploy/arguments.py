"""Paths, addresses, names and numbers given to the programs of deploy.

An empty one is refused: it is most often a variable of a script that is not set. As a path it would mean the current
folder, as an address that none was given. One whose bytes are not UTF-8 could be neither sent nor shown.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from services.chassis.texts import fault_of_url, is_utf8

NOT_UTF8 = "is not UTF-8: check the encoding of the terminal or script that it comes from"


def not_utf8(arguments: Sequence[str]) -> str | None:
    """Return which of a command line's arguments is not UTF-8, as a sentence; None if all are."""
    for position, argument in enumerate(arguments):
        if not is_utf8(argument):
            before = arguments[position - 1] if position else ""
            name = before if before.startswith("--") and is_utf8(before) else f"argument {position + 1}"
            return f"{name} {NOT_UTF8}"
    return None


def number_of_seconds(given: str | float) -> float:
    """Return a number of seconds from 0 on. Raises ValueError with a sentence."""
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"{str(given)[:40]!r} is not a number of seconds from 0 on; give one such as 30")
    return number


def seconds(given: str) -> float:
    """Return a number of seconds. Raises ArgumentTypeError for another text, also for an infinite number."""
    try:
        return number_of_seconds(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def named_path(given: str) -> Path:
    """Return a path as it was given. Raises ArgumentTypeError for an empty one, and one that is not UTF-8."""
    return Path(_filled(given, "path"))


def filled(given: str) -> str:
    """Return a text as it was given. Raises ArgumentTypeError for an empty one, and one that is not UTF-8."""
    return _filled(given, "value")


def database_url(given: str) -> str:
    """Return a database's URL as it was given. Raises ArgumentTypeError for one that can't be used, without it."""
    if fault := fault_of_url(filled(given)):
        raise argparse.ArgumentTypeError(f"the URL {fault}")
    return given


def _filled(given: str, what: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError(f"the {what} is empty; is a variable of the shell not set?")
    if not is_utf8(given):
        raise argparse.ArgumentTypeError(f"the {what} {NOT_UTF8}")
    return given
