"""Mails requested by an event: a placed order notifies merchant and customer; a dispatched shipment, a
status, a cancellation and a refund notify the customer if that was selected, and so does a refund that comes
back.

A shipment's event does not name its customer, so an order's recipient is stored when it is placed and
corrected when it is edited, and a shipment received before its order waits for it. A mail goes to the address
that is stored when its cause is received. A customer without an address gets no mail; the merchant does.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.fulfillment import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.message import Message
from contracts.orders import ChangeCause, OrderEdited, OrderPlaced, StatusUpdated
from contracts.payments import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import ReceivedMessage, Refuse, SubjectDeleted, Wait, order_key
from services.notifier.mails.mail import Mail, Recipient, Template, mail_id, message_id
from services.notifier.mails.settings import ShopProfile, ShopUnknown
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
    """Store the recipient; plan a full account for the merchant and a recap for the customer. A repeat
    changes nothing.
    """
    order, shop = received.message, _shop(work, received.message.shop)
    cause = received.envelope.id
    recap = _mail(
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
            placed=_as_json(order),
        )
    )
    work.decide(
        _mail(work, shop, order, cause, Template.NEW_ORDER, shop.merchant_email, shop.default_locale, {})
    )
    if order.customer.email:
        work.decide(recap)
    work.unit.wake(order_key(order.order_id))


def order_edited(work: MailUnit, received: ReceivedMessage[OrderEdited]) -> None:
    """Correct the recipient: later mails go to the customer as the order names them now, and show the order
    as it is now; a cancellation is mailed if that was selected.

    Waits for the order's placing; the highest revision counts.
    """
    edited = received.message
    known = _addressee(work, edited.shop, edited.order_id)
    to = edited.customer.email
    if edited.cause is ChangeCause.CANCELLED and edited.notify_customer and to:
        shown = _as_json(edited, _SHOWN_OF_A_CANCELLATION)
        shop, cause = _shop(work, edited.shop), received.envelope.id
        work.decide(_mail(work, shop, edited, cause, Template.ORDER_CANCELLED, to, known.locale, shown))
    if edited.revision <= known.revision:
        return
    shown = dict.fromkeys(_SHOWN_OF_AN_EDIT) | _as_json(edited, _SHOWN_OF_AN_EDIT)
    buyer = edited.customer
    work.correct(
        replace(known, name=buyer.name, email=buyer.email or "", revision=edited.revision, edited=shown)
    )


def parcels_told(
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
    shop = _shop(work, shipment.shop)
    addressee = _addressee(work, shipment.shop, shipment.order_id)
    if not addressee.email:
        return
    shown = _as_json(shipment, _SHOWN_OF_A_SHIPMENT)
    template = _TEMPLATE_OF[type(shipment)]
    work.decide(
        _mail(work, shop, shipment, received.envelope.id, template, addressee.email, addressee.locale, shown)
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
    shop, addressee = _shop(work, update.shop), _addressee(work, update.shop, update.order_id)
    recipient = (update.customer.email if update.customer else addressee.email) or ""
    if not recipient:
        return
    locale = update.locale or addressee.locale
    shown = _as_json(update, _SHOWN_OF_A_STATUS)
    work.decide(
        _mail(work, shop, update, received.envelope.id, Template.STATUS_UPDATED, recipient, locale, shown)
    )


def refund_made(
    work: MailUnit, received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent]
) -> None:
    """Notify the customer that money goes back, if that was selected. Waits for the order's placing.

    The mail's cause is the refund: a refund whose event is published more than once is mailed once.
    """
    message, refund = received.message, received.message.refund
    if not refund.notify_customer:
        return
    shop, addressee = _shop(work, message.shop), _addressee(work, message.shop, message.order_id)
    if not addressee.email:
        return
    shown = refund.model_dump(mode="json", exclude_none=True, include=_SHOWN_OF_A_REFUND)
    to, cause = addressee.email, refund.refund_id
    work.decide(_mail(work, shop, message, cause, Template.REFUND_MADE, to, addressee.locale, shown))


def refund_failed(work: MailUnit, received: ReceivedMessage[RefundFailed]) -> None:
    """Notify a customer who was notified of a refund that it came back. Waits for the order's placing.

    A refund that its provider never accepted has no provider reference: no customer was notified that it was
    made.
    """
    message, refund = received.message, received.message.refund
    if not refund.notify_customer or refund.provider_reference is None:
        return
    shop, addressee = _shop(work, message.shop), _addressee(work, message.shop, message.order_id)
    if not addressee.email:
        return
    shown = refund.model_dump(mode="json", include=_SHOWN_OF_A_FAILED_REFUND)
    to, cause = addressee.email, refund.refund_id
    work.decide(_mail(work, shop, message, cause, Template.REFUND_FAILED, to, addressee.locale, shown))


def _addressee(work: MailUnit, shop: str, order_id: UUID) -> Recipient:
    addressee = work.addressee(shop, order_id)
    if addressee is None:
        raise Wait(order_key(order_id), f"order {order_id} of {shop} is not known yet")
    if addressee.deleted_at is not None:
        raise SubjectDeleted(f"order {addressee.code} was deleted")
    return addressee


def _mail(
    work: MailUnit,
    shop: ShopProfile,
    about: OrderPlaced
    | OrderEdited
    | ShipmentDispatched
    | ShipmentUpdated
    | ShipmentCancelled
    | ParcelLost
    | StatusUpdated
    | RefundMarked
    | RefundSent
    | RefundFailed,
    cause_id: UUID,
    template: Template,
    recipient: str,
    locale: str,
    context: dict[str, Any],
) -> Mail:
    identifier = mail_id(shop.shop, cause_id, recipient, template)
    return Mail(
        id=identifier,
        shop=shop.shop,
        order_id=about.order_id,
        code=about.code,
        cause_id=cause_id,
        template=template,
        recipient=recipient,
        locale=locale,
        message_id=message_id(identifier, shop.from_email),
        context=context,
        created_at=work.unit.now,
    )


def _shop(work: MailUnit, name: str) -> ShopProfile:
    try:
        return work.shop(name)
    except ShopUnknown as unknown:
        raise Refuse("unknown_shop", str(unknown)) from unknown


def _as_json(message: Message, include: set[str] | None = None) -> dict[str, Any]:
    return message.model_dump(mode="json", exclude_none=True, include=include)
