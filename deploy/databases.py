"""A database and a role per service: `comptoir_orders` belongs only to the role `comptoir_orders`.

No service can read another's tables, since its role may not even connect to the other's database.

python -m deploy.databases                    with the passwords of COMPTOIR_<SERVICE>_DATABASE_URL; prints no secret,
                                              and may run at every start
python -m deploy.databases --new-passwords    with random passwords, printed in the URLs; a second run gives the roles
                                              new ones

COMPTOIR_POSTGRES_ADMIN_URL is the administrator's. It is no argument: every user of the machine can see arguments.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg

from contracts.catalogue import SERVICES
from deploy.cli.environment import database_urls, database_variable, read_environment
from deploy.cli.failures import Failure, NotConfigured, Refused, no_database

PREFIX = "comptoir_"
ADMIN_URL = "COMPTOIR_POSTGRES_ADMIN_URL"
NEW_PASSWORDS = "--new-passwords"


async def create_databases(
    admin_url: str, suffix: str = "", passwords: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Create what is missing; return the database URL by service. `suffix` keeps several sets apart on one
    server; a service that is not in `passwords` gets a random one.
    """
    chosen = passwords or {}
    connection = await asyncpg.connect(admin_url)
    try:
        return {
            service: await _create(connection, admin_url, f"{PREFIX}{service}{suffix}", chosen.get(service))
            for service in SERVICES
        }
    finally:
        await connection.close()


async def drop_databases(admin_url: str, suffix: str) -> None:
    """Remove the databases and roles of a set, even while clients are connected."""
    connection = await asyncpg.connect(admin_url)
    try:
        for service in SERVICES:
            name = f"{PREFIX}{service}{suffix}"
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.execute(f'DROP ROLE IF EXISTS "{name}"')
    finally:
        await connection.close()


async def _create(connection: asyncpg.Connection, admin_url: str, name: str, chosen: str | None) -> str:
    password = chosen or secrets.token_urlsafe(24)
    role_exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if role_exists else "CREATE"
    statement = await connection.fetchval(
        "SELECT format('%s ROLE %I LOGIN PASSWORD %L', $1::text, $2::text, $3::text)", verb, name, password
    )
    await connection.execute(statement)
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    return with_credentials(admin_url, name, password)


def with_credentials(admin_url: str, name: str, password: str) -> str:
    """Return the server of `admin_url` as seen by the role and database `name`."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{quote(password)}@{host}", path=f"/{name}"))


def chosen_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the password by service that the database URLs have. Raises NotConfigured for a URL that names another
    role or database than the one that is created, or no password.
    """
    found = {}
    for service, url in database_urls(environment).items():
        parts, name = urlsplit(url), f"{PREFIX}{service}"
        if (parts.username, parts.path) != (name, f"/{name}") or not parts.password:
            raise NotConfigured(
                f"{database_variable(service)} must be postgresql://{name}:PASSWORD@host/{name}: this role and this "
                "database are created"
            )
        found[service] = unquote(parts.password)
    return found


def administrator(environment: Mapping[str, str]) -> str:
    """Return the administrator's URL. Raises NotConfigured."""
    url = environment.get(ADMIN_URL, "")
    if not url.startswith(("postgresql://", "postgres://")):
        raise NotConfigured(f"set {ADMIN_URL} to postgresql://administrator:password@host/postgres")
    return url


async def prepare(admin_url: str, passwords: Mapping[str, str] | None = None) -> dict[str, str]:
    """Create the databases that are missing, give the roles these passwords (random ones without), and return the
    database URL by service. Raises Refused, Unreachable.
    """
    try:
        return await create_databases(admin_url, passwords=passwords)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Refused(
            f"PostgreSQL: {error}; {ADMIN_URL} needs a superuser, or a role that may create both"
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise no_database("PostgreSQL", ADMIN_URL, error) from None


def main(arguments: Sequence[str]) -> None:
    """Run the command line, and exit with its status unless it succeeds."""
    try:
        if list(arguments) not in ([], [NEW_PASSWORDS]):
            raise NotConfigured(
                f"usage: python -m deploy.databases [{NEW_PASSWORDS}]; the administrator's URL is no argument, which "
                f"every user of the machine can see: set {ADMIN_URL}"
            )
        environment = read_environment(os.environ)
        admin_url = administrator(environment)
        urls = asyncio.run(prepare(admin_url, None if arguments else chosen_passwords(environment)))
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.status)
    if arguments:
        sys.stdout.writelines(f"{service} COMPTOIR_DATABASE_URL={url}\n" for service, url in urls.items())
        return
    sys.stdout.write(f"databases in order: {', '.join(PREFIX + service for service in SERVICES)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
