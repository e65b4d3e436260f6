"""The events about issued documents, and about the settings by which they are issued. Pure."""

from datetime import datetime
from typing import Any

from contracts.payments.invoices import (
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceKind,
    InvoiceTotals,
    InvoicingChanged,
)
from services.payments.accounts.unit.invoicing_store import Invoicing
from services.payments.invoices.document import Content
from services.payments.invoices.mentions import may_issue, missing


def settings_event_of(invoicing: Invoicing) -> InvoicingChanged:
    """Return the event about a shop's settings, with what today's rules find in them."""
    settings = invoicing.settings
    return InvoicingChanged(
        shop=invoicing.shop,
        version=invoicing.version,
        is_on=settings.is_on,
        issue_at=settings.issue_at,
        missing=missing(settings),
        mails_customer=settings.mails_customer,
        issues=may_issue(settings),
        since=invoicing.since,
        changed_by=invoicing.changed_by,
        changed_at=invoicing.changed_at,
    )


def event_of(
    shop: str, content: Content, issued_at: datetime, *, mails_customer: bool
) -> InvoiceIssued | CreditNoteIssued:
    """Return the event about a document."""
    values: dict[str, Any] = {
        "shop": shop,
        "order_id": content.order_id,
        "code": content.code,
        "invoice_id": content.id,
        "number": content.number,
        "issued_on": content.issued_on,
        "issued_at": issued_at,
        "currency": content.currency,
        "totals": InvoiceTotals(
            net_minor=content.net_minor, tax_minor=content.tax_minor, total_minor=content.total_minor
        ),
        "locale": content.locale,
        "mails_customer": mails_customer,
    }
    if content.kind is InvoiceKind.CREDIT_NOTE:
        return CreditNoteIssued(**values, corrects=content.corrects or "")
    return InvoiceIssued(**values)
