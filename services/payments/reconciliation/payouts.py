"""Payouts to the merchant's bank: kept as listed, each compared with the sum of the movements it consists of."""

from datetime import timedelta
from uuid import uuid5

from services.payments.accounts.ledger import ENTRY_NAMESPACE
from services.payments.providers.listing import ListedPayout
from services.payments.reconciliation import store
from services.payments.reconciliation.running import Run
from services.payments.reconciliation.store import FindingRow, PayoutRow

REACH = timedelta(days=7)
"""How far back a run goes before what was reached: a payout changes its state for days."""
KIND = "payout"


async def compare_payouts(run: Run) -> None:
    """Store the payouts, and a finding for each whose movements have another sum."""
    since = min(run.row["reached_at"], run.now) - REACH
    listed = [one async for one in run.listing.list_payouts(run.endpoint, since, run.now)]
    async with run.process.unit() as unit:
        await store.write_payouts(unit.connection, [_row(run, one) for one in listed])
        findings = [_finding(run, one) for one in listed if one.sum_minor not in (None, one.amount_minor)]
        found = await store.write_findings(unit.connection, findings, run.now)
        await store.note_gone(unit.connection, run.endpoint, [KIND], since, run.now, run.now)
        await run.step(unit.connection, seen=len(listed), found=found, reached_at=run.now)


def _row(run: Run, payout: ListedPayout) -> PayoutRow:
    return PayoutRow(
        shop=run.shop,
        provider=run.provider,
        object_id=payout.object_id,
        endpoint=run.endpoint,
        state=payout.state,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        created_at=payout.created_at,
        arrives_on=payout.arrives_on,
        sum_minor=payout.sum_minor,
        movements=payout.movements,
        seen_at=run.now,
    )


def _finding(run: Run, payout: ListedPayout) -> FindingRow:
    return FindingRow(
        id=uuid5(ENTRY_NAMESPACE, f"{run.shop}/finding/{run.provider}/{KIND}/{payout.object_id}"),
        shop=run.shop,
        provider=run.provider,
        endpoint=run.endpoint,
        side="differs",
        kind=KIND,
        object_id=payout.object_id,
        order_id=None,
        theirs_minor=payout.amount_minor,
        ours_minor=payout.sum_minor,
        currency=payout.currency,
        occurred_at=payout.created_at,
    )
