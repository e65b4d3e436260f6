"""Movements of money: what the provider lists and the ledger lacks, what the ledger has and the provider does not.

Nothing is posted from here: an amount without its event names no order. A difference is a finding that staff see
and resolve; one that a later run finds no more is closed automatically.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.payments.accounts.ledger import ENTRY_NAMESPACE
from services.payments.providers.listing import ListedMoney, MoneyKind
from services.payments.reconciliation import store
from services.payments.reconciliation.running import Run
from services.payments.reconciliation.store import FindingRow, TheirsRow

REACH = timedelta(days=3)
"""How far back a run goes before what was reached: movements are listed late."""
SETTLING = timedelta(hours=3)
"""The age below which a movement may not be listed, or not be posted, yet."""
EDGE = timedelta(days=1)
"""Our entries so close to the begin of the listed time may have been listed before it."""
BATCH = 500
KINDS = tuple(MoneyKind)


async def compare_money(run: Run) -> None:
    """Compare both ways. A run that fails on the way leaves its findings and begins again."""
    since, until = min(run.row["reached_at"], run.now) - REACH, run.now - SETTLING
    run.steps = 2
    listed: set[tuple[str, str]] = set()
    batch: list[ListedMoney] = []
    async for one in run.listing.list_money(run.endpoint, since, until):
        listed.add((one.kind, one.object_id))
        batch.append(one)
        if len(batch) >= BATCH:
            run.steps += 1
            await _compare_theirs(run, batch)
            batch = []
    await _compare_theirs(run, batch)
    await _compare_ours(run, listed, since + EDGE, until)
    async with run.process.unit() as unit:
        await store.note_gone(unit.connection, run.endpoint, KINDS, since, until, run.now)


async def _compare_theirs(run: Run, batch: list[ListedMoney]) -> None:
    async with run.process.unit() as unit:
        rows = await store.compare(unit.connection, run.shop, run.provider, _summed(batch))
        findings = [_finding(run, row) for row in rows if _differs(row)]
        found = await store.write_findings(unit.connection, findings, run.now)
        await run.step(unit.connection, seen=len(batch), found=found)


def _summed(batch: Iterable[ListedMoney]) -> list[TheirsRow]:
    """Return a batch with one row per object: several captures of a payment are one receipt."""
    rows: dict[tuple[str, str], TheirsRow] = {}
    for one in batch:
        row = TheirsRow(one.kind, one.object_id, one.amount_minor, one.currency, one.occurred_at)
        known = rows.get((one.kind, one.object_id))
        rows[one.kind, one.object_id] = (
            row._replace(amount_minor=known.amount_minor + one.amount_minor) if known else row
        )
    return [rows[key] for key in sorted(rows)]


def _differs(row: Any) -> bool:
    """Return whether listed money is not in the ledger, or with another amount. A refund counts by its id, a
    dispute's money by its transaction: it may settle in another currency.
    """
    if row["ours_minor"] is None:
        return not row["is_seen"]
    is_same_currency = row["ours_currency"] in (None, row["currency"])
    return row["kind"] != MoneyKind.DISPUTE and is_same_currency and row["ours_minor"] < row["amount_minor"]


def _finding(run: Run, row: Any) -> FindingRow:
    return FindingRow(
        id=_id(run, row["kind"], row["object_id"]),
        shop=run.shop,
        provider=run.provider,
        endpoint=run.endpoint,
        side="theirs" if row["ours_minor"] is None else "differs",
        kind=row["kind"],
        object_id=row["object_id"],
        order_id=row["order_id"],
        theirs_minor=row["amount_minor"],
        ours_minor=row["ours_minor"],
        currency=row["currency"],
        occurred_at=row["occurred_at"],
    )


async def _compare_ours(run: Run, listed: set[tuple[str, str]], since: datetime, until: datetime) -> None:
    async with run.process.unit() as unit:
        ours = await store.read_ours(unit.connection, run.shop, run.provider, since, until)
        findings = [_only_ours(run, row) for row in ours if (row["kind"], row["object_id"]) not in listed]
        found = await store.write_findings(unit.connection, findings, run.now)
        await run.step(unit.connection, seen=len(ours), found=found, reached_at=run.now)


def _only_ours(run: Run, row: Any) -> FindingRow:
    return FindingRow(
        id=_id(run, row["kind"], row["object_id"]),
        shop=run.shop,
        provider=run.provider,
        endpoint=run.endpoint,
        side="ours",
        kind=row["kind"],
        object_id=row["object_id"],
        order_id=row["order_id"],
        theirs_minor=None,
        ours_minor=row["amount_minor"],
        currency=row["currency"],
        occurred_at=row["occurred_at"],
    )


def _id(run: Run, kind: str, object_id: str) -> UUID:
    return uuid5(ENTRY_NAMESPACE, f"{run.shop}/finding/{run.provider}/{kind}/{object_id}")
