"""Refunds and moved payments: the provider's refunds are in the ledger, and no more is refunded than was received."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from deploy.auditor.finding import Finding, check, shown
from deploy.auditor.inputs import Inputs, Key

DEAD = {"canceled", "failed"}
CERTAIN = "succeeded"


@check
async def refunds_at_the_provider_are_in_the_ledger(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each refund at the provider is in the ledger once: as its own entry, or as the mark that it confirms."""
    marks = await _marks(inputs)
    rows = await inputs.payments.fetch(
        """SELECT r.shop, r.order_id, r.provider, r.object_id, r.amount_minor, r.states,
               coalesce(sum(CASE e.kind WHEN 'refund_paid' THEN e.amount_minor
                                        WHEN 'refund_failed' THEN -e.amount_minor END), 0)::bigint AS booked
           FROM provider_refund r
           LEFT JOIN ledger_entry e ON (e.shop, e.order_id, e.provider, e.object_id)
                                     = (r.shop, r.order_id, r.provider, r.object_id)
           GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 4"""
    )
    for row in rows:
        right = _right_sums(row)
        mark = (row["shop"], row["order_id"], row["amount_minor"])
        if row["booked"] == 0 and 0 not in right and marks[mark] > 0:
            marks[mark] -= 1
        elif row["booked"] not in right:
            where = f"refund {row['provider']} {row['object_id']} of order {shown((row['shop'], row['order_id']))}"
            yield Finding(where, " or ".join(map(str, sorted(right))), f"{row['booked']} in the ledger")
    for row in await inputs.payments.fetch(
        """SELECT e.shop, e.order_id, e.provider, e.object_id, e.amount_minor FROM ledger_entry e
           LEFT JOIN provider_refund r USING (shop, order_id, provider, object_id)
           WHERE e.kind = 'refund_paid' AND e.source IN ('webhook', 'answer') AND r.object_id IS NULL"""
    ):
        where = (
            f"refund {row['provider']} {row['object_id']} of order {shown((row['shop'], row['order_id']))}"
        )
        yield Finding(where, "reported by the provider", f"{row['amount_minor']} in the ledger alone")


async def _marks(inputs: Inputs) -> Counter[Key]:
    """Return the number of active recorded refunds, by order and amount: a refund at the provider may confirm one."""
    rows = await inputs.payments.fetch(
        """SELECT shop, order_id, object_id, sum(CASE kind WHEN 'refund_marked' THEN amount_minor
                                                          ELSE -amount_minor END)::bigint AS marked
           FROM ledger_entry WHERE kind IN ('refund_marked', 'refund_mark_reversed') GROUP BY 1, 2, 3"""
    )
    return Counter((row["shop"], row["order_id"], row["marked"]) for row in rows if row["marked"] > 0)


def _right_sums(row: Any) -> set[int]:
    """Return the acceptable sums: 0 for a failed refund, all of a successful one, either while it is pending."""
    states = set(row["states"])
    if states & DEAD:
        return {0}
    return {row["amount_minor"]} if CERTAIN in states else {0, row["amount_minor"]}


@check
async def refunds_to_be_sent_have_their_effect(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each refund to be sent without an answer yet has the effect that sends it."""
    for row in await inputs.payments.fetch(
        """SELECT r.shop, r.order_id, r.refund_id, r.amount_minor FROM refund r
           WHERE r.mode = 'sent' AND NOT r.is_sent AND r.refusal IS NULL
             AND NOT EXISTS (SELECT FROM msg.effect e WHERE e.kind = 'refund' AND e.key = r.refund_id::text)
             AND NOT EXISTS (SELECT FROM provider_refund p WHERE (p.shop, p.refund_id) = (r.shop, r.refund_id))"""
    ):
        where = f"refund {row['refund_id']} of order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, "an effect that sends it", f"{row['amount_minor']} that nobody sends")


@check
async def no_more_goes_back_than_came_in(inputs: Inputs) -> AsyncIterator[Finding]:
    """No order is credited more than was due, or refunded more than was received, in total and per payment."""
    for row in await inputs.payments.fetch(
        """SELECT shop, order_id, credited_minor, due_minor, refunded_minor + marked_minor AS back,
               received_minor + (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entry e
                                 WHERE (e.shop, e.order_id, e.kind) = (a.shop, a.order_id, 'payment_reversed'))::bigint
                   AS received FROM account a WHERE refunded_minor + marked_minor > 0 OR credited_minor > due_minor"""
    ):
        where = f"account of {shown((row['shop'], row['order_id']))}"
        if row["credited_minor"] > row["due_minor"]:
            yield Finding(where, f"credited at most {row['due_minor']}", f"credited {row['credited_minor']}")
        if row["back"] > row["received"]:
            yield Finding(where, f"refunded at most {row['received']}", f"refunded {row['back']}")
    for row in await inputs.payments.fetch(
        """SELECT shop, payment, min(order_id::text) AS order_id, sum(amount) FILTER (WHERE amount > 0)::bigint AS paid,
               -sum(back)::bigint AS back
           FROM (SELECT shop, order_id, coalesce(payment, provider || ':' || object_id) AS payment,
                     CASE WHEN kind = 'payment_received' THEN amount_minor END AS amount,
                     CASE WHEN kind IN ('refund_paid', 'refund_marked') THEN -amount_minor
                          WHEN kind IN ('refund_failed', 'refund_mark_reversed') THEN amount_minor ELSE 0 END AS back
                 FROM ledger_entry
                 WHERE kind = 'payment_received' OR (kind LIKE 'refund%' AND payment IS NOT NULL)) AS e
           GROUP BY 1, 2 HAVING -sum(back) > coalesce(sum(amount), 0)"""
    ):
        where = f"payment {row['payment']} of order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, f"refunded at most {row['paid'] or 0}", f"refunded {row['back']}")


@check
async def transfers_out_are_transfers_in(inputs: Inputs) -> AsyncIterator[Finding]:
    """A moved payment left one order and reached another with the same amount and currency."""
    for row in await inputs.payments.fetch(
        """SELECT shop, object_id, min(order_id::text) AS order_id, count(DISTINCT currency) AS currencies,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'transfer_out'), 0)::bigint AS out,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'transfer_in'), 0)::bigint AS into
           FROM ledger_entry WHERE kind IN ('transfer_out', 'transfer_in') GROUP BY 1, 2
           HAVING count(*) FILTER (WHERE kind = 'transfer_out') <> 1 OR count(*) <> 2 OR count(DISTINCT currency) <> 1
               OR sum(CASE kind WHEN 'transfer_out' THEN amount_minor ELSE -amount_minor END) <> 0"""
    ):
        where = f"transfer {row['object_id']} of order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, f"{row['out']} in", f"{row['into']} in, currencies: {row['currencies']}")
