"""All SQL on refunds: those requested, and those the provider made. The caller locks their accounts."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from contracts.payments.refunds import RefundCause, RefundLine, RefundMode
from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts.account import Account
from services.payments.accounts.refund_matching import ProviderRefund, RequestedRefund

Key = tuple[str, UUID]


_READ_REQUESTED = Bulk(
    tuple[str, UUID],
    """SELECT r.* FROM refund r JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


_READ_MADE = Bulk(
    tuple[str, UUID],
    """SELECT r.* FROM provider_refund r JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


async def read_refunds(connection: Connection, accounts: Sequence[Account]) -> None:
    """Fill in all refunds of these accounts."""
    by_key = {(account.shop, account.id): account for account in accounts}
    requested = await _READ_REQUESTED.fetch(connection, by_key)
    provider_refunds = await _READ_MADE.fetch(connection, by_key)
    for row in requested:
        by_key[row["shop"], row["order_id"]].refunds.ask(_requested(row))
    for row in provider_refunds:
        by_key[row["shop"], row["order_id"]].refunds.learn(_made(row))
    for account in accounts:
        account.refunds.stored = account.refunds.facts
        account.refunds.stored_ids = frozenset(account.refunds.requested)


async def known_ids(connection: Connection, refund_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the ids that a refund of some shop has."""
    rows = await connection.fetch(
        "SELECT DISTINCT refund_id FROM refund WHERE refund_id = ANY($1::uuid[])", refund_ids
    )
    return {row["refund_id"] for row in rows}


def _requested(row: asyncpg.Record) -> RequestedRefund:
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
        part_of=row["part_of"],
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


class RequestedRefundRow(NamedTuple):
    shop: str
    refund_id: UUID
    order_id: UUID
    command_id: UUID
    mode: str
    amount_minor: int
    provider: str | None
    payment_object: str | None
    cause: str
    reason: str | None
    lines: Json
    actor: str
    asked_at: datetime
    reference: str | None
    confirmed_by: str | None
    is_sent: bool
    refusal: str | None
    doubts: Integer
    doubt: str | None
    notify_customer: bool
    public_comment: str | None
    part_of: UUID | None


_INSERT_REQUESTED = Bulk(
    RequestedRefundRow,
    """INSERT INTO refund ({columns})
       SELECT * FROM {rows}""",
)


def _requested_row(account: Account, one: RequestedRefund) -> RequestedRefundRow:
    return RequestedRefundRow(
        shop=account.shop,
        refund_id=one.id,
        order_id=account.id,
        command_id=one.command_id,
        mode=one.mode,
        amount_minor=one.amount_minor,
        provider=one.provider,
        payment_object=one.payment,
        cause=one.cause,
        reason=one.reason,
        lines=json.dumps([line.model_dump() for line in one.lines]),
        actor=one.actor,
        asked_at=one.asked_at,
        reference=one.reference,
        confirmed_by=one.confirmed_by,
        is_sent=one.is_sent,
        refusal=one.refusal,
        doubts=one.doubts,
        doubt=one.doubt,
        notify_customer=one.notify_customer,
        public_comment=one.public_comment,
        part_of=one.part_of,
    )


class ChangedRefundRow(NamedTuple):
    shop: str
    refund_id: UUID
    reference: str | None
    confirmed_by: str | None
    is_sent: bool
    refusal: str | None
    doubts: Integer
    doubt: str | None


_UPDATE_REQUESTED = Bulk(
    ChangedRefundRow,
    """UPDATE refund r SET reference = n.reference, confirmed_by = n.confirmed_by, is_sent = n.is_sent,
           refusal = n.refusal, doubts = n.doubts, doubt = n.doubt
       FROM {rows} AS n ({columns})
       WHERE r.shop = n.shop AND r.refund_id = n.refund_id""",
)


def _changed_row(account: Account, one: RequestedRefund) -> ChangedRefundRow:
    """Return the updatable columns of a stored refund."""
    return ChangedRefundRow(
        shop=account.shop,
        refund_id=one.id,
        reference=one.reference,
        confirmed_by=one.confirmed_by,
        is_sent=one.is_sent,
        refusal=one.refusal,
        doubts=one.doubts,
        doubt=one.doubt,
    )


class ProviderRefundRow(NamedTuple):
    shop: str
    provider: str
    object_id: str
    order_id: UUID
    payment: str
    amount: int
    made_at: datetime
    states: str
    refund_id: UUID | None
    is_duplicate: bool
    detail: str | None


_WRITE_MADE = Bulk(
    ProviderRefundRow,
    """INSERT INTO provider_refund (shop, provider, object_id, order_id, payment_object, amount_minor, made_at,
           states, refund_id, is_duplicate, detail)
       SELECT shop, provider, object_id, order_id, payment, amount, made_at, string_to_array(states, ','),
           refund_id, is_duplicate, detail
       FROM {rows} AS n ({columns})
       ON CONFLICT (shop, provider, object_id) DO UPDATE SET states = excluded.states, detail = excluded.detail""",
)


def _made_row(account: Account, one: ProviderRefund) -> ProviderRefundRow:
    return ProviderRefundRow(
        shop=account.shop,
        provider=one.provider,
        object_id=one.object_id,
        order_id=account.id,
        payment=one.payment,
        amount=one.amount_minor,
        made_at=one.made_at,
        states=",".join(sorted(one.states)),
        refund_id=one.refund_id,
        is_duplicate=one.is_duplicate,
        detail=one.detail,
    )


async def write_refunds(connection: Writer, accounts: Sequence[Account]) -> None:
    """Write all refunds of these locked accounts; the caller passes those whose refunds changed. Raises
    UniqueViolationError when one's id was used meanwhile for another order.
    """
    requested = [(account, one) for account in accounts for one in account.refunds.requested.values()]
    provider_refunds = [(account, one) for account in accounts for one in account.refunds.made.values()]
    new = [
        _requested_row(account, one) for account, one in requested if one.id not in account.refunds.stored_ids
    ]
    known = [_changed_row(account, one) for account, one in requested if one.id in account.refunds.stored_ids]
    await _INSERT_REQUESTED.execute(connection, new)
    await _UPDATE_REQUESTED.execute(connection, known)
    await _WRITE_MADE.execute(connection, [_made_row(account, one) for account, one in provider_refunds])


async def read_refunds_of(
    connection: Connection, shop: str, order_id: UUID
) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
    """Return the refunds requested and those the provider made, of one order."""
    requested = await connection.fetch(
        "SELECT * FROM refund WHERE shop = $1 AND order_id = $2 ORDER BY asked_at, refund_id", shop, order_id
    )
    provider_refunds = await connection.fetch(
        "SELECT * FROM provider_refund WHERE shop = $1 AND order_id = $2 ORDER BY made_at, object_id",
        shop,
        order_id,
    )
    return requested, provider_refunds
