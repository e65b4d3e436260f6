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
from services.chassis.messaging.subscribers import Delivery, Subscribers
from services.orders.intake import adapting, checking_out, placing, refusing
from services.orders.order.unit.unit import OrderBook
from services.orders.projections import answered, mailing, outcomes, paying, questions, refunding, shipping

subscribers = Subscribers("orders", OrderBook)
subscribers.unreadable(refusing.answer_unreadable)
subscribers.adapts(OrderSubmitted, adapting.adapt)
subscribers.adapts(CheckoutOpened, adapting.adapt)


@subscribers.on(CheckoutOpened)
def checkout_opened(book: OrderBook, delivery: Delivery[CheckoutOpened]) -> None:
    """A repeat, or one opened earlier than what is known, changes nothing."""
    checking_out.open_checkout(book, delivery)


@subscribers.on(CheckoutDropped)
def checkout_dropped(book: OrderBook, delivery: Delivery[CheckoutDropped]) -> None:
    """A repeat, or one from before the checkout was opened last, changes nothing."""
    checking_out.drop_checkout(book, delivery)


@subscribers.on(OrderSubmitted, answers_reused_ids=True)
def order_submitted(book: OrderBook, delivery: Delivery[OrderSubmitted]) -> None:
    """A repeat of a placed sale under another id gets the first answer again."""
    placing.place(book, delivery)


@subscribers.on(BalanceChanged)
def balance_changed(book: OrderBook, delivery: Delivery[BalanceChanged]) -> None:
    """A repeat finds its entries; an older position brings its entries and nothing else."""
    paying.take_position(book, delivery)


@subscribers.on(PaymentSettled)
def payment_settled(book: OrderBook, delivery: Delivery[PaymentSettled]) -> None:
    """A repeat finds the receipt noted."""
    paying.note_receipt(book, delivery)


@subscribers.on(PaymentUnmatched)
def payment_unmatched(book: OrderBook, delivery: Delivery[PaymentUnmatched]) -> None:
    """A repeat finds the payment noted."""
    paying.note_unmatched(book, delivery)


@subscribers.on(PaymentReversed)
def payment_reversed(book: OrderBook, delivery: Delivery[PaymentReversed]) -> None:
    """A repeat finds it noted."""
    refunding.note_reversal(book, delivery)


@subscribers.on(CreditGranted)
def credit_granted(book: OrderBook, delivery: Delivery[CreditGranted]) -> None:
    """A repeat finds it noted."""
    refunding.note_credit(book, delivery)


@subscribers.on(PaymentReassigned)
def payment_reassigned(book: OrderBook, delivery: Delivery[PaymentReassigned]) -> None:
    """A repeat finds it noted."""
    refunding.note_reassignment(book, delivery)


