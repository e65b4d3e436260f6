"""What the version before wrote is read by this one as if it had written it."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.parts import Postgres
from services.chassis.storage.migrating import migrate
from services.notifier.conversation.queries import ThreadQuery
from services.notifier.conversation.reading_store import list_threads
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.upgrades import database_before, migrations_of

DELETED, PLACED, LATE = "the order was deleted", "the order was placed", "the reminder is too late"
ENDS = {DELETED: "deleted", PLACED: "placed", LATE: "late", "550 no such user": None}
_MAIL = """
WITH planned AS (
    INSERT INTO mail (id, shop, order_id, code, cause_id, template, recipient, locale, message_id, context, created_at)
    VALUES (gen_random_uuid(), 'maison', gen_random_uuid(), 'K7F3', gen_random_uuid(), $2, '', 'fr', $1, '{}', now())
    RETURNING id)
INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at)
SELECT id::text, 'mail', 'failed', '{}', now(), $1, now(), now() - interval '1 hour' FROM planned"""
_COPY = """
INSERT INTO mail (shop, mail_id, order_id, template, recipient, cause_id, state, at, detail)
VALUES ('maison', gen_random_uuid(), gen_random_uuid(), $2, '', gen_random_uuid(), 'failed', now(), $1)"""


def template_of(detail: str) -> str:
    return "checkout_abandoned" if detail in (PLACED, LATE) else "order_recap"


@pytest.mark.parametrize("service", ["notifier", "orders"])
async def test_mails_that_were_withdrawn_as_failed_are_withdrawn(
    postgres: Postgres, tmp_path: Path, service: str
) -> None:
    is_copy = service == "orders"
    async with database_before(postgres.admin_url, service, "20261130150000", tmp_path) as url:
        connection = await asyncpg.connect(url)
        for detail in ENDS:
            await connection.execute(_COPY if is_copy else _MAIL, detail, template_of(detail))
        await asyncio.to_thread(migrate, url, migrations_of(service))
        read = (
            "SELECT detail, state, '' FROM mail"
            if is_copy
            else """SELECT detail, effect_state || ' ' || state, end_kind, end_at = updated_at FROM mail_with_state"""
        )
        found = {row[0]: tuple(row)[1:] for row in await connection.fetch(read)}
        await connection.close()
    withdrawn = ("withdrawn", "") if is_copy else None
    failed = ("failed", "") if is_copy else ("failed failed", None, None)
    assert found == {
        detail: (withdrawn or ("discarded withdrawn", kind, True)) if kind else failed
        for detail, kind in ENDS.items()
    }


_THREAD = """
INSERT INTO thread (shop, order_id, version, state, unread, last_at, excerpt, mail_ids)
VALUES ($1, $2, 1, 'waiting_staff', 1, now(), 'Bonjour', '{}')
ON CONFLICT (shop, order_id) DO UPDATE SET version = excluded.version"""


async def test_a_conversation_that_the_version_before_begins_is_found_by_its_customer(desks: Desks) -> None:
    desk, order = await desks("notifier"), an_order()
    await desk.deliver(order)
    for _ in range(2):
        await desk.hub.pool.execute(_THREAD, order.shop, order.order_id)
    for text in (order.code, "zoe@clients", "lefèvre"):
        sought: dict[str, Any] = {
            "state": None,
            "assignee": None,
            "unread": False,
            "before": None,
            "limit": 50,
        }
        async with desk.hub.acquire() as connection:
            found = await list_threads(connection, ThreadQuery(shop=order.shop, text=text, **sought))
        assert [row["order_id"] for row in found] == [order.order_id], text
