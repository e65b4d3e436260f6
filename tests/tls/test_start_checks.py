"""A broker or database that answers but refuses, or is of another version: one sentence with the remedy, status 1."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from deploy.databases import with_credentials
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.system import System
from deploy.topology import Management
from services.chassis.messaging.topology import permissions
from services.chassis.storage.migrating import CHASSIS_MIGRATIONS
from services.chassis.storage.schema_check import newest_version
from services.fulfillment.app import SERVICE
from tests.tls.conftest import Ends

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAME = "fulfillment"


async def refusal(ends: Ends, **settings: str) -> str:
    """The sentence with which the service ends."""
    status, output = await ends(NAME, **settings)
    assert (status, output.count("\n")) == (1, 0), output
    return output


async def test_credentials_that_the_broker_refuses(system: System, ends: Ends) -> None:
    url = system.amqp_url(NAME)
    password = urlsplit(url).password or ""
    output = await refusal(ends, COMPTOIR_AMQP_URL=url.replace(password, "wrong"))
    assert output.startswith("RabbitMQ refuses the user fulfillment or its password in COMPTOIR_AMQP_URL")
    output = await refusal(ends, COMPTOIR_AMQP_URL=url.replace(system.vhost, "nowhere"))
    assert output.startswith("RabbitMQ has no virtual host nowhere, or the user fulfillment may not enter it")
    assert password not in output


@pytest.mark.parametrize("right", ["write", "read"])
async def test_broker_user_without_a_right(
    system: System, rabbitmq: RabbitMQ, ends: Ends, right: str
) -> None:
    parts = urlsplit(rabbitmq.management_url)
    login = f"{quote(rabbitmq.user)}:{quote(rabbitmq.password)}@{parts.netloc}"
    management = Management(parts._replace(netloc=login).geturl())
    path, rights = f"permissions/{system.vhost}/{NAME}", permissions(())[NAME]
    management.send("PUT", path, {**rights, right: "^$"})
    try:
        output = await refusal(ends)
    finally:
        management.send("PUT", path, rights)
    assert output.startswith("the user fulfillment of COMPTOIR_AMQP_URL lacks rights in RabbitMQ")
    assert output.endswith("run `comptoir topology apply` with COMPTOIR_PASSWORD_FULFILLMENT")


@asynccontextmanager
async def a_role(admin: Any, system: System, *grants: str) -> AsyncIterator[str]:
    """The database's URL with the login of a role that has these rights alone."""
    await admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'of-a-stranger'")
    database = urlsplit(system.databases[NAME]).path.removeprefix("/")
    await admin.execute(f'GRANT CONNECT ON DATABASE "{database}" TO stranger')
    inside: Any = await asyncpg.connect(system.databases[NAME])
    for grant in grants:
        await inside.execute(f"GRANT {grant} TO stranger")
    url = with_credentials(system.databases[NAME], "stranger", "of-a-stranger")
    try:
        yield urlsplit(url)._replace(path=f"/{database}").geturl()
    finally:
        for grant in grants:
            await inside.execute(f"REVOKE {grant} FROM stranger")
        await inside.close()
        await admin.execute(f'REVOKE CONNECT ON DATABASE "{database}" FROM stranger')
        await admin.execute("DROP ROLE stranger")


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ((), "permission denied for table schema_migrations"),
        (
            (
                "SELECT ON public.schema_migrations, public.schema_migrations_after",
                "USAGE ON SCHEMA msg",
            ),
            "it may not read and write",
        ),
    ],
)
async def test_database_role_without_rights(
    system: System, postgres: Postgres, ends: Ends, grants: tuple[str, ...], expected: str
) -> None:
    admin: Any = await asyncpg.connect(postgres.admin_url)
    async with a_role(admin, system, *grants) as url:
        output = await refusal(ends, COMPTOIR_DATABASE_URL=url)
    await admin.close()
    assert output.startswith("the role stranger of COMPTOIR_DATABASE_URL lacks rights (")
    assert expected in output
    assert "of-a-stranger" not in output


async def test_database_of_another_version(system: System, ends: Ends) -> None:
    connection: Any = await asyncpg.connect(system.databases[NAME])
    newest = await connection.fetchval(
        "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM"
        " schema_migrations) RETURNING version"
    )
    output = await refusal(ends)
    assert output.startswith(
        "the database of COMPTOIR_DATABASE_URL is older than this program: pending migrations: 1, "
    )
    assert f"first {newest}_" in output
    assert output.endswith("run `python -m services.fulfillment migrate`")
    await connection.execute("INSERT INTO schema_migrations VALUES ($1), ('29990101000000')", newest)
    await system.start(NAME)
    names = await connection.fetch("SELECT DISTINCT application_name AS name FROM pg_stat_activity")
    assert f"comptoir-{NAME}@{newest_version((CHASSIS_MIGRATIONS, SERVICE.migrations))}" in {
        row["name"] for row in names
    }
    await system.supervisor.stop(NAME)
    await connection.execute("DELETE FROM schema_migrations WHERE version = '29990101000000'")
    await connection.close()
    log = system.supervisor.log(NAME).read_text()
    assert "the database is newer than this program" in log
    assert "29990101000000" in log
