"""The ledger is chained as it is written, and nobody changes it unnoticed."""

import random
import re
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest

from contracts.payments.accounts import ReversePayment
from services.chassis.storage.database import transaction
from services.payments.accounts import chain
from services.payments.accounts.ledger import Kind
from services.payments.closings.chaining import chain_entries
from services.payments.closings.closing import GRACE, close_next_day
from services.payments.closings.verifying import Broken, ShopUnknown, Verified, verify
from tests.builders.orders import SHOP
from tests.payments.builders import intent_id, placed, record, succeeded
from tests.payments.cashdesk import CashDesk

TAMPERING = (
    "ALTER TABLE ledger_entry DISABLE TRIGGER USER",
    "ALTER TABLE ledger_closing DISABLE TRIGGER USER",
)


async def verified(cashdesk: CashDesk) -> Verified:
    async with cashdesk.hub.acquire() as connection, transaction(connection):
        return await verify(connection)


async def tamper(cashdesk: CashDesk, sql: str, *arguments: Any) -> None:
    """Change what the database refuses to change, as somebody with its password could."""
    async with cashdesk.hub.acquire() as connection, connection.transaction():
        for statement in TAMPERING:
            await connection.execute(statement)
        await connection.execute(sql, *arguments)
        for statement in TAMPERING:
            await connection.execute(statement.replace("DISABLE", "ENABLE"))


async def broken_by(cashdesk: CashDesk, sql: str, *arguments: Any) -> str:
    """The fault that verification names after such a change, which is then undone."""
    async with cashdesk.hub.acquire() as connection:
        change = connection.transaction()
        await change.start()
        for statement in TAMPERING:
            await connection.execute(statement)
        await connection.execute(sql, *arguments)
        with pytest.raises(Broken) as broken:
            await verify(connection)
        await change.rollback()
    return str(broken.value)


async def sell(cashdesk: CashDesk, amount_minor: int = 5000) -> Any:
    """An order of which a part is paid by cheque and the rest by card."""
    reference = intent_id()
    order = placed(amount_minor, reference=reference)
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order, 1000, note="chèque n° 7 — à l'encaissement"))
    await cashdesk.pay(succeeded(reference, amount_minor - 1000))
    return order


async def date_back(cashdesk: CashDesk, days: int) -> None:
    """Let all entries be as if recorded so many days ago, with the hashes they would have. So that the result does
    not depend on midnight, the clock is ahead by the time after it in which the last day is not closed yet.
    """
    cashdesk.hub.clock.ahead = GRACE
    await tamper(
        cashdesk,
        "UPDATE ledger_entry SET hash = NULL, recorded_at = recorded_at - $1::interval",
        timedelta(days),
    )
    while await chain_entries(cashdesk.hub):
        pass


async def close_all(cashdesk: CashDesk) -> int:
    closed = 0
    while await close_next_day(cashdesk.hub, SHOP):
        closed += 1
    return closed


async def test_entries_are_chained_when_they_are_recorded(cashdesk: CashDesk) -> None:
    order = await sell(cashdesk)
    rows = await cashdesk.desk.fetch(
        "SELECT * FROM ledger_entry WHERE order_id = $1 ORDER BY number", order.order_id
    )
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert rows[0]["hash"] == chain.link(chain.FIRST, rows[0])
    assert rows[2]["hash"] == chain.link(rows[1]["hash"], rows[2])
    assert await verified(cashdesk) == Verified(accounts=1, entries=3, closings=0)


@pytest.mark.parametrize(
    "change",
    [
        "amount_minor = amount_minor - 1",
        "method = 'cash'",
        "note = NULL",
        "occurred_at = occurred_at - interval '1 microsecond'",
        "recorded_at = recorded_at + interval '1 day'",
        "received_on = received_on + 1",
        "actor = 'pierre'",
        "hash = sha256('')",
    ],
)
async def test_verification_names_the_changed_entry(cashdesk: CashDesk, change: str) -> None:
    order = await sell(cashdesk)
    await sell(cashdesk)
    sql = f"UPDATE ledger_entry SET {change} WHERE order_id = $1 AND number = 2"  # noqa: S608
    text = await broken_by(cashdesk, sql, order.order_id)
    assert re.match(rf"entry 2 \(.*\) of order {order.order_id} in shop {SHOP}: .*was changed", text)


async def test_verification_notices_removed_entries(cashdesk: CashDesk) -> None:
    order = await sell(cashdesk)
    remove = "DELETE FROM ledger_entry WHERE order_id = $1 AND number = $2"
    assert "entry 2 before it is missing" in await broken_by(cashdesk, remove, order.order_id, 2)
    text = await broken_by(cashdesk, remove, order.order_id, 3)
    assert (
        f"account of order {order.order_id} in shop {SHOP}: its balance is 0, its entries give 4000" in text
    )


