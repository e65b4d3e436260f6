"""What the notifier hears and which action answers it."""

from contracts.fulfillment import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.notifier import ConfirmMail, ResendMail
from contracts.orders import OrderDeleted, OrderEdited, OrderPlaced, StatusUpdated
from contracts.payments import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import Delivery, Subscribers
from services.notifier.mails import announcing, forgetting, mail_commands
from services.notifier.mails.unit import MailBook

subscribers = Subscribers("notifier", MailBook)


@subscribers.on(OrderPlaced)
def order_placed(book: MailBook, delivery: Delivery[OrderPlaced]) -> None:
    """An order was placed."""
    announcing.order_placed(book, delivery)


@subscribers.on(OrderEdited)
def order_edited(book: MailBook, delivery: Delivery[OrderEdited]) -> None:
    """An order was changed: perhaps whom its mails go to."""
    announcing.order_edited(book, delivery)


@subscribers.on(OrderDeleted)
def order_deleted(book: MailBook, delivery: Delivery[OrderDeleted]) -> None:
    """An order was deleted: nothing of its customer stays."""
    forgetting.forget(book, delivery)


@subscribers.on(ShipmentDispatched)
def shipment_dispatched(book: MailBook, delivery: Delivery[ShipmentDispatched]) -> None:
    """Parcels were handed to a carrier."""
    announcing.parcels_told(book, delivery)


@subscribers.on(ShipmentUpdated)
def shipment_updated(book: MailBook, delivery: Delivery[ShipmentUpdated]) -> None:
    """A repeat asks for the same mail, which is there."""
    announcing.parcels_told(book, delivery)


@subscribers.on(ShipmentCancelled)
def shipment_cancelled(book: MailBook, delivery: Delivery[ShipmentCancelled]) -> None:
    """A repeat asks for the same mail, which is there."""
    announcing.parcels_told(book, delivery)


@subscribers.on(ParcelLost)
def parcel_lost(book: MailBook, delivery: Delivery[ParcelLost]) -> None:
    """A repeat asks for the same mail, which is there."""
    announcing.parcels_told(book, delivery)


@subscribers.on(StatusUpdated)
def status_updated(book: MailBook, delivery: Delivery[StatusUpdated]) -> None:
    """An order was given another status."""
    announcing.status_updated(book, delivery)


@subscribers.on(RefundMarked)
def refund_marked(book: MailBook, delivery: Delivery[RefundMarked]) -> None:
    """A refund was recorded."""
    announcing.refund_made(book, delivery)


@subscribers.on(RefundSent)
def refund_sent(book: MailBook, delivery: Delivery[RefundSent]) -> None:
    """The provider took a refund."""
    announcing.refund_made(book, delivery)


@subscribers.on(RefundFailed)
def refund_failed(book: MailBook, delivery: Delivery[RefundFailed]) -> None:
    """The provider refused a refund, or it came back."""
    announcing.refund_failed(book, delivery)


@subscribers.on(ResendMail)
def resend_mail(book: MailBook, delivery: Delivery[ResendMail]) -> None:
    """Staff want a mail sent again."""
    mail_commands.resend(book, delivery)


@subscribers.on(ConfirmMail)
def confirm_mail(book: MailBook, delivery: Delivery[ConfirmMail]) -> None:
    """Staff know that an uncertain mail arrived."""
    mail_commands.confirm(book, delivery)
