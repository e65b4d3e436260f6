"""What orders hears, and which action each message starts."""

from contracts.fulfillment import (
    DeliveryRecorded,
    LinesAdded,
    LinesReduced,
    ParcelLost,
    ParcelPacked,
    ParcelUnpacked,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    StockLevelChanged,
    StockRejected,
    StockReserved,
    StockRestocked,
)
from contracts.notifier import MailFailed, MailSent, MailUncertain
from contracts.payments import (
    BalanceChanged,
    CreditGranted,
    PaymentReassigned,
    PaymentReversed,
    PaymentSettled,
    PaymentUnmatched,
    RefundConfirmed,
    RefundFailed,
    RefundMarked,
    RefundSent,
    RefundUncertain,
)
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted
from services.chassis.messaging.subscribers import ReceivedMessage, Subscribers
from services.orders.intake import adapting, checking_out, placing, refusing
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import answered, mailing, outcomes, paying, questions, refunding, shipping

subscribers = Subscribers("orders", OrderUnit)
subscribers.unreadable(refusing.answer_unreadable)
subscribers.adapts(OrderSubmitted, adapting.adapt)
subscribers.adapts(CheckoutOpened, adapting.adapt)


@subscribers.on(CheckoutOpened)
def checkout_opened(work: OrderUnit, received: ReceivedMessage[CheckoutOpened]) -> None:
    """A repeat, or one opened earlier than what is known, changes nothing."""
    checking_out.open_checkout(work, received)


@subscribers.on(CheckoutDropped)
def checkout_dropped(work: OrderUnit, received: ReceivedMessage[CheckoutDropped]) -> None:
    """A repeat, or one from before the checkout was opened last, changes nothing."""
    checking_out.drop_checkout(work, received)


@subscribers.on(OrderSubmitted, answers_reused_ids=True)
def order_submitted(work: OrderUnit, received: ReceivedMessage[OrderSubmitted]) -> None:
    """A repeat of a placed sale under another id gets the first answer again."""
    placing.place(work, received)


@subscribers.on(BalanceChanged)
def balance_changed(work: OrderUnit, received: ReceivedMessage[BalanceChanged]) -> None:
    """A repeat finds its entries; an older position brings its entries and nothing else."""
    paying.take_position(work, received)


@subscribers.on(PaymentSettled)
def payment_settled(work: OrderUnit, received: ReceivedMessage[PaymentSettled]) -> None:
    """A repeat finds the receipt noted."""
    paying.note_receipt(work, received)


@subscribers.on(PaymentUnmatched)
def payment_unmatched(work: OrderUnit, received: ReceivedMessage[PaymentUnmatched]) -> None:
    """A repeat finds the payment noted."""
    paying.note_unmatched(work, received)


@subscribers.on(PaymentReversed)
def payment_reversed(work: OrderUnit, received: ReceivedMessage[PaymentReversed]) -> None:
    """A repeat finds it noted."""
    refunding.note_reversal(work, received)


@subscribers.on(CreditGranted)
def credit_granted(work: OrderUnit, received: ReceivedMessage[CreditGranted]) -> None:
    """A repeat finds it noted."""
    refunding.note_credit(work, received)


@subscribers.on(PaymentReassigned)
def payment_reassigned(work: OrderUnit, received: ReceivedMessage[PaymentReassigned]) -> None:
    """A repeat finds it noted."""
    refunding.note_reassignment(work, received)


