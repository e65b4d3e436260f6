"""Migrations with dbmate: numbered SQL files, the chassis' first, then the service's own.

dbmate is a single well-maintained program with plain SQL files; any operator may run it by hand on the same
folders.
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

LOCK_SECONDS = 10
CHASSIS_MIGRATIONS = Path(__file__).parent.parent / "migrations"


class MigrationFailed(Exception):
    """dbmate failed; the message is its output."""


def migrate(database_url: str, service_migrations: Path) -> None:
    """Apply the pending migrations. Safe to repeat and to run concurrently (dbmate locks).

    A step has no time limit; a lock held by others is waited for at most 10 s, since all other sessions queue
    behind it.
    """
    program = Path(sys.executable).parent / "dbmate"
    if urlsplit(database_url).scheme not in ("postgresql", "postgres"):
        raise MigrationFailed("COMPTOIR_DATABASE_URL must begin with postgresql://")
    folders = [f"--migrations-dir={folder}" for folder in (CHASSIS_MIGRATIONS, service_migrations)]
    done = subprocess.run(
        [str(program), *folders, "--no-dump-schema", "--migrations-table=public.schema_migrations", "up"],
        env={**os.environ, "DATABASE_URL": _for_dbmate(database_url)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stderr or done.stdout).strip()[-2000:]
    if done.returncode != 0 and "lock timeout" in said:
        raise MigrationFailed(
            f"somebody held a table for longer than {LOCK_SECONDS} s (a dump, an export, a long transaction); nothing "
            f"of this step was changed. Wait for it or end it, then migrate again. dbmate: {said}"
        )
    if done.returncode != 0:
        raise MigrationFailed(f"dbmate: {said}")


def _for_dbmate(url: str) -> str:
    """Return the URL with TLS optional, unless it sets `sslmode`: dbmate's driver requires TLS by default."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault(
        "sslmode", "disable" if parts.hostname in ("127.0.0.1", "localhost", "::1") else "prefer"
    )
    query |= {"lock_timeout": str(LOCK_SECONDS * 1000), "statement_timeout": "0"}
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
