"""All SQL on remarks. The caller locks their accounts.

Disputes were remarks in an earlier version, under Stripe's names of states: those rows are read as reports.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from contracts.payments.disputes import DisputeState
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts.account import Account
from services.payments.accounts.disputes import Report
from services.payments.accounts.remarks import Remark, Topic

FORMER_TOPIC = "dispute"
FORMER_STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
    "charge_refunded": DisputeState.CLOSED,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
_READ_REMARKS = Bulk(
    tuple[str, UUID],
    """SELECT r.* FROM remark r JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


async def read_remarks(connection: Connection, accounts: Sequence[Account]) -> None:
    """Fill in all remarks of these accounts."""
    by_key = {(account.shop, account.id): account for account in accounts}
    rows = await _READ_REMARKS.fetch(connection, by_key)
    for row in rows:
        account = by_key[row["shop"], row["order_id"]]
        if row["topic"] == FORMER_TOPIC:
            account.disputes.reports.append(_former_report(row))
            account.disputes.former += 1
        else:
            account.remarks.append(_remark(row))
    for account in accounts:
        account.remarks_stored = len(account.remarks)


def _remark(row: asyncpg.Record) -> Remark:
    return Remark(
        Topic(row["topic"]),
        row["provider"],
        row["object_id"],
        row["payment"],
        row["state"],
        row["amount_minor"],
        row["occurred_at"],
    )


def _former_report(row: asyncpg.Record) -> Report:
    return Report(
        provider=row["provider"],
        object_id=row["object_id"],
        payment=row["payment"],
        state=FORMER_STATES.get(row["state"], DisputeState.NEEDS_RESPONSE),
        amount_minor=row["amount_minor"],
        occurred_at=row["occurred_at"],
    )


class RemarkRow(NamedTuple):
    shop: str
    order_id: UUID
    topic: str
    provider: str
    object_id: str
    payment: str
    state: str
    amount_minor: int
    occurred_at: datetime


_APPEND_REMARKS = Bulk(
    RemarkRow,
    """INSERT INTO remark ({columns})
       SELECT * FROM {rows}""",
)


async def append_remarks(connection: Writer, accounts: Sequence[Account]) -> None:
    """Insert the new remarks of locked accounts."""
    rows = [
        RemarkRow(
            shop=account.shop,
            order_id=account.id,
            topic=one.topic,
            provider=one.provider,
            object_id=one.object_id,
            payment=one.payment,
            state=one.state,
            amount_minor=one.amount_minor,
            occurred_at=one.occurred_at,
        )
        for account in accounts
        for one in account.new_remarks
    ]
    await _APPEND_REMARKS.execute(connection, rows)
