"""What the notifier hears and which action answers it."""

from contracts.fulfillment import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.notifier import ConfirmMail, ResendMail
from contracts.orders import OrderDeleted, OrderEdited, OrderPlaced, StatusUpdated
from contracts.payments import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import ReceivedMessage, Subscribers
from services.notifier.mails import announcing, forgetting, mail_commands
from services.notifier.mails.unit import MailUnit

subscribers = Subscribers("notifier", MailUnit)


@subscribers.on(OrderPlaced)
def order_placed(work: MailUnit, received: ReceivedMessage[OrderPlaced]) -> None:
    """An order was placed."""
    announcing.order_placed(work, received)


@subscribers.on(OrderEdited)
def order_edited(work: MailUnit, received: ReceivedMessage[OrderEdited]) -> None:
    """An order was changed: perhaps whom its mails go to."""
    announcing.order_edited(work, received)


@subscribers.on(OrderDeleted)
def order_deleted(work: MailUnit, received: ReceivedMessage[OrderDeleted]) -> None:
    """An order was deleted: nothing of its customer stays."""
    forgetting.forget(work, received)


@subscribers.on(ShipmentDispatched)
def shipment_dispatched(work: MailUnit, received: ReceivedMessage[ShipmentDispatched]) -> None:
    """Parcels were handed to a carrier."""
    announcing.parcels_told(work, received)


@subscribers.on(ShipmentUpdated)
def shipment_updated(work: MailUnit, received: ReceivedMessage[ShipmentUpdated]) -> None:
    """A repeat asks for the same mail, which is there."""
    announcing.parcels_told(work, received)


@subscribers.on(ShipmentCancelled)
def shipment_cancelled(work: MailUnit, received: ReceivedMessage[ShipmentCancelled]) -> None:
    """A repeat asks for the same mail, which is there."""
    announcing.parcels_told(work, received)


@subscribers.on(ParcelLost)
def parcel_lost(work: MailUnit, received: ReceivedMessage[ParcelLost]) -> None:
    """A repeat asks for the same mail, which is there."""
    announcing.parcels_told(work, received)


@subscribers.on(StatusUpdated)
def status_updated(work: MailUnit, received: ReceivedMessage[StatusUpdated]) -> None:
    """An order was given another status."""
    announcing.status_updated(work, received)


@subscribers.on(RefundMarked)
def refund_marked(work: MailUnit, received: ReceivedMessage[RefundMarked]) -> None:
    """A refund was recorded."""
    announcing.refund_made(work, received)


@subscribers.on(RefundSent)
def refund_sent(work: MailUnit, received: ReceivedMessage[RefundSent]) -> None:
    """The provider took a refund."""
    announcing.refund_made(work, received)


@subscribers.on(RefundFailed)
def refund_failed(work: MailUnit, received: ReceivedMessage[RefundFailed]) -> None:
    """The provider refused a refund, or it came back."""
    announcing.refund_failed(work, received)


@subscribers.on(ResendMail)
def resend_mail(work: MailUnit, received: ReceivedMessage[ResendMail]) -> None:
    """Staff want a mail sent again."""
    mail_commands.resend(work, received)


@subscribers.on(ConfirmMail)
def confirm_mail(work: MailUnit, received: ReceivedMessage[ConfirmMail]) -> None:
    """Staff know that an uncertain mail arrived."""
    mail_commands.confirm(work, received)
