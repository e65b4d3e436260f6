"""What a restore from a backup means for a process: the versions it may give out, and whether effects are executed.

Listeners may know versions from after the backup. The database's version floor is above those, and every version given
out is above the floor. Until the restore is finished, any external effect may have happened already between
the backup and the restore: new effects are noted as `uncertain`, those that the backup holds become so.
"""

from typing import NamedTuple

from services.chassis import metrics
from services.chassis.storage.database import Connection

SCHEMA = "restoring"
"""Schema that exists while a database is being filled from a backup: no process may work on it."""
RESTORED = "restored from a backup: whether it happened after that is not known here"
"""Note on an effect that is uncertain because of a restore."""

UNFINISHED = (
    "restored from a backup, not finished: no mail is sent, no provider is called; "
    "`comptoir restore DIR --finish` ends it"
)


class DatabaseIncomplete(ConnectionError):
    """The database is being filled from a backup."""


class Restored(NamedTuple):
    """`version_floor` is what every new version is above; `is_unfinished` while a restore is not finished."""

    version_floor: int = 0
    is_unfinished: bool = False

    @property
    def warnings(self) -> list[str]:
        """Return the warning of a restore that is not finished, if there is one."""
        return [UNFINISHED] if self.is_unfinished else []

    def next_version(self, version: int) -> int:
        """Return the version after this one, above the floor."""
        return max(version, self.version_floor) + 1


NEVER = Restored()


async def read_restored(connection: Connection, service: str) -> Restored:
    """Return the state of this database's restores, and measure it. Raises DatabaseIncomplete."""
    unfinished = metrics.RESTORE_UNFINISHED.labels(service)
    if await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", SCHEMA):
        unfinished.set(1)
        raise DatabaseIncomplete("the database is being restored; finish it with `comptoir restore`")
    row = await connection.fetchrow(
        "SELECT coalesce(max(version_floor), 0), coalesce(bool_or(finished_at IS NULL), false) FROM msg.restore"
    )
    found = Restored(*row) if row is not None else NEVER
    unfinished.set(found.is_unfinished)
    return found
