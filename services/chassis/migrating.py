"""Migrations with dbmate: numbered SQL files, the chassis' first, then the service's own.

dbmate is a single well-kept program with plain SQL files; any operator may run it by hand on the same folders.
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

CHASSIS_MIGRATIONS = Path(__file__).parent / "migrations"


class MigrationFailed(Exception):
    """dbmate refused; its own words are the message."""


def migrate(database_url: str, service_migrations: Path) -> None:
    """Apply what has not been applied yet. Safe to run again and beside another run (dbmate locks)."""
    program = Path(sys.executable).parent / "dbmate"
    folders = [f"--migrations-dir={folder}" for folder in (CHASSIS_MIGRATIONS, service_migrations)]
    done = subprocess.run(
        [str(program), *folders, "--no-dump-schema", "--migrations-table=public.schema_migrations", "up"],
        env={**os.environ, "DATABASE_URL": _for_dbmate(database_url)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise MigrationFailed(f"dbmate: {(done.stderr or done.stdout).strip()[-2000:]}")


def _for_dbmate(url: str) -> str:
    """The same database without TLS demanded, unless the URL says how: dbmate's driver insists on TLS by default."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault(
        "sslmode", "disable" if parts.hostname in ("127.0.0.1", "localhost", "::1") else "prefer"
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
