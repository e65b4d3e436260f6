"""All SQL on accounts, the ledger and attempts. Set-based: a batch costs what one row costs.

Accounts are locked in (shop, order) order; nothing else here locks beyond the rows it writes.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from contracts.payments.accounts import AttemptState
from contracts.sale import PaymentMethod
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts import chain
from services.payments.accounts.account import Account
from services.payments.accounts.attempts import Attempt
from services.payments.accounts.ledger import Entry, Kind
from services.payments.accounts.refund_messages import refund_statuses
from services.payments.accounts.unit import dispute_store, refund_store, remark_store
from services.payments.accounts.unit.rows import (
    AttemptRow,
    ChangedAccountRow,
    EntryRow,
    NewAccountRow,
    attempt_row,
    changed_account_row,
    entry_rows,
    new_account_row,
)

Key = tuple[str, UUID]


_LOCK_ACCOUNTS = Bulk(
    tuple[str, UUID],
    """SELECT a.shop, a.order_id, a.code, a.currency, a.method, a.opened_at, a.sequence, a.version_floor,
              a.closed_at, a.refund_facts, a.remarks, a.dispute_facts
       FROM account a JOIN {rows} AS k (shop, order_id) USING (shop, order_id)
       ORDER BY a.shop, a.order_id FOR UPDATE OF a""",
)


async def lock_accounts(connection: Connection, keys: Sequence[Key]) -> list[Account]:
    """Lock the existing accounts among these FOR UPDATE in the given (sorted) order; return them with all
    they hold.
    """
    rows = await _LOCK_ACCOUNTS.fetch(connection, keys)
    if not rows:
        return []
    found = [(row["shop"], row["order_id"]) for row in rows]
    entries, attempts = await _entries(connection, found), await _attempts(connection, found)
    accounts = [
        _account(row, entries[row["shop"], row["order_id"]], attempts[row["shop"], row["order_id"]])
        for row in rows
    ]
    if refunded := [account for account, row in zip(accounts, rows, strict=True) if row["refund_facts"]]:
        await refund_store.read_refunds(connection, refunded)
        for account in refunded:
            account.published_refunds = refund_statuses(account)
    if remarked := [account for account, row in zip(accounts, rows, strict=True) if row["remarks"]]:
        await remark_store.read_remarks(connection, remarked)
    if disputed := [
        one for one, row in zip(accounts, rows, strict=True) if row["dispute_facts"] or one.disputes.former
    ]:
        await dispute_store.read_disputes(connection, disputed)
    return accounts


def _account(row: asyncpg.Record, posted: list[asyncpg.Record], attempts: list[Attempt]) -> Account:
    entries = [_entry(one) for one in posted]
    return Account(
        shop=row["shop"],
        id=row["order_id"],
        code=row["code"],
        currency=row["currency"],
        method=PaymentMethod(row["method"]),
        opened_at=row["opened_at"],
        sequence=row["sequence"],
        version_floor=row["version_floor"],
        closed_at=row["closed_at"],
        entries=entries,
        attempts=attempts,
        entries_stored=len(entries),
        head=chain.head(posted),
        attempts_stored=len(attempts),
    )


_ENTRIES = Bulk(
    tuple[str, UUID],
    """SELECT e.* FROM ledger_entry e JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id) ORDER BY e.shop, e.order_id, e.number""",
)


async def _entries(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[asyncpg.Record]]:
    rows = await _ENTRIES.fetch(connection, keys)
    found: dict[Key, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        found[row["shop"], row["order_id"]].append(row)
    return found


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        kind=Kind(row["kind"]),
        amount_minor=row["amount_minor"],
        provider=row["provider"],
        object_id=row["object_id"],
        step=row["step"],
        source=row["source"],
        caused_by=row["caused_by"],
        occurred_at=row["occurred_at"],
        actor=row["actor"],
        method=PaymentMethod(row["method"]) if row["method"] else None,
        received_on=row["received_on"],
        clearing_on=row["clearing_on"],
        reference=row["reference"],
        note=row["note"],
        payment=row["payment"],
    )


_ATTEMPTS = Bulk(
    tuple[str, UUID],
    """SELECT t.* FROM attempt t JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


async def _attempts(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[Attempt]]:
    rows = await _ATTEMPTS.fetch(connection, keys)
    found: dict[Key, list[Attempt]] = defaultdict(list)
    for row in rows:
        fact = Attempt(
            row["provider"],
            row["object_id"],
            AttemptState(row["state"]),
            row["occurred_at"],
            row["started_at"],
        )
        found[row["shop"], row["order_id"]].append(fact)
    return found


