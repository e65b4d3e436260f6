"""All SQL on refunds: those asked for, and those the provider made. Their accounts are locked by whoever calls."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from contracts.payments import RefundCause, RefundLine, RefundMode
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts.account import Account
from services.payments.accounts.refunds import ProviderRefund, RequestedRefund

Key = tuple[str, UUID]


async def read_refunds(connection: Connection, accounts: Sequence[Account]) -> None:
    """Fill in all refunds of these accounts."""
    by_key = {(account.shop, account.id): account for account in accounts}
    shops, orders = [shop for shop, _ in by_key], [order_id for _, order_id in by_key]
    asked = await connection.fetch(
        """SELECT r.* FROM refund r JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        shops,
        orders,
    )
    made = await connection.fetch(
        """SELECT r.* FROM provider_refund r JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        shops,
        orders,
    )
    for row in asked:
        by_key[row["shop"], row["order_id"]].refunds.ask(_asked(row))
    for row in made:
        by_key[row["shop"], row["order_id"]].refunds.learn(_made(row))
    for account in accounts:
        account.refunds.stored = account.refunds.facts
        account.refunds.stored_ids = frozenset(account.refunds.asked)


async def known_ids(connection: Connection, refund_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that a refund of some shop has."""
    rows = await connection.fetch(
        "SELECT DISTINCT refund_id FROM refund WHERE refund_id = ANY($1::uuid[])", refund_ids
    )
    return {row["refund_id"] for row in rows}


def _asked(row: asyncpg.Record) -> RequestedRefund:
    return RequestedRefund(
        id=row["refund_id"],
        command_id=row["command_id"],
        mode=RefundMode(row["mode"]),
        amount_minor=row["amount_minor"],
        provider=row["provider"],
        payment=row["payment_object"],
        cause=RefundCause(row["cause"]),
        reason=row["reason"],
        lines=tuple(RefundLine.model_validate(line) for line in json.loads(row["lines"])),
        actor=row["actor"],
        asked_at=row["asked_at"],
        reference=row["reference"],
        confirmed_by=row["confirmed_by"],
        is_sent=row["is_sent"],
        refusal=row["refusal"],
        doubts=row["doubts"],
        doubt=row["doubt"],
        notify_customer=row["notify_customer"],
        public_comment=row["public_comment"],
    )


def _made(row: asyncpg.Record) -> ProviderRefund:
    return ProviderRefund(
        provider=row["provider"],
        object_id=row["object_id"],
        payment=row["payment_object"],
        amount_minor=row["amount_minor"],
        made_at=row["made_at"],
        states=frozenset(row["states"]),
        refund_id=row["refund_id"],
        is_duplicate=row["is_duplicate"],
        detail=row["detail"],
    )


async def write_refunds(connection: Writer, accounts: Sequence[Account]) -> None:
    """Write the refunds of locked accounts whose refunds changed. UniqueViolationError when one's id was used meanwhile
    for another order.
    """
    changed = [account for account in accounts if account.refunds.facts > account.refunds.stored]
    asked = [(account, one) for account in changed for one in account.refunds.asked.values()]
    made = [(account, one) for account in changed for one in account.refunds.made.values()]
    if new := [(a, one) for a, one in asked if one.id not in a.refunds.stored_ids]:
        await _insert_asked(connection, [_asked_row(account, one) for account, one in new])
    if known := [(a, one) for a, one in asked if one.id in a.refunds.stored_ids]:
        await _update_asked(connection, known)
    if made:
        await _write_made(connection, [_made_row(account, one) for account, one in made])


def _asked_row(account: Account, one: RequestedRefund) -> tuple[Any, ...]:
    name = (account.shop, one.id, account.id, one.command_id, one.mode, one.amount_minor)
    lines = json.dumps([line.model_dump() for line in one.lines])
    what = (one.provider, one.payment, one.cause, one.reason, lines, one.actor, one.asked_at)
    doubts = (one.doubts, one.doubt)
    told = (one.notify_customer, one.public_comment)
    return (*name, *what, one.reference, one.confirmed_by, one.is_sent, one.refusal, *doubts, *told)


async def _insert_asked(connection: Writer, rows: Sequence[tuple[Any, ...]]) -> None:
    await connection.execute(
        """INSERT INTO refund (shop, refund_id, order_id, command_id, mode, amount_minor, provider, payment_object,
               cause, reason, lines, actor, asked_at, reference, confirmed_by, is_sent, refusal,
               doubts, doubt, notify_customer, public_comment)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[],
               $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::text[], $13::timestamptz[], $14::text[],
               $15::text[], $16::boolean[], $17::text[], $18::integer[], $19::text[], $20::boolean[], $21::text[])""",
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def _update_asked(connection: Writer, asked: Sequence[tuple[Account, RequestedRefund]]) -> None:
    """What became known of refunds that are stored."""
    rows = [
        (a.shop, one.id, one.reference, one.confirmed_by, one.is_sent, one.refusal, one.doubts, one.doubt)
        for a, one in asked
    ]
    await connection.execute(
        """UPDATE refund r SET reference = n.reference, confirmed_by = n.confirmed_by, is_sent = n.is_sent,
               refusal = n.refusal, doubts = n.doubts, doubt = n.doubt
           FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::integer[],
               $8::text[])
             AS n (shop, refund_id, reference, confirmed_by, is_sent, refusal, doubts, doubt)
           WHERE r.shop = n.shop AND r.refund_id = n.refund_id""",
        *(list(column) for column in zip(*rows, strict=True)),
    )


def _made_row(account: Account, one: ProviderRefund) -> tuple[Any, ...]:
    name = (account.shop, one.provider, one.object_id, account.id, one.payment, one.amount_minor)
    return (*name, one.made_at, ",".join(sorted(one.states)), one.refund_id, one.is_duplicate, one.detail)


async def _write_made(connection: Writer, rows: Sequence[tuple[Any, ...]]) -> None:
    await connection.execute(
        """INSERT INTO provider_refund (shop, provider, object_id, order_id, payment_object, amount_minor, made_at,
               states, refund_id, is_duplicate, detail)
           SELECT shop, provider, object_id, order_id, payment, amount, made_at, string_to_array(states, ','),
               refund_id, is_duplicate, detail
           FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::timestamptz[],
               $8::text[], $9::uuid[], $10::boolean[], $11::text[])
             AS n (shop, provider, object_id, order_id, payment, amount, made_at, states, refund_id, is_duplicate,
               detail)
           ON CONFLICT (shop, provider, object_id) DO UPDATE SET states = excluded.states, detail = excluded.detail""",
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def read_refunds_of(
    connection: Connection, shop: str, order_id: UUID
) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
    """The refunds asked for and those the provider made, of one order."""
    asked = await connection.fetch(
        "SELECT * FROM refund WHERE shop = $1 AND order_id = $2 ORDER BY asked_at, refund_id", shop, order_id
    )
    made = await connection.fetch(
        "SELECT * FROM provider_refund WHERE shop = $1 AND order_id = $2 ORDER BY made_at, object_id",
        shop,
        order_id,
    )
    return asked, made
