"""The manifest of a backup: what each file holds, and what proves that it is whole.

It is written last. A folder without it is no backup: the backup was interrupted.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.catalogue import SERVICES
from deploy.cli.failures import NotConfigured, Refused
from deploy.cli.migrating import migrations_of
from services.chassis.storage.migrating import CHASSIS_MIGRATIONS
from services.chassis.storage.schema_check import after_folders

NAME = "manifest.json"
FORMAT = 1


class LastEvent(BaseModel):
    """The newest event of a service's log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    time: datetime


class Dump(BaseModel):
    """The dump of one database: its file, and the database's state at that moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    bytes: int
    sha256: str
    taken_at: datetime
    server_version: str
    migrations: list[str]
    last_event: LastEvent | None
    version_floor: int


class Manifest(BaseModel):
    """A backup of the four databases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    comptoir: str
    backup_id: UUID
    taken_at: datetime
    databases: dict[str, Dump]


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    part = folder / f"{NAME}.part"
    part.touch(mode=0o600, exist_ok=False)
    with part.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / NAME)


def read(folder: Path) -> Manifest:
    """Return the manifest of a backup that this version can restore. Raises NotConfigured, Refused."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        if not folder.exists():
            raise NotConfigured(f"{folder} does not exist: give the folder of a backup") from None
        raise NotConfigured(f"{folder} is no complete backup: it has no {NAME}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"could not read {folder / NAME}: {error}") from None
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise Refused(f"{folder / NAME} is damaged or of another version: {faults}") from None
    if manifest.format != FORMAT:
        raise Refused(
            f"the backup has format {manifest.format}, this version of comptoir restores format {FORMAT}: "
            f"restore it with comptoir {manifest.comptoir}, then upgrade"
        )
    if set(manifest.databases) != set(SERVICES):
        raise Refused(f"{folder / NAME} names {', '.join(manifest.databases)}, not {', '.join(SERVICES)}")
    _check_migrations(manifest)
    return manifest


def is_whole(folder: Path) -> bool:
    """Return whether the manifest can be read, and each of its files is there with its size. Hashes are not
    compared."""
    try:
        if not (folder / NAME).is_file():
            return False
        manifest = Manifest.model_validate_json((folder / NAME).read_bytes())
        sizes = [(folder / Path(one.file).name).stat().st_size for one in manifest.databases.values()]
    except (OSError, ValueError):
        return False
    return set(manifest.databases) == set(SERVICES) and sizes == [
        one.bytes for one in manifest.databases.values()
    ]


def _check_migrations(manifest: Manifest) -> None:
    for service, dump in manifest.databases.items():
        if newer := sorted(set(dump.migrations) - known_migrations(service)):
            raise Refused(
                f"the backup of {service} is of a newer version (comptoir {manifest.comptoir}, migration {newer[-1]}): "
                "install that version and restore with it"
            )


def known_migrations(service: str) -> set[str]:
    """Return the versions of the migrations that this installation has for a service."""
    folders = (CHASSIS_MIGRATIONS, migrations_of(service))
    both = (*folders, *after_folders(folders))
    return {file.name.partition("_")[0] for folder in both for file in folder.glob("*.sql")}


def check_files(folder: Path, databases: Mapping[str, Dump], on_file: Callable[[str], None]) -> None:
    """Compare each file with its size and hash. Raises Refused naming the first that differs."""
    for service, dump in databases.items():
        file = folder / dump.file
        if file.name != dump.file:
            raise Refused(f"the manifest names {dump.file!r}, which is not a file of {folder}")
        try:
            size, sha256 = file.stat().st_size, digest(file)
        except OSError as error:
            raise Refused(f"could not read {file}: {error.strerror}") from None
        if (size, sha256) != (dump.bytes, dump.sha256):
            raise Refused(f"{file} is damaged: it is not the file that was backed up; nothing was changed")
        on_file(service)


def digest(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
