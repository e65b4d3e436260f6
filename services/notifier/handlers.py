"""Messages that the notifier receives: the function each one starts, and what that function needs loaded."""

from contracts.fulfillment import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.notifier import ConfirmMail, ResendMail
from contracts.orders import OrderDeleted, OrderEdited, OrderPlaced, StatusUpdated
from contracts.payments import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.notifier.mails import announcing, forgetting, mail_commands
from services.notifier.mails.needs import (
    by_event,
    by_mail,
    by_notified_order,
    by_order,
    by_refund,
    by_refunded_order,
)
from services.notifier.mails.unit import MailUnit

subscribers = Subscribers(
    "notifier",
    MailUnit,
    Handler(OrderPlaced, announcing.order_placed, causes=by_event),
    Handler(OrderEdited, announcing.order_edited, recipients=by_order, causes=by_event),
    Handler(OrderDeleted, forgetting.forget, recipients=by_order),
    Handler(ShipmentDispatched, announcing.parcels_told, recipients=by_notified_order, causes=by_event),
    Handler(ShipmentUpdated, announcing.parcels_told, recipients=by_notified_order, causes=by_event),
    Handler(ShipmentCancelled, announcing.parcels_told, recipients=by_notified_order, causes=by_event),
    Handler(ParcelLost, announcing.parcels_told, recipients=by_notified_order, causes=by_event),
    Handler(StatusUpdated, announcing.status_updated, recipients=by_notified_order, causes=by_event),
    Handler(RefundMarked, announcing.refund_made, recipients=by_refunded_order, causes=by_refund),
    Handler(RefundSent, announcing.refund_made, recipients=by_refunded_order, causes=by_refund),
    Handler(RefundFailed, announcing.refund_failed, recipients=by_refunded_order, causes=by_refund),
    Handler(ResendMail, mail_commands.resend, mails=by_mail),
    Handler(ConfirmMail, mail_commands.confirm, mails=by_mail),
)
