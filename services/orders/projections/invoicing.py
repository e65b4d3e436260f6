"""Payments' events about invoices: a copy of each document's heading, and the outcome of commands about them.

The PDF and the lines stay with payments; a document never changes, so its row is written once.
"""

from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued, InvoiceKind
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copies.payment_store import InvoiceRow
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes


def copy_invoice(
    work: OrderUnit, received: ReceivedMessage[InvoiceIssued] | ReceivedMessage[CreditNoteIssued]
) -> None:
    """Copy a document's heading and record the activity. Raises Wait for an unknown order.

    Idempotent: a repeat leaves its row unchanged.
    """
    issued, cause = received.message, received.envelope
    order = work.find(issued.shop, issued.order_id)
    is_credit = isinstance(issued, CreditNoteIssued)
    work.invoices.append(_row(issued))
    data = {
        "number": issued.number,
        "amount_minor": issued.totals.total_minor,
        "currency": issued.currency,
    }
    kind = "credit_note_issued" if is_credit else "invoice_issued"
    work.note(order.shop, order.id, kind, issued.invoice_id, "payments", cause, data)
    outcomes.settle(work, received)


def _row(issued: InvoiceIssued | CreditNoteIssued) -> InvoiceRow:
    is_credit = isinstance(issued, CreditNoteIssued)
    return InvoiceRow(
        shop=issued.shop,
        order_id=issued.order_id,
        invoice_id=issued.invoice_id,
        kind=InvoiceKind.CREDIT_NOTE if is_credit else InvoiceKind.INVOICE,
        number=issued.number,
        corrects=issued.corrects if isinstance(issued, CreditNoteIssued) else None,
        issued_on=issued.issued_on,
        issued_at=issued.issued_at,
        currency=issued.currency,
        net_minor=issued.totals.net_minor,
        tax_minor=issued.totals.tax_minor,
        total_minor=issued.totals.total_minor,
    )
