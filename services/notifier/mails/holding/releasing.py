"""Held recaps let go: by the invoice, or by their timer."""

from typing import Any
from uuid import UUID

from contracts.payments.invoices import InvoiceIssued, InvoicingChanged
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.messaging.unit import Unit
from services.notifier.mails.causes.drafting import draft, shop_of
from services.notifier.mails.mail import Mail, Recipient, Template
from services.notifier.mails.needs import MailNeeds
from services.notifier.mails.unit import MailUnit

SHOWN_OF_A_DOCUMENT = {"invoice_id", "number", "currency", "corrects"}


def document_of(issued: Any) -> dict[str, Any]:
    """Return the part of an issued document that its mail shows, as JSON."""
    shown: dict[str, Any] = issued.model_dump(mode="json", exclude_none=True, include=SHOWN_OF_A_DOCUMENT)
    return {**shown, "amount_minor": issued.totals.total_minor}


def goes_with_its_recap(work: MailUnit, issued: InvoiceIssued) -> bool:
    """Let the recap that waits for this invoice go, with it if the customer is to get it. Return whether the
    invoice needs no mail of its own, also when it went with its recap before.
    """
    hold = work.holds.of(issued.shop, issued.order_id)
    if hold is None or not hold.is_open:
        return hold is not None and hold.invoice_id == issued.invoice_id
    recipient = work.recipient(issued.shop, issued.order_id)
    if recipient is None or recipient.deleted_at is not None:
        return False
    work.holds.end(hold, issued.invoice_id if issued.mails_customer else None)
    context = {"invoice": document_of(issued)} if issued.mails_customer else {}
    work.decide(recap(work, recipient, hold.cause_id, context))
    return issued.mails_customer


def recap(work: MailUnit, recipient: Recipient, cause_id: UUID, context: dict[str, Any]) -> Mail:
    """Return an order's recap: the same mail whenever it is drafted, to the address the order was placed with.

    Raises Refuse for a shop that is not configured.
    """
    to = recipient.placed["customer"]["email"]
    shop = shop_of(work, recipient.shop)
    return draft(work, shop, recipient, cause_id, Template.ORDER_RECAP, to, recipient.locale, context)


def invoicing_changed(work: MailUnit, received: ReceivedMessage[InvoicingChanged]) -> None:
    """Record whether a shop's invoices are issued and mailed at placement. The highest version counts, then the
    latest event about it.
    """
    work.holds.invoicing_changed(received.message, received.envelope.time)


async def run_out(unit: Unit, _: str, payload: dict[str, Any]) -> None:
    """Let a recap go without an invoice: its time is over. The timer's handler."""
    key = payload["shop"], UUID(payload["order_id"])
    work = MailUnit(unit)
    await work.load(MailNeeds(recipients={key}, holds={key}))
    hold, recipient = work.holds.of(*key), work.recipient(*key)
    if hold is None or not hold.is_open:
        return
    work.holds.end(hold, None)
    if recipient is not None and recipient.deleted_at is None:
        work.decide(recap(work, recipient, hold.cause_id, {}))
    await work.save()
