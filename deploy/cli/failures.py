"""Exit statuses of the command line, and the errors that end a command with one of them."""

from enum import IntEnum


class Status(IntEnum):
    """Exit status of a command."""

    DONE = 0
    FOUND = 1
    WRONG_USE = 2
    UNREACHABLE = 3


class Failure(Exception):
    """A command can't be carried out; the text is a sentence that says why and what to do."""

    status = Status.FOUND


class Refused(Failure):
    """A service, the broker or a database rejected the request; nothing was changed."""


class NotConfigured(Failure):
    """A setting or an argument is missing or invalid."""

    status = Status.WRONG_USE


class Unreachable(Failure):
    """A service, the broker or a database does not answer or does not accept the credentials."""

    status = Status.UNREACHABLE


def no_database(what: str, setting: str, error: Exception) -> Unreachable:
    """Return the failure of a connection to a database; `setting` has its URL. The driver's messages contain no
    password."""
    why = " ".join(str(error).split()) or type(error).__name__
    return Unreachable(f"{what} can't be opened: {why}; is PostgreSQL running, is {setting} right?")