@subscribers.on(RefundMarked)
def refund_marked(book: OrderBook, delivery: Delivery[RefundMarked]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(book, delivery)


@subscribers.on(RefundSent)
def refund_sent(book: OrderBook, delivery: Delivery[RefundSent]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(book, delivery)


@subscribers.on(RefundConfirmed)
def refund_confirmed(book: OrderBook, delivery: Delivery[RefundConfirmed]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(book, delivery)


@subscribers.on(RefundFailed)
def refund_failed(book: OrderBook, delivery: Delivery[RefundFailed]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(book, delivery)


@subscribers.on(RefundUncertain)
def refund_uncertain(book: OrderBook, delivery: Delivery[RefundUncertain]) -> None:
    """A repeat, or an older word, changes nothing."""
    refunding.copy_refund(book, delivery)


@subscribers.on(StockReserved)
def stock_reserved(book: OrderBook, delivery: Delivery[StockReserved]) -> None:
    """A repeat, or an older position, changes nothing."""
    shipping.note_stock(book, delivery)


@subscribers.on(StockRejected)
def stock_rejected(book: OrderBook, delivery: Delivery[StockRejected]) -> None:
    """A repeat, or an older position, changes nothing."""
    shipping.note_stock(book, delivery)


@subscribers.on(StockRestocked)
def stock_restocked(book: OrderBook, delivery: Delivery[StockRestocked]) -> None:
    """A repeat finds it noted; an older position changes nothing."""
    shipping.note_restocking(book, delivery)


@subscribers.on(StockLevelChanged)
def stock_level_changed(book: OrderBook, delivery: Delivery[StockLevelChanged]) -> None:
    """Settles the command that asked for it; levels themselves are fulfillment's to show."""
    outcomes.settle(book, delivery)


@subscribers.on(ParcelPacked)
def parcel_packed(book: OrderBook, delivery: Delivery[ParcelPacked]) -> None:
    """A repeat finds its parcel."""
    shipping.copy_parcel(book, delivery)


@subscribers.on(ParcelUnpacked)
def parcel_unpacked(book: OrderBook, delivery: Delivery[ParcelUnpacked]) -> None:
    """A repeat finds the unpacking."""
    shipping.copy_unpacking(book, delivery)


@subscribers.on(LinesReduced)
def lines_reduced(book: OrderBook, delivery: Delivery[LinesReduced]) -> None:
    """A repeat, or an older position, changes nothing."""
    answered.go_on_after_stopping(book, delivery)


@subscribers.on(LinesAdded)
def lines_added(book: OrderBook, delivery: Delivery[LinesAdded]) -> None:
    """A repeat, or an older position, changes nothing."""
    answered.go_on_after_adding(book, delivery)


@subscribers.on(ShipmentDispatched)
def shipment_dispatched(book: OrderBook, delivery: Delivery[ShipmentDispatched]) -> None:
    """A repeat finds its shipment."""
    shipping.copy_shipment(book, delivery)


@subscribers.on(ShipmentUpdated)
def shipment_updated(book: OrderBook, delivery: Delivery[ShipmentUpdated]) -> None:
    """A repeat, or one heard after a later one, changes nothing."""
    shipping.copy_correction(book, delivery)


@subscribers.on(ShipmentCancelled)
def shipment_cancelled(book: OrderBook, delivery: Delivery[ShipmentCancelled]) -> None:
    """A repeat finds the shipment cancelled."""
    shipping.copy_cancelling(book, delivery)


@subscribers.on(ParcelLost)
def parcel_lost(book: OrderBook, delivery: Delivery[ParcelLost]) -> None:
    """A repeat finds the loss."""
    shipping.copy_loss(book, delivery)


@subscribers.on(DeliveryRecorded)
def delivery_recorded(book: OrderBook, delivery: Delivery[DeliveryRecorded]) -> None:
    """A repeat finds the delivery."""
    shipping.copy_delivery(book, delivery)


@subscribers.on(MailSent)
def mail_sent(book: OrderBook, delivery: Delivery[MailSent]) -> None:
    """A repeat finds the mails' rows."""
    mailing.copy_reports(book, delivery)


@subscribers.on(MailFailed)
def mail_failed(book: OrderBook, delivery: Delivery[MailFailed]) -> None:
    """A repeat finds the mails' rows."""
    mailing.copy_reports(book, delivery)


@subscribers.on(MailUncertain)
def mail_uncertain(book: OrderBook, delivery: Delivery[MailUncertain]) -> None:
    """A repeat finds the mails' rows."""
    mailing.copy_reports(book, delivery)


@subscribers.on(CommandRejected)
def command_rejected(book: OrderBook, delivery: Delivery[CommandRejected]) -> None:
    """A repeat finds the command settled."""
    outcomes.note_rejection(book, delivery)


@subscribers.on(CommandDone)
def command_done(book: OrderBook, delivery: Delivery[CommandDone]) -> None:
    """A repeat finds the command settled."""
    outcomes.settle(book, delivery)


@subscribers.on(MessageParked)
def message_parked(book: OrderBook, delivery: Delivery[MessageParked]) -> None:
    """A parked command stays open: a person may redrive it."""
    outcomes.settle(book, delivery)
    questions.note_parked(book, delivery)


@subscribers.on(MessageDiscarded)
def message_discarded(book: OrderBook, delivery: Delivery[MessageDiscarded]) -> None:
    """A repeat finds the command settled; a question of ours ends its change; what was neither is no matter of ours."""
    outcomes.note_discard(book, delivery)
    questions.give_up(book, delivery)
