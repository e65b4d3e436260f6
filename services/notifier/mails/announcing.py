"""Which mails an event asks for: a placed order tells merchant and customer, a dispatched shipment, a
status, a cancellation and a refund the customer if that was ticked, and so a refund that comes back.

A shipment's event does not say who its customer is, so an order's addressee is kept when it is placed and corrected
when it is edited, and a shipment heard before its order waits for it. A mail goes to the address that is known when its
cause is heard. A customer without an address gets no mail; the merchant does.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.fulfillment import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.message import Message
from contracts.orders import ChangeCause, OrderEdited, OrderPlaced, StatusUpdated
from contracts.payments import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import Bygone, Delivery, Refuse, Wait, order_key
from services.notifier.mails.mail import Addressee, Mail, Template, mail_id, message_id
from services.notifier.mails.settings import ShopProfile, UnknownShop
from services.notifier.mails.unit import MailBook

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
_SHOWN_OF_A_REFUND = {"mode", "amount_minor", "currency", "lines", "public_comment"}


def order_placed(book: MailBook, delivery: Delivery[OrderPlaced]) -> None:
    """Keep the addressee; a full account for the merchant, a recap for the customer. A repeat changes nothing."""
    order, shop = delivery.message, _shop(book, delivery.message.shop)
    cause = delivery.envelope.id
    recap = _mail(
        book, shop, order, cause, Template.ORDER_RECAP, order.customer.email or "", order.locale, {}
    )
    book.meet(
        Addressee(
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
    book.decide(
        _mail(book, shop, order, cause, Template.NEW_ORDER, shop.merchant_email, shop.default_locale, {})
    )
    if order.customer.email:
        book.decide(recap)
    book.unit.wake(order_key(order.order_id))


def order_edited(book: MailBook, delivery: Delivery[OrderEdited]) -> None:
    """Later mails go to the customer as the order names them now, and show the order as it is now; a
    cancellation is told if that was ticked.

    Waits for the order's placing; the highest revision counts.
    """
    edited = delivery.message
    known = _addressee(book, edited.shop, edited.order_id)
    to = edited.customer.email
    if edited.cause is ChangeCause.CANCELLED and edited.notify_customer and to:
        shown = _as_json(edited, _SHOWN_OF_A_CANCELLATION)
        shop, cause = _shop(book, edited.shop), delivery.envelope.id
        book.decide(_mail(book, shop, edited, cause, Template.ORDER_CANCELLED, to, known.locale, shown))
    if edited.revision <= known.revision:
        return
    shown = dict.fromkeys(_SHOWN_OF_AN_EDIT) | _as_json(edited, _SHOWN_OF_AN_EDIT)
    buyer = edited.customer
    book.correct(
        replace(known, name=buyer.name, email=buyer.email or "", revision=edited.revision, edited=shown)
    )


def parcels_told(
    book: MailBook,
    delivery: Delivery[ShipmentDispatched]
    | Delivery[ShipmentUpdated]
    | Delivery[ShipmentCancelled]
    | Delivery[ParcelLost],
) -> None:
    """Tell the customer where the parcels are, or that one will not come, if the merchant asked for it. Waits for the
    order's placing.
    """
    shipment = delivery.message
    if not shipment.notify_customer:
        return
    shop = _shop(book, shipment.shop)
    addressee = _addressee(book, shipment.shop, shipment.order_id)
    if not addressee.email:
        return
    shown = _as_json(shipment, _SHOWN_OF_A_SHIPMENT)
    template = _TEMPLATE_OF[type(shipment)]
    book.decide(
        _mail(book, shop, shipment, delivery.envelope.id, template, addressee.email, addressee.locale, shown)
    )


def status_updated(book: MailBook, delivery: Delivery[StatusUpdated]) -> None:
    """Tell the customer of the new status, if that was ticked, with the public comment. Waits for the order's placing.

    They are told at the address the order has now, which may have been corrected since."""
    update = delivery.message
    if not update.notify_customer:
        return
    shop, addressee = _shop(book, update.shop), _addressee(book, update.shop, update.order_id)
    recipient = (update.customer.email if update.customer else addressee.email) or ""
    if not recipient:
        return
    locale = update.locale or addressee.locale
    shown = _as_json(update, _SHOWN_OF_A_STATUS)
    book.decide(
        _mail(book, shop, update, delivery.envelope.id, Template.STATUS_UPDATED, recipient, locale, shown)
    )


def refund_made(book: MailBook, delivery: Delivery[RefundMarked] | Delivery[RefundSent]) -> None:
    """Tell the customer that money goes back, if that was ticked. Waits for the order's placing.

    The mail's cause is the refund: a refund that is said to be sent more than once is told once.
    """
    message, refund = delivery.message, delivery.message.refund
    if not refund.notify_customer:
        return
    shop, addressee = _shop(book, message.shop), _addressee(book, message.shop, message.order_id)
    if not addressee.email:
        return
    shown = refund.model_dump(mode="json", exclude_none=True, include=_SHOWN_OF_A_REFUND)
    to, cause = addressee.email, refund.refund_id
    book.decide(_mail(book, shop, message, cause, Template.REFUND_MADE, to, addressee.locale, shown))


def refund_failed(book: MailBook, delivery: Delivery[RefundFailed]) -> None:
    """Tell a customer who was told of a refund that it came back. Waits for the order's placing.

    A refund that its provider never took has no reference there: nobody was told that it was made.
    """
    message, refund = delivery.message, delivery.message.refund
    if not refund.notify_customer or refund.provider_reference is None:
        return
    shop, addressee = _shop(book, message.shop), _addressee(book, message.shop, message.order_id)
    if not addressee.email:
        return
    shown = refund.model_dump(mode="json", include=_SHOWN_OF_A_FAILED_REFUND)
    to, cause = addressee.email, refund.refund_id
    book.decide(_mail(book, shop, message, cause, Template.REFUND_FAILED, to, addressee.locale, shown))


def _addressee(book: MailBook, shop: str, order_id: UUID) -> Addressee:
    addressee = book.addressee(shop, order_id)
    if addressee is None:
        raise Wait(order_key(order_id), f"order {order_id} of {shop} is not known yet")
    if addressee.deleted_at is not None:
        raise Bygone(f"order {addressee.code} was deleted")
    return addressee


def _mail(
    book: MailBook,
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
        created_at=book.unit.now,
    )


def _shop(book: MailBook, name: str) -> ShopProfile:
    try:
        return book.shop(name)
    except UnknownShop as unknown:
        raise Refuse("unknown_shop", str(unknown)) from unknown


def _as_json(message: Message, include: set[str] | None = None) -> dict[str, Any]:
    return message.model_dump(mode="json", exclude_none=True, include=include)
