"""During an upgrade processes of the version before run beside new ones, on the tables as they are now."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from contracts.envelope import uuid7
from contracts.storefront import OrderAccepted, OrderRefused, OrderSubmitted
from deploy.databases import create_databases, drop_databases
from deploy.local.parts import Postgres
from services.chassis.storage.migrating import migrate
from services.orders.order import store
from tests.builders.submissions import a_sale
from tests.conftest import Desks
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import TOKENS, client, place

MIGRATIONS = Path(str(store.__file__)).parent / "migrations"
FIRST_OF_THIS_VERSION = "20261128"

AS_BEFORE = """INSERT INTO refusal
                   (shop, submission_id, module, idempotency_key, source_reference, reasons, body, refused_at)
               VALUES ('maison', $1, 'shop', 'k-1', NULL, '[]', '{}', now()) ON CONFLICT DO NOTHING"""


async def test_a_process_of_the_version_before_keeps_each_sale_that_it_refuses(desks: Desks) -> None:
    desk = await desks("orders")
    ids = [uuid7(), uuid7()]
    for submission_id in ids:
        await desk.hub.pool.execute(AS_BEFORE, submission_id)
    assert {row["submission_id"] for row in await desk.fetch("SELECT submission_id FROM refusal")} == set(ids)


async def submitted_as_before(
    connection: asyncpg.Connection, sale: OrderSubmitted, submission_id: UUID
) -> None:
    """Write what a process of the version before writes of a sale that it refuses: the key stays claimed."""
    async with connection.transaction():
        await connection.execute(
            """INSERT INTO submission (shop, module, idempotency_key, submission_id, content_hash, body, received_at)
               VALUES ($1, $2, $3, $4, $5, $6, now())""",
            sale.shop,
            sale.module.value,
            sale.idempotency_key,
            submission_id,
            submission_id.bytes,
            sale.model_dump_json(exclude_none=True),
        )
        await connection.execute(
            """INSERT INTO refusal (shop, submission_id, module, idempotency_key, reasons, body, refused_at)
               VALUES ($1, $2, $3, $4, '[{"code": "no_lines", "message": "x"}]', '{}', now())""",
            sale.shop,
            submission_id,
            sale.module.value,
            sale.idempotency_key,
        )


@pytest.fixture
async def migrated_before(postgres: Postgres, tmp_path: Path) -> AsyncIterator[str]:
    """A database of orders as the version before left it."""
    mark = f"_{secrets.token_hex(4)}"
    url = (await create_databases(postgres.admin_url, mark))["orders"]
    for file in MIGRATIONS.glob("*.sql"):
        if file.name < FIRST_OF_THIS_VERSION:
            shutil.copy(file, tmp_path)
    await asyncio.to_thread(migrate, url, tmp_path)
    yield url
    await drop_databases(postgres.admin_url, mark)


async def test_a_key_with_which_a_sale_was_refused_is_free_before_during_and_after_an_upgrade(
    desks: Desks, migrated_before: str
) -> None:
    """Before it the migration frees such keys; a process of the version before may claim others meanwhile."""
    before, during = a_sale(), a_sale()
    connection = await asyncpg.connect(migrated_before)
    await submitted_as_before(connection, before, uuid7())
    await asyncio.to_thread(migrate, migrated_before, MIGRATIONS)
    desk = await desks("orders", database_url=migrated_before, api_tokens=TOKENS)
    await submitted_as_before(connection, during, uuid7())
    async with client(desk) as http:
        path = f"/v1/submissions/shop/{during.idempotency_key}"
        assert (await http.get(path)).json()["answer"] == "refused"
        for sale in (before, during):
            assert len((await desk.deliver(sale)).messages_of(OrderAccepted)) == 1
        assert (await http.get(path)).json()["answer"] == "placed"
    await connection.close()


async def test_a_refused_key_that_two_processes_free_at_once_places_one_order(desks: Desks) -> None:
    first = await desks("orders")
    url = first.hub.settings.database_url.get_secret_value()
    second, sale = await desks("orders", database_url=url), a_sale()
    async with first.hub.acquire() as connection:
        await submitted_as_before(connection, sale, uuid7())
    outcomes = await asyncio.gather(first.deliver(sale), second.deliver(sale))
    assert [len(outcome.messages_of(OrderAccepted)) for outcome in outcomes] == [1, 1]
    assert await first.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_key_whose_order_was_deleted_before_stays_used(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    merchant = Merchant(desk, await place(desk, sale))
    await merchant.delete()
    await desk.deliver(await merchant.stopped())
    (refused,) = (await desk.deliver(sale)).messages_of(OrderRefused)
    assert [reason.code for reason in refused.reasons] == ["order_deleted"]
