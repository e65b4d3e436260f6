"""Mails requested by an event: a placed order notifies merchant and customer; a dispatched shipment, a
status, a cancellation and a refund notify the customer if that was selected, and so does a refund that comes
back.

A shipment's event does not name its customer, so an order's recipient is stored when it is placed and
corrected when it is edited, and a shipment received before its order waits for it. A mail goes to the address
that is stored when its cause is received. A customer without an address gets no mail; the merchant does.
"""

from dataclasses import replace

from contracts.fulfillment.shipments import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.message import Message
from contracts.notifier.page import CancellationDeclined
from contracts.orders.changes import ChangeCause, OrderEdited
from contracts.orders.lifecycle import OrderPlaced, StatusUpdated
from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued
from contracts.payments.refunds import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import ReceivedMessage, order_key
from services.notifier.mails.causes.drafting import as_json, draft, recipient_of, shop_of
from services.notifier.mails.holding.releasing import document_of, goes_with_its_recap
from services.notifier.mails.mail import Recipient, Template
from services.notifier.mails.unit import MailUnit

_SHOWN_OF_A_SHIPMENT = {
    "shipment_id",
    "carrier",
    "tracking_number",
    "tracking_url",
    "shipped_on",
    "expected_on",
    "lines",
}
_TEMPLATE_OF: dict[type[Message], Template] = {
    ShipmentDispatched: Template.SHIPMENT_DISPATCHED,
    ShipmentUpdated: Template.SHIPMENT_UPDATED,
    ShipmentCancelled: Template.SHIPMENT_CANCELLED,
    ParcelLost: Template.PARCEL_LOST,
}
_SHOWN_OF_AN_EDIT = {"lines", "customer", "shipping_address", "billing_address"}
_SHOWN_OF_A_STATUS = {"state", "label_texts", "public_comment"}
_SHOWN_OF_A_CANCELLATION = {"public_comment", "cancelled_lines"}
_SHOWN_OF_A_FAILED_REFUND = {"amount_minor", "currency"}
_SHOWN_OF_A_REFUND = {"mode", "state", "amount_minor", "currency", "lines", "public_comment"}


def order_placed(work: MailUnit, received: ReceivedMessage[OrderPlaced]) -> None:
    """Store the recipient; plan a full account for the merchant and a recap for the customer, or let that wait
    for the invoice. A repeat changes nothing.
    """
    order, shop = received.message, shop_of(work, received.message.shop)
    cause = received.envelope.id
    recap = draft(
        work, shop, order, cause, Template.ORDER_RECAP, order.customer.email or "", order.locale, {}
    )
    work.meet(
        Recipient(
            shop=order.shop,
            order_id=order.order_id,
            code=order.code,
            name=order.customer.name,
            email=order.customer.email or "",
            locale=order.locale,
            thread_mail_id=recap.id,
            placed=as_json(order),
        )
    )
    to, locale = shop.merchant_email, shop.default_locale
    full_account = draft(work, shop, order, cause, Template.NEW_ORDER, to, locale, {})
    work.decide(full_account, received.envelope.time)
    if order.customer.email and not work.holds.begin(order, cause):
        work.decide(recap)
    work.unit.wake(order_key(order.order_id))


def order_edited(work: MailUnit, received: ReceivedMessage[OrderEdited]) -> None:
    """Correct the recipient: later mails go to the customer as the order names them now, and show the order
    as it is now; a cancellation is mailed if that was selected.

    Waits for the order's placing; the highest revision counts.
    """
    edited = received.message
    known = recipient_of(work, edited.shop, edited.order_id)
    to = edited.customer.email
    if edited.cause is ChangeCause.CANCELLED and edited.notify_customer and to:
        shown = as_json(edited, _SHOWN_OF_A_CANCELLATION)
        shop, cause = shop_of(work, edited.shop), received.envelope.id
        work.decide(draft(work, shop, edited, cause, Template.ORDER_CANCELLED, to, known.locale, shown))
    if edited.revision <= known.revision:
        return
    shown = dict.fromkeys(_SHOWN_OF_AN_EDIT) | as_json(edited, _SHOWN_OF_AN_EDIT)
    buyer = edited.customer
    work.correct(
        replace(known, name=buyer.name, email=buyer.email or "", revision=edited.revision, edited=shown)
    )


