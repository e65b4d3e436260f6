"""A folder of backups that are made regularly: each in a folder named by its time, of which the newest ones are kept.

Only complete backups count, and nothing is removed before the new one is complete: a series of failed backups never
displaces the last good one.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from deploy.backup.manifest import NAME as MANIFEST
from deploy.backup.manifest import is_whole
from deploy.cli.failures import NotConfigured, Refused

FORMAT = "%Y%m%dT%H%M%SZ"
NAMED = re.compile(r"[0-9]{8}T[0-9]{6}Z")


def folder_at(folder: Path, now: datetime) -> Path:
    """Return the folder of a backup that begins now."""
    return folder / now.astimezone(UTC).strftime(FORMAT)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Make the folder of backups if it is new, and hold it while the body runs. Raises NotConfigured if it can't be
    made or written to, Refused while another backup is made in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotConfigured(f"could not open {folder} for backups: {error.strerror}") from None
    try:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise NotConfigured(f"could not write to {folder}: give it to the user that runs this command")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused(f"another backup is being made in {folder}: wait until it ends") from None
    finally:
        os.close(held)


def newest_at(folder: Path) -> datetime | None:
    """Return when the newest complete backup was begun, None without one. A time still to come is none."""
    newest_first = reversed(_until(folder, datetime.now(UTC)))
    return next((begun_at(one) for one in newest_first if is_whole(one)), None)


def begun_at(backup: Path) -> datetime | None:
    """Return the time in a backup's name, None for another name."""
    if not NAMED.fullmatch(backup.name):
        return None
    try:
        return datetime.strptime(backup.name, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


class Cleaned(NamedTuple):
    """What was removed from a folder of backups, and what is named like a backup but was neither counted nor
    removed."""

    removed: list[Path]
    ignored: list[Path]


def remove_old(made: Path, count: int) -> Cleaned:
    """Remove from the folder of the backup just made all but the newest `count` complete ones, and what interrupted
    ones left. Raises Refused.

    The one just made always stays. What can't be told to be an old backup stays too: a name that is no date or a later
    one, a link, a manifest that does not match its files.
    """
    until = begun_at(made)
    known = _until(made.parent, until) if until else []
    whole = [one for one in known if is_whole(one)]
    interrupted = [one for one in known if not os.path.lexists(one / MANIFEST)]
    removed = [one for one in sorted({*whole[:-count], *interrupted}) if one != made]
    for one in removed:
        try:
            shutil.rmtree(one)
        except OSError as error:
            raise Refused(
                f"the backup is complete, but {one} could not be removed: {error.strerror or error}"
            ) from None
    counted = {made, *whole, *interrupted}
    return Cleaned(removed, [one for one in _named(made.parent) if one not in counted])


def _until(folder: Path, until: datetime) -> list[Path]:
    """Return the folders named by a time until then, the oldest first."""
    return [
        one
        for one in _named(folder)
        if (begun := begun_at(one)) and begun <= until and one.is_dir() and not one.is_symlink()
    ]


def _named(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if NAMED.fullmatch(one.name))
    except OSError:
        return []
