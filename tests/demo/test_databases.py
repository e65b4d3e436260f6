"""Every service has a database and a role of its own, and no way into another's."""

import secrets

import asyncpg
import pytest

from deploy.databases import create_databases, drop_databases
from deploy.local.parts import Postgres


async def test_a_role_reaches_its_own_database_and_no_other(postgres: Postgres) -> None:
    suffix = f"_{secrets.token_hex(3)}"
    urls = await create_databases(postgres.admin_url, suffix)
    assert set(urls) == {"orders", "payments", "fulfillment", "notifier"}
    connection = await asyncpg.connect(urls["orders"])
    await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()
    elsewhere = urls["orders"].rpartition("/")[0] + f"/comptoir_payments{suffix}"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(elsewhere)
    await drop_databases(postgres.admin_url, suffix)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(urls["orders"])


async def test_creating_again_keeps_the_tables_and_renews_the_passwords(postgres: Postgres) -> None:
    suffix = f"_{secrets.token_hex(3)}"
    first = await create_databases(postgres.admin_url, suffix)
    connection = await asyncpg.connect(first["notifier"])
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.close()
    second = await create_databases(postgres.admin_url, suffix)
    connection = await asyncpg.connect(second["notifier"])
    assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    await connection.close()
    assert first["notifier"] != second["notifier"]
    await drop_databases(postgres.admin_url, suffix)
