"""A database and a role per service: `comptoir_orders` belongs only to the role `comptoir_orders`.

No service can read another's tables, since its role may not even connect to the other's database. The
passwords are random and exist only in the URLs returned here; running it again gives the roles new ones.
"""

import asyncio
import secrets
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from contracts.catalogue import SERVICES

PREFIX = "comptoir_"


async def create_databases(admin_url: str, suffix: str = "") -> dict[str, str]:
    """Create what is missing; return the database URL by service. `suffix` keeps several sets apart on one
    server.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        return {
            service: await _create(connection, admin_url, f"{PREFIX}{service}{suffix}")
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


async def _create(connection: asyncpg.Connection, admin_url: str, name: str) -> str:
    password = secrets.token_urlsafe(24)
    role_exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if role_exists else "CREATE"
    await connection.execute(f"{verb} ROLE \"{name}\" LOGIN PASSWORD '{password}'")
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    return with_credentials(admin_url, name, password)


def with_credentials(admin_url: str, name: str, password: str) -> str:
    """Return the server of `admin_url` as seen by the role and database `name`."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{quote(password)}@{host}", path=f"/{name}"))


def main() -> None:
    """Run `python -m deploy.databases ADMIN_URL`: print a shell line per service."""
    import sys

    for service, url in asyncio.run(create_databases(sys.argv[1])).items():
        sys.stdout.write(f"{service} COMPTOIR_DATABASE_URL={url}\n")


if __name__ == "__main__":
    main()
