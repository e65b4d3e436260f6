"""What was deleted in its time is no violation; what is missing of the time that is kept is one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.envelope import uuid7_floor
from deploy.auditor.auditing import run_checks
from deploy.auditor.checks.copies import orders_know_every_mail
from deploy.auditor.inputs import Inputs

EMPTIED = {
    "the event log": ["DELETE FROM msg.event_log"],
    "event log and inbox": ["DELETE FROM msg.event_log", "DELETE FROM msg.inbox"],
}


async def cut(connection: Any, table: str) -> None:
    """Let the table begin today, as after the retention: earlier partitions are dropped."""
    today = uuid7_floor(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    for name in await connection.fetch(
        """SELECT c.oid::regclass::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = $1::text::regclass
             AND substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \\(''([0-9a-f-]+)''')::uuid < $2""",
        f"msg.{table}",
        today,
    ):
        await connection.execute(f"DROP TABLE {name['name']}")


async def age_and_forget(inputs: Inputs, gone: str) -> None:
    """Make every order 40 days old, and delete events of it (`gone` is a condition on the event log)."""
    await inputs.orders.execute("UPDATE orders SET received_at = received_at - interval '40 days'")
    for connection in inputs.connections.values():
        await connection.execute(f"DELETE FROM msg.event_log WHERE {gone}")  # noqa: S608
        await cut(connection, "event_log")
        await connection.execute("DELETE FROM msg.inbox WHERE source LIKE '/storefront/%'")


@pytest.mark.parametrize("what", EMPTIED)
async def test_what_is_gone_as_a_whole_is_no_violation(inputs: Inputs, what: str) -> None:
    for connection in inputs.connections.values():
        for statement in EMPTIED[what]:
            await connection.execute(statement)
    assert {violation.check for violation in await run_checks(inputs)} == set()


@pytest.mark.parametrize("gone", ["sequence = 1", "sequence <= 2", "true"])
async def test_older_orders_may_have_lost_their_first_events(inputs: Inputs, gone: str) -> None:
    await age_and_forget(inputs, gone)
    without_journals = Inputs(inputs.connections, expected_parked=inputs.expected_parked)
    assert await run_checks(without_journals) == []


async def test_a_reminder_is_compared_until_notifier_has_emptied_it(inputs: Inputs) -> None:
    mail_id = await inputs.notifier.fetchval(
        "SELECT id FROM mail_with_state WHERE state = 'done' AND resent_to IS NULL ORDER BY id LIMIT 1"
    )
    found = {}
    for recipient in ("planted@example.org", ""):
        await inputs.notifier.execute(
            "UPDATE mail SET template = 'checkout_abandoned', recipient = $2 WHERE id = $1",
            mail_id,
            recipient,
        )
        await inputs.orders.execute(
            "UPDATE mail SET template = 'checkout_abandoned' WHERE mail_id = $1", mail_id
        )
        found[recipient] = len([finding async for finding in orders_know_every_mail(inputs)])
    assert found == {"planted@example.org": 1, "": 0}


async def test_an_older_order_has_no_hole_in_what_is_left(inputs: Inputs) -> None:
    await age_and_forget(inputs, "sequence = 1")
    await inputs.orders.execute(
        """DELETE FROM msg.event_log e WHERE sequence = 3 AND EXISTS (
               SELECT FROM msg.event_log later WHERE (later.shop, later.subject) = (e.shop, e.subject)
                   AND later.sequence > 3)"""
    )
    found = await run_checks(Inputs(inputs.connections, expected_parked=inputs.expected_parked))
    assert {violation.check for violation in found} == {"sequences_have_no_gaps"}


async def test_a_first_event_that_should_still_be_kept_is_missed(inputs: Inputs) -> None:
    status = await inputs.payments.execute(
        """DELETE FROM msg.event_log WHERE sequence = 1 AND subject = (
               SELECT subject FROM msg.event_log WHERE sequence = 2 LIMIT 1)"""
    )
    assert status == "DELETE 1"
    found = await run_checks(inputs)
    assert {violation.check for violation in found} == {"sequences_have_no_gaps"}


async def test_an_event_that_was_replayed_was_handled(inputs: Inputs) -> None:
    await inputs.payments.execute(
        "UPDATE msg.inbox SET source = source || '#replay-' || gen_random_uuid() WHERE source = '/orders'"
    )
    assert await run_checks(inputs) == []


async def test_a_resync_replaces_the_events_before_it(inputs: Inputs) -> None:
    await inputs.orders.execute("DELETE FROM msg.inbox WHERE source = '/payments'")
    assert {one.check for one in await run_checks(inputs)} == {"events_reach_every_listener"}
    note = """INSERT INTO msg.resync (id, consumer, queue, shop, wanted, actor, asked_at, ended_at)
              SELECT gen_random_uuid(), 'orders', 'orders.payments', shop, 1, 'staff:x', $1, $1
              FROM (SELECT DISTINCT shop FROM account) AS shops"""
    await inputs.payments.execute(note, datetime.now(UTC) - timedelta(days=1))
    assert {one.check for one in await run_checks(inputs)} == {"events_reach_every_listener"}
    await inputs.payments.execute(note, datetime.now(UTC))
    assert await run_checks(inputs) == []
