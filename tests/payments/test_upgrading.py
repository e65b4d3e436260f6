"""An installation of the version before is upgraded with its data: disputes, and a ledger without hashes."""

import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.databases import with_credentials
from deploy.local.parts import Postgres
from services.chassis.storage.database import transaction
from services.chassis.storage.migrating import migrate
from services.payments.closings.chaining import chain_entries
from services.payments.closings.verifying import verify
from services.payments.disputes.watching import watch_disputes
from tests.payments.conftest import CashDesks
from tests.payments.disputes.test_disputes import dispute_event

MIGRATIONS = Path(__file__).parents[2] / "services" / "payments" / "migrations"
CHAINED_SINCE = "20261129085347"
ROWS = """
INSERT INTO account (shop, order_id, code, currency, method, opened_at, version, sequence, due_minor, credited_minor,
    received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor, authorised_minor,
    balance_minor, attempt, flags, remarks)
SELECT 'atelier', md5(n::text)::uuid, 'K7F3-QD9M', 'EUR', 'card', now(), 2, 1, 5000, 0, 5000, 0, 0, 0, 0, 0, 0,
    'settled', CASE n WHEN 1 THEN '{disputed}'::text[] ELSE '{}' END, CASE n WHEN 1 THEN 3 ELSE 0 END
FROM generate_series(1, 450) AS n;
UPDATE account SET version = 5 WHERE order_id = md5('1')::uuid;
INSERT INTO ledger_entry (id, shop, order_id, number, kind, amount_minor, currency, provider, object_id, step, method,
    source, caused_by, occurred_at, actor, recorded_at)
SELECT gen_random_uuid(), shop, order_id, m, CASE m WHEN 1 THEN 'order_total' ELSE 'payment_received' END, 5000, 'EUR',
    CASE m WHEN 1 THEN 'order' ELSE 'stripe' END, CASE order_id WHEN md5('1')::uuid THEN 'pi_disputed'
    ELSE order_id::text END, 0, NULL, 'order', order_id, now(), 'orders', now() - interval '2 days'
FROM account, generate_series(1, 2) AS m;
INSERT INTO provider_object (shop, provider, object_id, order_id)
SELECT 'atelier', 'stripe', 'pi_disputed', md5('1')::uuid;
INSERT INTO remark (shop, order_id, topic, provider, object_id, payment, state, amount_minor, occurred_at)
SELECT 'atelier', md5('1')::uuid, topic, 'stripe', 'du_1', 'pi_disputed', state, 5000,
    timestamptz '2026-11-01 10:00Z' FROM (VALUES ('dispute', 'warning_needs_response'),
    ('dispute', 'warning_under_review'), ('refunded_sum', '')) AS r (topic, state)
"""


@pytest.fixture
async def earlier(postgres: Postgres, tmp_path: Path) -> AsyncIterator[str]:
    """A database of the version before, with data."""
    admin = await asyncpg.connect(postgres.admin_url)
    name = f"earlier_{secrets.token_hex(4)}"
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'planted'")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    former = tmp_path / "migrations"
    former.mkdir()
    for file in MIGRATIONS.glob("*.sql"):
        if file.name[:14] < CHAINED_SINCE:
            shutil.copy(file, former)
    url = with_credentials(postgres.admin_url, name, "planted")
    migrate(url, former)
    connection = await asyncpg.connect(url)
    await connection.execute(ROWS)
    await connection.close()
    yield url
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


async def test_disputes_and_ledger_of_the_version_before_are_taken_over(
    earlier: str, cashdesks: CashDesks
) -> None:
    migrate(earlier, MIGRATIONS)
    cashdesk = await cashdesks(earlier)
    while await chain_entries(cashdesk.hub):
        pass
    async with cashdesk.hub.acquire() as connection, transaction(connection):
        assert (await verify(connection)).entries == 900
    await watch_disputes(cashdesk.hub)
    account = "SELECT version, flags, remarks, dispute_facts FROM account WHERE order_id = md5('1')::uuid"
    assert tuple(map(tuple, await cashdesk.desk.fetch(account))) == (
        (5, ["dispute_inquiry", "refund_not_booked"], 3, 2),
    )
    await cashdesk.pay(dispute_event("needs_response", 210))
    assert (await cashdesk.desk.fetch(account))[0]["flags"] == ["disputed", "refund_not_booked"]
