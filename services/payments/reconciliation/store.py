"""All SQL that compares a provider's lists with the ledger."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection


class TheirsRow(NamedTuple):
    """Money as the provider lists it."""

    kind: str
    object_id: str
    amount_minor: int
    currency: str
    occurred_at: datetime


_COMPARE = Bulk(
    TheirsRow,
    """SELECT n.*, l.order_id, l.ours_minor, l.ours_currency,
           EXISTS (SELECT FROM webhook w WHERE (w.shop, w.provider, w.object_id) = ({shop}, {provider}, n.object_id)
                   AND (w.state IN ('received', 'waiting', 'parked') OR w.reason = 'set_aside')) AS is_seen
       FROM {rows} AS n ({columns})
       CROSS JOIN LATERAL (
           SELECT (array_agg(e.order_id))[1] AS order_id, sum(e.amount_minor)::bigint AS ours_minor,
               min(e.currency) AS ours_currency
           FROM ledger_entry e
           WHERE (e.shop, e.provider, e.object_id) = ({shop}, {provider}, n.object_id) AND e.kind = ANY(CASE n.kind
               WHEN 'payment' THEN ARRAY['payment_received'] WHEN 'refund' THEN ARRAY['refund_paid']
               ELSE ARRAY['disputed', 'dispute_won'] END)
           UNION ALL
           SELECT r.order_id, r.amount_minor, NULL FROM provider_refund r
           WHERE n.kind = 'refund' AND (r.shop, r.provider, r.object_id) = ({shop}, {provider}, n.object_id)
           UNION ALL
           SELECT m.order_id, m.amount_minor, NULL FROM dispute_movement m
           WHERE n.kind = 'dispute' AND (m.shop, m.provider, m.object_id) = ({shop}, {provider}, n.object_id)
           ORDER BY ours_minor NULLS LAST LIMIT 1) AS l""",
)


async def compare(
    connection: Connection, shop: str, provider: str, rows: Sequence[TheirsRow]
) -> list[asyncpg.Record]:
    """Return listed money with what is known of it: order_id, ours_minor (NULL: nothing), is_seen: its webhook waits
    for its order, is parked or was set aside, where staff see it.
    """
    return await _COMPARE.fetch(connection, rows, shop=shop, provider=provider)


async def read_ours(
    connection: Connection, shop: str, provider: str, since: datetime, until: datetime
) -> list[asyncpg.Record]:
    """Return what the ledger has of a provider in this time: kind, object_id, order_id, amount, currency, time.

    A refund that failed is not among it: some providers list it and its failure, others neither.
    """
    return await connection.fetch(
        """SELECT CASE kind WHEN 'payment_received' THEN 'payment' WHEN 'refund_paid' THEN 'refund'
                            ELSE 'dispute' END AS kind, object_id, (array_agg(order_id))[1] AS order_id,
               sum(amount_minor)::bigint AS amount_minor, min(currency) AS currency, min(occurred_at) AS occurred_at
           FROM ledger_entry e
           WHERE shop = $1 AND provider = $2 AND occurred_at >= $3 AND occurred_at < $4 AND source <> 'manual'
             AND kind IN ('payment_received', 'refund_paid', 'disputed', 'dispute_won')
             AND NOT EXISTS (SELECT FROM ledger_entry f WHERE e.kind = 'refund_paid' AND f.kind = 'refund_failed'
                             AND (f.shop, f.provider, f.object_id) = (e.shop, e.provider, e.object_id))
           GROUP BY 1, 2""",
        shop,
        provider,
        since,
        until,
    )


class FindingRow(NamedTuple):
    id: UUID
    shop: str
    provider: str
    endpoint: str
    side: str
    kind: str
    object_id: str
    order_id: UUID | None
    theirs_minor: int | None
    ours_minor: int | None
    currency: str
    occurred_at: datetime


_WRITE_FINDINGS = Bulk(
    FindingRow,
    """INSERT INTO reconcile_finding AS f ({columns}, found_at, seen_at)
       SELECT n.*, {now}::timestamptz, {now}::timestamptz FROM {rows} AS n
       ON CONFLICT (shop, provider, kind, object_id) DO UPDATE SET seen_at = excluded.seen_at, gone_at = NULL,
           side = excluded.side, theirs_minor = excluded.theirs_minor, ours_minor = excluded.ours_minor
       RETURNING f.id, f.found_at = {now} AS is_new""",
)


async def write_findings(connection: Connection, rows: Sequence[FindingRow], now: datetime) -> int:
    """Insert findings, or note that they are still there; return how many are new."""
    written = await _WRITE_FINDINGS.fetch(connection, rows, now=now)
    return sum(row["is_new"] for row in written)


async def note_gone(
    connection: Connection,
    endpoint: str,
    kinds: Sequence[str],
    since: datetime,
    until: datetime,
    now: datetime,
) -> None:
    """Note that findings of this time which the run that began `now` did not see are gone."""
    await connection.execute(
        """UPDATE reconcile_finding SET gone_at = $5
           WHERE endpoint = $1 AND kind = ANY($2) AND occurred_at >= $3 AND occurred_at < $4 AND seen_at < $5
             AND gone_at IS NULL AND resolved_at IS NULL""",
        endpoint,
        list(kinds),
        since,
        until,
        now,
    )


class PayoutRow(NamedTuple):
    shop: str
    provider: str
    object_id: str
    endpoint: str
    state: str
    amount_minor: int
    currency: str
    created_at: datetime
    arrives_on: date
    sum_minor: int | None
    movements: Integer
    seen_at: datetime


_WRITE_PAYOUTS = Bulk(
    PayoutRow,
    """INSERT INTO payout ({columns}) SELECT * FROM {rows}
       ON CONFLICT (shop, provider, object_id) DO UPDATE SET state = excluded.state,
           arrives_on = excluded.arrives_on, sum_minor = excluded.sum_minor, movements = excluded.movements,
           seen_at = excluded.seen_at""",
)


async def write_payouts(connection: Connection, rows: Sequence[PayoutRow]) -> None:
    """Insert or update payouts."""
    await _WRITE_PAYOUTS.execute(connection, rows)


async def count_findings(connection: Connection) -> dict[str, int]:
    """Return the open findings of all shops by side."""
    rows = await connection.fetch(
        """SELECT side, count(*) AS n FROM reconcile_finding
           WHERE resolved_at IS NULL AND gone_at IS NULL GROUP BY side"""
    )
    return {row["side"]: row["n"] for row in rows}