@subscribers.on(RefundMarked)
def refund_marked(work: OrderUnit, received: ReceivedMessage[RefundMarked]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(work, received)


@subscribers.on(RefundSent)
def refund_sent(work: OrderUnit, received: ReceivedMessage[RefundSent]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(work, received)


@subscribers.on(RefundConfirmed)
def refund_confirmed(work: OrderUnit, received: ReceivedMessage[RefundConfirmed]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(work, received)


@subscribers.on(RefundFailed)
def refund_failed(work: OrderUnit, received: ReceivedMessage[RefundFailed]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(work, received)


@subscribers.on(RefundUncertain)
def refund_uncertain(work: OrderUnit, received: ReceivedMessage[RefundUncertain]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(work, received)


@subscribers.on(StockReserved)
def stock_reserved(work: OrderUnit, received: ReceivedMessage[StockReserved]) -> None:
    """A repeat, or an older position, changes nothing."""
    shipping.note_stock(work, received)


@subscribers.on(StockRejected)
def stock_rejected(work: OrderUnit, received: ReceivedMessage[StockRejected]) -> None:
    """A repeat, or an older position, changes nothing."""
    shipping.note_stock(work, received)


@subscribers.on(StockRestocked)
def stock_restocked(work: OrderUnit, received: ReceivedMessage[StockRestocked]) -> None:
    """A repeat finds it noted; an older position changes nothing."""
    shipping.note_restocking(work, received)


@subscribers.on(StockLevelChanged)
def stock_level_changed(work: OrderUnit, received: ReceivedMessage[StockLevelChanged]) -> None:
    """Settles the command that asked for it; levels themselves are fulfillment's to show."""
    outcomes.settle(work, received)


@subscribers.on(ParcelPacked)
def parcel_packed(work: OrderUnit, received: ReceivedMessage[ParcelPacked]) -> None:
    """A repeat finds its parcel."""
    shipping.copy_parcel(work, received)


@subscribers.on(ParcelUnpacked)
def parcel_unpacked(work: OrderUnit, received: ReceivedMessage[ParcelUnpacked]) -> None:
    """A repeat finds the unpacking."""
    shipping.copy_unpacking(work, received)


@subscribers.on(LinesReduced)
def lines_reduced(work: OrderUnit, received: ReceivedMessage[LinesReduced]) -> None:
    """A repeat, or an older position, changes nothing."""
    answered.go_on_after_stopping(work, received)


@subscribers.on(LinesAdded)
def lines_added(work: OrderUnit, received: ReceivedMessage[LinesAdded]) -> None:
    """A repeat, or an older position, changes nothing."""
    answered.go_on_after_adding(work, received)


@subscribers.on(ShipmentDispatched)
def shipment_dispatched(work: OrderUnit, received: ReceivedMessage[ShipmentDispatched]) -> None:
    """A repeat finds its shipment."""
    shipping.copy_shipment(work, received)


@subscribers.on(ShipmentUpdated)
def shipment_updated(work: OrderUnit, received: ReceivedMessage[ShipmentUpdated]) -> None:
    """A repeat, or one heard after a later one, changes nothing."""
    shipping.copy_correction(work, received)


@subscribers.on(ShipmentCancelled)
def shipment_cancelled(work: OrderUnit, received: ReceivedMessage[ShipmentCancelled]) -> None:
    """A repeat finds the shipment cancelled."""
    shipping.copy_cancelling(work, received)


@subscribers.on(ParcelLost)
def parcel_lost(work: OrderUnit, received: ReceivedMessage[ParcelLost]) -> None:
    """A repeat finds the loss."""
    shipping.copy_loss(work, received)


@subscribers.on(DeliveryRecorded)
def delivery_recorded(work: OrderUnit, received: ReceivedMessage[DeliveryRecorded]) -> None:
    """A repeat finds the delivery."""
    shipping.copy_delivery(work, received)


@subscribers.on(MailSent)
def mail_sent(work: OrderUnit, received: ReceivedMessage[MailSent]) -> None:
    """A repeat finds the mails' rows."""
    mailing.copy_reports(work, received)


@subscribers.on(MailFailed)
def mail_failed(work: OrderUnit, received: ReceivedMessage[MailFailed]) -> None:
    """A repeat finds the mails' rows."""
    mailing.copy_reports(work, received)


@subscribers.on(MailUncertain)
def mail_uncertain(work: OrderUnit, received: ReceivedMessage[MailUncertain]) -> None:
    """A repeat finds the mails' rows."""
    mailing.copy_reports(work, received)


@subscribers.on(CommandRejected)
def command_rejected(work: OrderUnit, received: ReceivedMessage[CommandRejected]) -> None:
    """A repeat finds the command settled."""
    outcomes.note_rejection(work, received)


@subscribers.on(CommandDone)
def command_done(work: OrderUnit, received: ReceivedMessage[CommandDone]) -> None:
    """A repeat finds the command settled."""
    outcomes.settle(work, received)


@subscribers.on(MessageParked)
def message_parked(work: OrderUnit, received: ReceivedMessage[MessageParked]) -> None:
    """A parked command stays open: a person may redrive it."""
    outcomes.settle(work, received)
    questions.note_parked(work, received)


@subscribers.on(MessageDiscarded)
def message_discarded(work: OrderUnit, received: ReceivedMessage[MessageDiscarded]) -> None:
    """A repeat finds the command settled; a question of ours ends its change; what was neither is no matter of ours."""
    outcomes.note_discard(work, received)
    questions.give_up(work, received)