def parcels_announced(
    work: MailUnit,
    received: ReceivedMessage[ShipmentDispatched]
    | ReceivedMessage[ShipmentUpdated]
    | ReceivedMessage[ShipmentCancelled]
    | ReceivedMessage[ParcelLost],
) -> None:
    """Notify the customer where the parcels are, or that one will not come, if the merchant requested it.
    Waits for the order's placing.

    Idempotent: a repeat requests a mail that exists already.
    """
    shipment = received.message
    if not shipment.notify_customer:
        return
    shop = shop_of(work, shipment.shop)
    recipient = recipient_of(work, shipment.shop, shipment.order_id)
    if not recipient.email:
        return
    shown = as_json(shipment, _SHOWN_OF_A_SHIPMENT)
    template = _TEMPLATE_OF[type(shipment)]
    work.decide(
        draft(work, shop, shipment, received.envelope.id, template, recipient.email, recipient.locale, shown)
    )


def status_updated(work: MailUnit, received: ReceivedMessage[StatusUpdated]) -> None:
    """Notify the customer of the new status, if that was selected, with the public comment. Waits for the
    order's placing.

    The mail goes to the address the order has now, which may have been corrected since.

    Idempotent: a repeat requests a mail that exists already.
    """
    update = received.message
    if not update.notify_customer:
        return
    shop, customer = shop_of(work, update.shop), recipient_of(work, update.shop, update.order_id)
    recipient = (update.customer.email if update.customer else customer.email) or ""
    if not recipient:
        return
    locale = update.locale or customer.locale
    shown = as_json(update, _SHOWN_OF_A_STATUS)
    work.decide(
        draft(work, shop, update, received.envelope.id, Template.STATUS_UPDATED, recipient, locale, shown)
    )


def cancellation_declined(work: MailUnit, received: ReceivedMessage[CancellationDeclined]) -> None:
    """Write to the customer whose request to cancel was declined. Waits for the order's placing.

    This mail has no checkbox: the customer made a request and waits for the answer.
    """
    declined, event = received.message, received.envelope.id
    shop, recipient = shop_of(work, declined.shop), recipient_of(work, declined.shop, declined.order_id)
    if recipient.email:
        to, shown = recipient.email, as_json(declined, {"public_comment"})
        template = Template.CANCELLATION_DECLINED
        work.decide(draft(work, shop, declined, event, template, to, recipient.locale, shown))


def refund_made(
    work: MailUnit, received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent]
) -> None:
    """Notify the customer that money goes back, if that was selected. Waits for the order's placing.

    The mail's cause is the refund: a refund whose event is published more than once is mailed once.
    """
    message, refund = received.message, received.message.refund
    if not refund.notify_customer:
        return
    shop, recipient = shop_of(work, message.shop), recipient_of(work, message.shop, message.order_id)
    if not recipient.email:
        return
    shown = refund.model_dump(mode="json", exclude_none=True, include=_SHOWN_OF_A_REFUND)
    to, cause = recipient.email, refund.refund_id
    work.decide(draft(work, shop, message, cause, Template.REFUND_MADE, to, recipient.locale, shown))


def refund_failed(work: MailUnit, received: ReceivedMessage[RefundFailed]) -> None:
    """Notify a customer who was notified of a refund that it came back. Waits for the order's placing.

    A refund that its provider never accepted has no provider reference: no customer was notified that it was
    made.
    """
    message, refund = received.message, received.message.refund
    if not refund.notify_customer or refund.provider_reference is None:
        return
    shop, recipient = shop_of(work, message.shop), recipient_of(work, message.shop, message.order_id)
    if not recipient.email:
        return
    shown = refund.model_dump(mode="json", include=_SHOWN_OF_A_FAILED_REFUND)
    to, cause = recipient.email, refund.refund_id
    work.decide(draft(work, shop, message, cause, Template.REFUND_FAILED, to, recipient.locale, shown))


def document_issued(
    work: MailUnit, received: ReceivedMessage[InvoiceIssued] | ReceivedMessage[CreditNoteIssued]
) -> None:
    """Send the customer an invoice or a credit note, if the shop wants that; an invoice goes with the recap that
    waits for it. Waits for the order's placing.

    The mail's cause is the document: published more than once, it is mailed once. Its PDF is fetched from
    payments when the mail is sent.
    """
    issued = received.message
    if received.is_snapshot:
        return
    if isinstance(issued, InvoiceIssued) and goes_with_its_recap(work, issued):
        return
    if not issued.mails_customer:
        return
    shop, recipient = shop_of(work, issued.shop), recipient_of(work, issued.shop, issued.order_id)
    if not recipient.email:
        return
    template = Template.CREDIT_NOTE if isinstance(issued, CreditNoteIssued) else Template.INVOICE
    to, cause = recipient.email, issued.invoice_id
    work.decide(draft(work, shop, issued, cause, template, to, recipient.locale, document_of(issued)))
