"""All SQL on disputes. The caller locks their accounts."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from contracts.payments.disputes import DisputeResolution, DisputeState
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts.account import Account
from services.payments.accounts.disputes import Decision, Direction, Movement, Report

Accounts = dict[tuple[str, UUID], Account]
_READ_REPORTS = Bulk(
    tuple[str, UUID],
    "SELECT r.* FROM dispute_report r JOIN {rows} AS k (shop, order_id) USING (shop, order_id)",
)
_READ_MOVEMENTS = Bulk(
    tuple[str, UUID],
    "SELECT m.* FROM dispute_movement m JOIN {rows} AS k (shop, order_id) USING (shop, order_id)",
)
_READ_DISPUTES = Bulk(
    tuple[str, UUID], "SELECT d.* FROM dispute d JOIN {rows} AS k (shop, order_id) USING (shop, order_id)"
)
_READ_ALARMS = Bulk(
    tuple[str, UUID],
    "SELECT a.* FROM dispute_alarm a JOIN {rows} AS k (shop, order_id) USING (shop, order_id)",
)


async def read_disputes(connection: Connection, accounts: Sequence[Account]) -> None:
    """Fill in all facts about the disputes of these accounts, and which disputes were published."""
    by_key = {(account.shop, account.id): account for account in accounts}
    for row, account in _each(by_key, await _READ_REPORTS.fetch(connection, by_key)):
        account.disputes.reports.append(_report(row))
    for row, account in _each(by_key, await _READ_MOVEMENTS.fetch(connection, by_key)):
        account.disputes.movements.append(_movement(row))
    for row, account in _each(by_key, await _READ_ALARMS.fetch(connection, by_key)):
        account.disputes.alarms.add(((row["provider"], row["object_id"]), row["due_at"]))
    rows = await _READ_DISPUTES.fetch(connection, by_key)
    for row, account in _each(by_key, rows):
        if row["resolution"]:
            account.disputes.decisions.append(_decision(row))
    for row, account in _each(by_key, rows):
        dispute = account.disputes.find((row["provider"], row["object_id"]))
        if dispute is not None:
            account.disputes.published[dispute.key] = dispute
    for account in accounts:
        account.disputes.stored()


def _each(accounts: Accounts, rows: Sequence[asyncpg.Record]) -> Iterator[tuple[asyncpg.Record, Account]]:
    return ((row, accounts[row["shop"], row["order_id"]]) for row in rows)


def _report(row: asyncpg.Record) -> Report:
    return Report(
        provider=row["provider"],
        object_id=row["object_id"],
        payment=row["payment"],
        state=DisputeState(row["state"]),
        amount_minor=row["amount_minor"],
        occurred_at=row["occurred_at"],
        reason=row["reason"],
        due_at=row["due_at"],
    )


def _movement(row: asyncpg.Record) -> Movement:
    return Movement(
        provider=row["provider"],
        object_id=row["object_id"],
        dispute=row["dispute"],
        payment=row["payment"],
        direction=Direction(row["direction"]),
        amount_minor=row["amount_minor"],
        fee_minor=row["fee_minor"],
        fee_currency=row["fee_currency"],
        occurred_at=row["occurred_at"],
    )


def _decision(row: asyncpg.Record) -> Decision:
    return Decision(
        provider=row["provider"],
        object_id=row["object_id"],
        resolution=DisputeResolution(row["resolution"]),
        command_id=row["command_id"],
        actor=row["resolved_by"],
        note=row["note"],
        decided_at=row["resolved_at"],
    )


class ReportRow(NamedTuple):
    shop: str
    order_id: UUID
    provider: str
    object_id: str
    payment: str
    state: str
    amount_minor: int
    occurred_at: datetime
    reason: str
    due_at: datetime | None


class MovementRow(NamedTuple):
    shop: str
    order_id: UUID
    provider: str
    object_id: str
    dispute: str
    payment: str
    direction: str
    amount_minor: int
    fee_minor: int
    fee_currency: str
    occurred_at: datetime


class AlarmRow(NamedTuple):
    shop: str
    order_id: UUID
    provider: str
    object_id: str
    due_at: datetime


class DisputeRow(NamedTuple):
    shop: str
    provider: str
    object_id: str
    order_id: UUID
    state: str
    due_at: datetime | None
    is_due_soon: bool
    held_minor: int
    resolution: str | None
    command_id: UUID | None
    resolved_by: str | None
    resolved_at: datetime | None
    note: str | None


_APPEND_REPORTS = Bulk(ReportRow, "INSERT INTO dispute_report ({columns}) SELECT * FROM {rows}")
_APPEND_MOVEMENTS = Bulk(MovementRow, "INSERT INTO dispute_movement ({columns}) SELECT * FROM {rows}")
_APPEND_ALARMS = Bulk(
    AlarmRow, "INSERT INTO dispute_alarm ({columns}) SELECT * FROM {rows} ON CONFLICT DO NOTHING"
)
_WRITE_DISPUTES = Bulk(
    DisputeRow,
    """INSERT INTO dispute AS d ({columns}) SELECT * FROM {rows}
       ON CONFLICT (shop, provider, object_id) DO UPDATE SET state = excluded.state, due_at = excluded.due_at,
           is_due_soon = excluded.is_due_soon, held_minor = excluded.held_minor, resolution = excluded.resolution,
           command_id = excluded.command_id, resolved_by = excluded.resolved_by,
           resolved_at = excluded.resolved_at, note = excluded.note""",
)


async def write_disputes(connection: Writer, accounts: Sequence[Account]) -> None:
    """Insert the new facts of locked accounts whose disputes changed, and write all their disputes as they are now."""
    await _APPEND_REPORTS.execute(connection, [row for one in accounts for row in _report_rows(one)])
    await _APPEND_MOVEMENTS.execute(connection, [row for one in accounts for row in _movement_rows(one)])
    await _APPEND_ALARMS.execute(connection, [row for one in accounts for row in _alarm_rows(one)])
    await _WRITE_DISPUTES.execute(connection, [row for one in accounts for row in _dispute_rows(one)])


def _report_rows(account: Account) -> Iterator[ReportRow]:
    for one in account.disputes.reports[account.disputes.reports_stored :]:
        yield ReportRow(
            shop=account.shop,
            order_id=account.id,
            provider=one.provider,
            object_id=one.object_id,
            payment=one.payment,
            state=one.state,
            amount_minor=one.amount_minor,
            occurred_at=one.occurred_at,
            reason=one.reason,
            due_at=one.due_at,
        )


def _movement_rows(account: Account) -> Iterator[MovementRow]:
    for one in account.disputes.movements[account.disputes.movements_stored :]:
        yield MovementRow(
            shop=account.shop,
            order_id=account.id,
            provider=one.provider,
            object_id=one.object_id,
            dispute=one.dispute,
            payment=one.payment,
            direction=one.direction,
            amount_minor=one.amount_minor,
            fee_minor=one.fee_minor,
            fee_currency=one.fee_currency,
            occurred_at=one.occurred_at,
        )


def _alarm_rows(account: Account) -> Iterator[AlarmRow]:
    for (provider, object_id), due_at in sorted(account.disputes.alarms):
        yield AlarmRow(account.shop, account.id, provider, object_id, due_at)


def _dispute_rows(account: Account) -> Iterator[DisputeRow]:
    for one in account.disputes.all():
        decision = one.decision
        yield DisputeRow(
            shop=account.shop,
            provider=one.provider,
            object_id=one.object_id,
            order_id=account.id,
            state=one.state,
            due_at=one.due_at,
            is_due_soon=one.is_due_soon,
            held_minor=one.held_minor,
            resolution=decision.resolution if decision else None,
            command_id=decision.command_id if decision else None,
            resolved_by=decision.actor if decision else None,
            resolved_at=decision.decided_at if decision else None,
            note=decision.note if decision else None,
        )