async def test_a_closing_detects_an_account_whose_chain_was_recomputed(cashdesk: CashDesk) -> None:
    order = await sell(cashdesk)
    await date_back(cashdesk, 3)
    assert await close_all(cashdesk) == 3
    assert (await verified(cashdesk)).closings == 3
    await tamper(
        cashdesk,
        "UPDATE ledger_entry SET hash = NULL, reference = 'another' WHERE order_id = $1 AND number = 2",
        order.order_id,
    )
    await tamper(
        cashdesk, "UPDATE ledger_entry SET hash = NULL WHERE order_id = $1 AND number = 3", order.order_id
    )
    while await chain_entries(cashdesk.hub):
        pass
    with pytest.raises(Broken, match=rf"closing \S+ of shop {SHOP}: the accounts of that day"):
        await verified(cashdesk)


async def test_the_begin_of_the_books_is_read_once_however_many_closings_there_are(
    cashdesk: CashDesk,
) -> None:
    await sell(cashdesk)
    await date_back(cashdesk, 4)
    assert await close_all(cashdesk) == 4
    queries: list[str] = []
    async with cashdesk.hub.acquire() as connection, transaction(connection):
        with connection.query_logger(lambda record: queries.append(record.query)):
            assert (await verify(connection)).closings == 4
        assert (await verify(connection, SHOP)).closings == 4
        with pytest.raises(ShopUnknown, match="no account of shop nosuch; check the shop's name"):
            await verify(connection, "nosuch")
    assert sum("ORDER BY recorded_at LIMIT 1" in query for query in queries) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE ledger_closing SET entries = entries + 1", "it or its hash was changed"),
        ("UPDATE ledger_closing SET hash = sha256('')", "it or its hash was changed"),
        (
            "DELETE FROM ledger_closing WHERE day = (SELECT min(day) + 1 FROM ledger_closing)",
            "a closing between .* is missing",
        ),
        (
            "DELETE FROM ledger_closing WHERE day = (SELECT min(day) FROM ledger_closing)",
            "entries were recorded before it",
        ),
    ],
)
async def test_verification_names_the_changed_closing(cashdesk: CashDesk, change: str, expected: str) -> None:
    await sell(cashdesk)
    await date_back(cashdesk, 3)
    await close_all(cashdesk)
    assert re.search(expected, await broken_by(cashdesk, change))


async def test_the_database_lets_a_hash_be_filled_in_and_nothing_else(cashdesk: CashDesk) -> None:
    order = await sell(cashdesk)
    for change in ("hash = NULL", "hash = sha256('')", "note = 'x'"):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await cashdesk.hub.pool.execute(
                f"UPDATE ledger_entry SET {change} WHERE order_id = $1",  # noqa: S608
                order.order_id,
            )
    await tamper(cashdesk, "UPDATE ledger_entry SET hash = NULL")
    with pytest.raises(asyncpg.RestrictViolationError):
        await cashdesk.hub.pool.execute("UPDATE ledger_entry SET hash = sha256(''), note = 'x'")
    for table in ("ledger_entry", "ledger_closing"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608
            with pytest.raises(asyncpg.RestrictViolationError):
                await cashdesk.hub.pool.execute(statement)
    while await chain_entries(cashdesk.hub):
        pass
    assert (await verified(cashdesk)).entries == 3


async def test_entries_of_an_earlier_version_are_chained_whenever_new_ones_come(cashdesk: CashDesk) -> None:
    shuffle = random.Random(7)
    orders = [await sell(cashdesk, 5000 + n) for n in range(6)]
    await tamper(cashdesk, "UPDATE ledger_entry SET hash = NULL")
    with pytest.raises(Broken, match="has no hash yet"):
        await verified(cashdesk)
    steps = [partial(cashdesk.desk.deliver, record(order, 100)) for order in orders]
    for step in shuffle.sample(steps, len(steps)):
        await step()
        if shuffle.random() < 0.5:
            await chain_entries(cashdesk.hub)
    while await chain_entries(cashdesk.hub):
        pass
    assert await verified(cashdesk) == Verified(accounts=6, entries=24, closings=0)


async def test_a_bounced_cheque_and_its_order_stay_chained(cashdesk: CashDesk) -> None:
    order = await sell(cashdesk)
    [cheque] = await cashdesk.desk.fetch(
        "SELECT id FROM ledger_entry WHERE order_id = $1 AND provider = 'manual'", order.order_id
    )
    await cashdesk.desk.deliver(
        ReversePayment(
            shop=SHOP, order_id=order.order_id, entry_id=cheque["id"], reason="impayé", actor="marie"
        )
    )
    assert (await cashdesk.entries(order))[-1] == (Kind.PAYMENT_REVERSED, 1000)
    assert (await verified(cashdesk)).entries == 4
