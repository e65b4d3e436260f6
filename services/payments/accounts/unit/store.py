"""All SQL on accounts, the ledger, attempts and providers' objects. Set-based: a batch costs what one row costs.

Accounts are locked in (shop, order) order; nothing else here locks beyond the rows it writes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from contracts.payments import AttemptState
from contracts.storefront import PaymentMethod
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts.account import Account
from services.payments.accounts.attempts import Attempt
from services.payments.accounts.ledger import Entry, Kind, entry_id
from services.payments.accounts.refund_words import standing
from services.payments.accounts.unit import refund_store, remark_store

Key = tuple[str, UUID]


async def lock_accounts(connection: Connection, keys: Sequence[Key]) -> list[Account]:
    """The accounts that exist among these, locked FOR UPDATE in the given (sorted) order, with all they hold."""
    rows = await connection.fetch(
        """SELECT a.shop, a.order_id, a.code, a.currency, a.method, a.opened_at, a.sequence,
                  a.closed_at, a.refund_facts, a.remarks
           FROM account a JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id) USING (shop, order_id)
           ORDER BY a.shop, a.order_id FOR UPDATE OF a""",
        *_columns(keys, 2),
    )
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
            account.words_told = standing(account)
    if remarked := [account for account, row in zip(accounts, rows, strict=True) if row["remarks"]]:
        await remark_store.read_remarks(connection, remarked)
    return accounts


def _account(row: asyncpg.Record, entries: list[Entry], attempts: list[Attempt]) -> Account:
    return Account(
        shop=row["shop"],
        id=row["order_id"],
        code=row["code"],
        currency=row["currency"],
        method=PaymentMethod(row["method"]),
        opened_at=row["opened_at"],
        sequence=row["sequence"],
        closed_at=row["closed_at"],
        entries=entries,
        attempts=attempts,
        entries_stored=len(entries),
        attempts_stored=len(attempts),
    )


async def _entries(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[Entry]]:
    rows = await connection.fetch(
        """SELECT e.* FROM ledger_entry e JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id) ORDER BY e.shop, e.order_id, e.number""",
        *_columns(keys, 2),
    )
    found: dict[Key, list[Entry]] = defaultdict(list)
    for row in rows:
        found[row["shop"], row["order_id"]].append(_entry(row))
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


async def _attempts(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[Attempt]]:
    rows = await connection.fetch(
        """SELECT t.* FROM attempt t JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        *_columns(keys, 2),
    )
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


async def insert_accounts(connection: Writer, accounts: Sequence[Account]) -> None:
    """New accounts with their positions. UniqueViolationError when one was opened meanwhile."""
    if not accounts:
        return
    await connection.execute(
        """INSERT INTO account (shop, order_id, code, currency, method, opened_at, version, sequence, due_minor,
               credited_minor, received_minor, received_by_hand_minor, refunded_minor, marked_minor,
               disputed_minor, authorised_minor, balance_minor, attempt, flags, remarks)
           SELECT shop, order_id, code, currency, method, opened_at, version, sequence, due, credited, received,
               by_hand, refunded, marked, disputed, authorised, balance, attempt, string_to_array(flags, ','), remarks
           FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
               $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[],
               $15::text[], $16::text[], $17::text[], $18::text[], $19::timestamptz[], $20::integer[])
             AS n (shop, order_id, version, sequence, due, credited, received, by_hand, refunded, marked, disputed,
               authorised, balance, attempt, flags, code, currency, method, opened_at, remarks)""",
        *_columns([_position_row(a) for a in accounts], 15),
        *_columns([(a.code, a.currency, a.method, a.opened_at, len(a.remarks)) for a in accounts], 5),
    )


async def update_accounts(connection: Writer, accounts: Sequence[Account]) -> None:
    """New positions and sequences of locked accounts."""
    if not accounts:
        return
    await connection.execute(
        """UPDATE account a SET version = n.version, sequence = n.sequence, due_minor = n.due,
               credited_minor = n.credited, received_minor = n.received, received_by_hand_minor = n.by_hand,
               refunded_minor = n.refunded, marked_minor = n.marked, disputed_minor = n.disputed,
               authorised_minor = n.authorised, balance_minor = n.balance, attempt = n.attempt,
               flags = string_to_array(n.flags, ','), refund_facts = n.refund_facts, remarks = n.remarks
           FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
               $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[],
               $15::text[], $16::integer[], $17::integer[])
             AS n (shop, order_id, version, sequence, due, credited, received, by_hand, refunded, marked, disputed,
               authorised, balance, attempt, flags, refund_facts, remarks)
           WHERE a.shop = n.shop AND a.order_id = n.order_id""",
        *_columns([(*_position_row(a), a.refunds.facts, len(a.remarks)) for a in accounts], 17),
    )


async def close_accounts(connection: Writer, accounts: Sequence[Account]) -> None:
    """When locked accounts were closed."""
    await connection.execute(
        """UPDATE account a SET closed_at = n.closed_at
           FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS n (shop, order_id, closed_at)
           WHERE a.shop = n.shop AND a.order_id = n.order_id""",
        *_columns([(account.shop, account.id, account.closed_at) for account in accounts], 3),
    )


def _position_row(account: Account) -> tuple[Any, ...]:
    p = account.position
    sums = (p.due_minor, p.credited_minor, p.received_minor, p.received_by_hand_minor, p.refunded_minor)
    rest = (
        p.marked_minor,
        p.disputed_minor,
        p.authorised_minor,
        p.balance_minor,
        p.attempt,
        ",".join(p.flags),
    )
    return (account.shop, account.id, p.version, account.sequence, *sums, *rest)


