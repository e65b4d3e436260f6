"""PostgreSQL's programs as `comptoir backup` and `comptoir restore` run them."""

import stat
from pathlib import Path

import pytest

from deploy.backup import tools
from services.chassis.tls import extended

SHOWN = """#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/arguments"
printf '%s' "$PGPASSWORD" > "$(dirname "$0")/password"
"""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:p%40ss@h:5/db?sslmode=require", "postgresql://ann@h:5/db?sslmode=require"),
        ("postgresql://ann@h/db?password=p%40ss&sslrootcert=%2Fa%20b", "postgresql://ann@h/db?sslrootcert=%2Fa%20b"),
    ],
)  # fmt: skip
async def test_a_password_anywhere_in_the_url_is_not_an_argument(
    url: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(SHOWN)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(tools, "program", lambda _: program)
    await tools.run("pg_dump", url, ())
    assert (tmp_path / "arguments").read_text().splitlines() == ["--no-password", f"--dbname={shown}"]
    assert (tmp_path / "password").read_text() == "p@ss"


def test_a_space_in_the_path_of_the_authorities_is_escaped_for_libpq() -> None:
    assert extended("postgresql://h/db", {"sslrootcert": "/a b"}) == "postgresql://h/db?sslrootcert=%2Fa%20b"