_INSERT_ACCOUNTS = Bulk(
    NewAccountRow,
    """INSERT INTO account (shop, order_id, code, currency, method, opened_at, version, sequence, due_minor,
           credited_minor, received_minor, received_by_hand_minor, refunded_minor, marked_minor,
           disputed_minor, authorised_minor, balance_minor, attempt, flags, remarks, dispute_facts, version_floor)
       SELECT shop, order_id, code, currency, method, opened_at, version, sequence, due, credited, received,
           by_hand, refunded, marked, disputed, authorised, balance, attempt, string_to_array(flags, ','), remarks,
           dispute_facts, version_floor
       FROM {rows} AS n ({columns})""",
)


async def insert_accounts(connection: Writer, accounts: Sequence[Account]) -> None:
    """Insert accounts with their positions. Raises UniqueViolationError when one was opened meanwhile."""
    await _INSERT_ACCOUNTS.execute(connection, [new_account_row(account) for account in accounts])


_UPDATE_ACCOUNTS = Bulk(
    ChangedAccountRow,
    """UPDATE account a SET version = n.version, sequence = n.sequence, due_minor = n.due,
           credited_minor = n.credited, received_minor = n.received, received_by_hand_minor = n.by_hand,
           refunded_minor = n.refunded, marked_minor = n.marked, disputed_minor = n.disputed,
           authorised_minor = n.authorised, balance_minor = n.balance, attempt = n.attempt,
           flags = string_to_array(n.flags, ','), refund_facts = n.refund_facts, remarks = n.remarks,
           dispute_facts = n.dispute_facts
       FROM {rows} AS n ({columns})
       WHERE a.shop = n.shop AND a.order_id = n.order_id""",
)


async def update_accounts(connection: Writer, accounts: Sequence[Account]) -> None:
    """Update positions and sequences of locked accounts."""
    await _UPDATE_ACCOUNTS.execute(connection, [changed_account_row(account) for account in accounts])


class ClosedAccountRow(NamedTuple):
    shop: str
    order_id: UUID
    closed_at: datetime | None


_CLOSE_ACCOUNTS = Bulk(
    ClosedAccountRow,
    """UPDATE account a SET closed_at = n.closed_at
       FROM {rows} AS n ({columns})
       WHERE a.shop = n.shop AND a.order_id = n.order_id""",
)


async def close_accounts(connection: Writer, accounts: Sequence[Account]) -> None:
    """Record when locked accounts were closed."""
    rows = [
        ClosedAccountRow(shop=account.shop, order_id=account.id, closed_at=account.closed_at)
        for account in accounts
    ]
    await _CLOSE_ACCOUNTS.execute(connection, rows)


_APPEND_ENTRIES = Bulk(
    EntryRow,
    """INSERT INTO ledger_entry ({columns})
       SELECT * FROM {rows}""",
)


async def append_entries(connection: Writer, accounts: Sequence[Account], now: datetime) -> None:
    """Insert the new entries of locked accounts. Raises UniqueViolationError when another account has the
    same money.
    """
    rows = [row for account in accounts for row in entry_rows(account, now)]
    await _APPEND_ENTRIES.execute(connection, rows)


_APPEND_ATTEMPTS = Bulk(
    AttemptRow,
    """INSERT INTO attempt ({columns})
       SELECT * FROM {rows}""",
)


async def append_attempts(connection: Writer, accounts: Sequence[Account]) -> None:
    """Insert the new facts about attempts of locked accounts."""
    rows = [attempt_row(account, fact) for account in accounts for fact in account.new_attempts]
    await _APPEND_ATTEMPTS.execute(connection, rows)


_ORDERS_OF_ENTRIES = Bulk(
    tuple[str, UUID],
    """SELECT e.shop, e.id, e.order_id FROM ledger_entry e JOIN {rows} AS k (shop, id)
           USING (shop, id)""",
)


async def orders_of_entries(connection: Connection, entries: Sequence[Key]) -> dict[Key, UUID]:
    """Return the orders that have these entries (shop, entry id)."""
    rows = await _ORDERS_OF_ENTRIES.fetch(connection, entries)
    return {(row["shop"], row["id"]): row["order_id"] for row in rows}


_KNOWN_ORDERS = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id FROM account JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


async def known_orders(connection: Connection, keys: Sequence[Key]) -> set[Key]:
    """Return those of the orders (shop, order id) that have an account."""
    rows = await _KNOWN_ORDERS.fetch(connection, keys)
    return {(row["shop"], row["order_id"]) for row in rows}


async def read_account(connection: Connection, shop: str, order_id: UUID) -> asyncpg.Record | None:
    """Return the account's row."""
    return await connection.fetchrow(
        "SELECT * FROM account WHERE shop = $1 AND order_id = $2", shop, order_id
    )


async def read_entries(connection: Connection, shop: str, order_id: UUID) -> list[asyncpg.Record]:
    """Return the account's ledger in its own order."""
    return await connection.fetch(
        "SELECT * FROM ledger_entry WHERE shop = $1 AND order_id = $2 ORDER BY number", shop, order_id
    )