async def append_entries(connection: Writer, accounts: Sequence[Account], now: datetime) -> None:
    """The new entries of locked accounts. UniqueViolationError when another account has the same money."""
    rows = [
        _entry_row(account, number, entry) for account in accounts for number, entry in account.new_entries
    ]
    if not rows:
        return
    await connection.execute(
        """INSERT INTO ledger_entry (id, shop, order_id, number, kind, amount_minor, currency, provider, object_id,
               step, method, source, caused_by, occurred_at, received_on, clearing_on, reference, note, actor,
               payment, recorded_at)
           SELECT n.*, $21 FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::text[], $6::bigint[],
               $7::text[], $8::text[], $9::text[], $10::int[], $11::text[], $12::text[], $13::uuid[],
               $14::timestamptz[], $15::date[], $16::date[], $17::text[], $18::text[], $19::text[], $20::text[])
               AS n""",
        *_columns(rows, 20),
        now,
    )


def _entry_row(account: Account, number: int, e: Entry) -> tuple[Any, ...]:
    name = (entry_id(account.shop, e), account.shop, account.id, number, e.kind)
    money = (e.amount_minor, account.currency, e.provider, e.object_id, e.step, e.method)
    origin = (e.source, e.caused_by, e.occurred_at)
    words = (e.received_on, e.clearing_on, e.reference, e.note, e.actor, e.payment)
    return (*name, *money, *origin, *words)


async def append_attempts(connection: Writer, accounts: Sequence[Account]) -> None:
    """What was newly learnt about attempts of locked accounts."""
    rows = [
        (account.shop, account.id, f.provider, f.object_id, f.state, f.occurred_at, f.started_at)
        for account in accounts
        for f in account.new_attempts
    ]
    if not rows:
        return
    await connection.execute(
        """INSERT INTO attempt (shop, order_id, provider, object_id, state, occurred_at, started_at)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
               $7::timestamptz[])""",
        *_columns(rows, 7),
    )


async def link_objects(connection: Writer, links: Mapping[tuple[str, str, str], UUID]) -> None:
    """Which order a provider's object belongs to; an object that has an order keeps it."""
    await connection.execute(
        """INSERT INTO provider_object (shop, provider, object_id, order_id)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) ON CONFLICT DO NOTHING""",
        *_columns([(*key, order_id) for key, order_id in sorted(links.items())], 4),
    )


async def claim_objects(connection: Writer, claims: Mapping[tuple[str, str, str], UUID]) -> None:
    """A person's word on which order an object belongs to: it counts over an earlier link, as long as nothing of it
    is in the books.
    """
    await connection.execute(
        """INSERT INTO provider_object AS o (shop, provider, object_id, order_id)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
           ON CONFLICT (shop, provider, object_id) DO UPDATE SET order_id = excluded.order_id, moved_to = NULL
           WHERE NOT EXISTS (SELECT FROM ledger_entry e
                             WHERE (e.shop, e.provider, e.object_id) = (o.shop, o.provider, o.object_id))""",
        *_columns([(*key, order_id) for key, order_id in sorted(claims.items())], 4),
    )


async def move_objects(connection: Writer, moves: Mapping[tuple[str, str, str], UUID]) -> None:
    """Which order has the money of a payment now."""
    await connection.execute(
        """UPDATE provider_object o SET moved_to = n.order_id
           FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS n (shop, provider, object_id, order_id)
           WHERE (o.shop, o.provider, o.object_id) = (n.shop, n.provider, n.object_id)""",
        *_columns([(*key, order_id) for key, order_id in sorted(moves.items())], 4),
    )


async def holders_of_objects(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """The orders that have the money of those payments (shop, provider, object id) now."""
    rows = await connection.fetch(
        """SELECT o.* FROM provider_object o JOIN unnest($1::text[], $2::text[], $3::text[])
               AS k (shop, provider, object_id) USING (shop, provider, object_id)""",
        *_columns(objects, 3),
    )
    return {
        (row["shop"], row["provider"], row["object_id"]): row["moved_to"] or row["order_id"] for row in rows
    }


async def orders_of_entries(connection: Connection, entries: Sequence[Key]) -> dict[Key, UUID]:
    """The orders that have these entries (shop, entry id)."""
    rows = await connection.fetch(
        """SELECT e.shop, e.id, e.order_id FROM ledger_entry e JOIN unnest($1::text[], $2::uuid[]) AS k (shop, id)
               USING (shop, id)""",
        *_columns(entries, 2),
    )
    return {(row["shop"], row["id"]): row["order_id"] for row in rows}


async def orders_of_objects(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """The orders of those objects (shop, provider, object id) that are known."""
    rows = await connection.fetch(
        """SELECT o.* FROM provider_object o JOIN unnest($1::text[], $2::text[], $3::text[])
               AS k (shop, provider, object_id) USING (shop, provider, object_id)""",
        *_columns(objects, 3),
    )
    return {(row["shop"], row["provider"], row["object_id"]): row["order_id"] for row in rows}


async def known_orders(connection: Connection, keys: Sequence[Key]) -> set[Key]:
    """Those of the orders (shop, order id) that have an account."""
    rows = await connection.fetch(
        """SELECT shop, order_id FROM account JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        *_columns(keys, 2),
    )
    return {(row["shop"], row["order_id"]) for row in rows}


async def read_account(connection: Connection, shop: str, order_id: UUID) -> asyncpg.Record | None:
    """The account's row."""
    return await connection.fetchrow(
        "SELECT * FROM account WHERE shop = $1 AND order_id = $2", shop, order_id
    )


async def read_entries(connection: Connection, shop: str, order_id: UUID) -> list[asyncpg.Record]:
    """The account's ledger in its own sequence."""
    return await connection.fetch(
        "SELECT * FROM ledger_entry WHERE shop = $1 AND order_id = $2 ORDER BY number", shop, order_id
    )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as the columns that `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
