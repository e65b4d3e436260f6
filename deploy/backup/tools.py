"""PostgreSQL's own programs, pg_dump and pg_restore: where they are, and how they are run.

A password is never an argument, which every user of a machine can see: it is in the program's environment.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from deploy.cli.failures import NotConfigured, Refused, Unreachable
from deploy.local.postgres import embedded_homes, installed_homes

MOST_REASON_CHARACTERS = 1500
"""Characters of a program's error output that are shown."""
_UNAVAILABLE = (
    "could not connect",
    "connection to server",
    "password authentication failed",
    "could not translate host",
)


def program(name: str) -> Path:
    """Return the newest installed program of this name. Raises NotConfigured."""
    for home in [*installed_homes(), *embedded_homes()]:
        if (found := home / "bin" / name).is_file():
            return found
    if on_path := shutil.which(name):
        return Path(on_path)
    raise NotConfigured(
        f"{name} is not installed: install PostgreSQL's client (apt-get install postgresql-client)"
    )


async def run(name: str, url: str, arguments: Sequence[str | Path]) -> None:
    """Run a program on the database at `url`. Raises Refused or Unreachable with what it said."""
    bare, password = _without_password(url)
    env = {**os.environ, "LC_ALL": "C", "PGAPPNAME": f"comptoir-{name}"}
    if password:
        env["PGPASSWORD"] = password
    begun = await asyncio.create_subprocess_exec(
        program(name),
        "--no-password",
        f"--dbname={bare}",
        *arguments,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, output = await begun.communicate()
    except BaseException:
        begun.kill()
        await begun.wait()
        raise
    if begun.returncode:
        raise _failure(name, begun.returncode, output.decode(errors="replace"))


def _without_password(url: str) -> tuple[str, str]:
    """Return the URL without its password, wherever in it that stands, and the password."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name, _, _ = user.partition(":")
    netloc = f"{name}@{host}" if user else host
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    password = query.pop("password", None) or unquote(parts.password or "")
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query, quote_via=quote))), password


def _failure(name: str, status: int, output: str) -> Refused | Unreachable:
    words = " ".join(output.split())[:MOST_REASON_CHARACTERS]
    if status < 0:
        words = f"ended by signal {-status} (disk or file size limit, or killed) {words}".strip()
    why = f"{name}: {words}"
    if "server version mismatch" in words:
        return Refused(
            f"{why}; install the client of the server's version (apt-get install postgresql-client-…)"
        )
    return Unreachable(why) if any(one in words for one in _UNAVAILABLE) else Refused(why)
