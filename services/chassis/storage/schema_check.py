"""Whether a database fits the program that uses it: its migrations, and the rights of the role.

A process that starts on an older schema would fail at some later statement, with part of its work done. A newer one
is what an upgrade makes before the old processes end: migrations only add, so it is usable, and worth a warning. Steps
in the folder `after` may remove what an older version needs. They are applied once no old process is left: a schema
that lacks them is usable, and one with steps that a program does not know is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.chassis.storage.database import Connection

AFTER = "after"
"""Folder, beside the other migrations, of the steps that are applied after an upgrade."""
BEFORE_TABLE, AFTER_TABLE = "public.schema_migrations", "public.schema_migrations_after"
"""Tables with the versions that were applied."""
_FORBIDDEN = """
SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'msg') AND NOT c.relispartition
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
           AND has_table_privilege(c.oid, 'INSERT'))
ORDER BY 1"""


@dataclass(frozen=True)
class Schema:
    """What differs between a database and the program's migrations, by their file names or versions, oldest first.
    The steps after an upgrade are compared once no other one is pending."""

    pending: list[str]
    unknown: list[str]
    pending_after: list[str]
    unknown_after: list[str]

    @property
    def warnings(self) -> list[str]:
        """Return the warning that steps after an upgrade are pending, if there are any."""
        if not self.pending_after:
            return []
        text = (
            f"migrations left for the end of the upgrade: {len(self.pending_after)}, last {self.pending_after[-1]}; "
            "run `comptoir migrate --after` once no process of the old version runs"
        )
        return [text]


async def compare_schema(connection: Connection, folders: Iterable[Path]) -> Schema:
    """Compare the applied migrations with the files. Raises UndefinedTableError when none was ever applied, and
    InsufficientPrivilegeError."""
    folders = list(folders)
    pending, unknown = await _compare(connection, BEFORE_TABLE, folders)
    if pending:
        return Schema(pending, unknown, [], [])
    return Schema(pending, unknown, *await _compare(connection, AFTER_TABLE, after_folders(folders)))


def after_folders(folders: Iterable[Path]) -> list[Path]:
    """Return the folders of the steps after an upgrade that belong to folders of migrations."""
    return [folder / AFTER for folder in folders]


def newest_version(folders: Iterable[Path]) -> str:
    """Return the newest version that a program knows, of both kinds of migrations."""
    folders = list(folders)
    return max(_files([*folders, *after_folders(folders)]), default="")


def _files(folders: Iterable[Path]) -> dict[str, str]:
    """Return the names of files by version."""
    return {file.name.partition("_")[0]: file.name for folder in folders for file in folder.glob("*.sql")}


async def _compare(
    connection: Connection, table: str, folders: Iterable[Path]
) -> tuple[list[str], list[str]]:
    files = _files(folders)
    rows = await connection.fetch(f"SELECT version FROM {table}")  # noqa: S608 - a constant of ours
    applied = {str(row["version"]) for row in rows}
    pending = [name for version, name in sorted(files.items()) if version not in applied]
    return pending, sorted(applied - set(files))


async def forbidden_tables(connection: Connection) -> list[str]:
    """Return the tables of the service that the role may not read and write."""
    return [row["name"] for row in await connection.fetch(_FORBIDDEN)]
