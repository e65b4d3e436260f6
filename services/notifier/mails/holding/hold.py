"""The rule by which a recap waits for its invoice, and how long. Pure.

Invariant: a held recap goes exactly once, with the invoice or, when its time is over, without; an invoice that
comes later has a mail of its own. So neither is lost when payments is late, and never do both go twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.invoices import InvoicingChanged, IssueAt

WAIT = timedelta(minutes=3)
"""How long a recap waits for its invoice, and then for the invoice's PDF."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A recap that waits, or waited. `cause_id` is the event that placed its order; `invoice_id` the invoice that
    it went with.
    """

    shop: str
    order_id: UUID
    cause_id: UUID
    is_open: bool = True
    invoice_id: UUID | None = None


def mails_at_placement(changed: InvoicingChanged) -> bool:
    """Return whether the shop's invoices are issued when an order is placed, and mailed."""
    is_ready = changed.is_on and not changed.missing and changed.issues is not False
    return is_ready and changed.issue_at is IssueAt.PLACEMENT and changed.mails_customer is True


def waits(order: OrderPlaced, invoiced: Mapping[str, datetime | None]) -> bool:
    """Return whether an order's recap waits: its customer gets mails, it costs something, and its shop is among those
    that issue and mail invoices at placement, since before it was placed; None where that is unknown.
    """
    if order.shop not in invoiced or not order.customer.email or order.totals.total_minor <= 0:
        return False
    since = invoiced[order.shop]
    return since is None or order.placed_at >= since
