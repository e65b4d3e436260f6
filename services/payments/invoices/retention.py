"""Retention of sales: an order's copy for invoices, with its buyer's name and addresses, is erased with time.

An invoice may be asked for during the limitation period of five years (French civil code art. 2224, commercial
code art. L110-4), so a sale without documents is kept that long after the last movement of its account. A sale
with an invoice is kept as long as the invoice, which shows the same buyer by law and is never deleted: its later
credit notes are made from it.
"""

from typing import Protocol

from services.chassis.background.retention import Rule, statement


class SaleSettings(Protocol):
    """The setting that is used here."""

    @property
    def sale_days(self) -> int: ...


def _days(settings: SaleSettings) -> int:
    return settings.sale_days


RULES = (
    Rule(
        "sales without invoice",
        _days,
        statement(
            """UPDATE sale SET content = NULL, edit = NULL, cancelled = jsonb_build_object(), is_due = false,
                   failure = NULL, failed_at = NULL
               WHERE ctid = ANY(ARRAY(
                   SELECT s.ctid FROM sale s
                   WHERE s.content IS NOT NULL AND s.wish IS NULL AND s.placed_at < now() - $1::interval
                       AND NOT EXISTS (SELECT FROM invoice i WHERE (i.shop, i.order_id) = (s.shop, s.order_id))
                       AND NOT EXISTS (SELECT FROM ledger_entry e WHERE (e.shop, e.order_id) = (s.shop, s.order_id)
                                           AND e.recorded_at >= now() - $1::interval)
                   ORDER BY s.placed_at LIMIT $2 FOR UPDATE OF s SKIP LOCKED))"""
        ),
    ),
)
