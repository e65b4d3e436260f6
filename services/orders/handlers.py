"""Handler table of orders: the function that each received message starts, and the rows that function needs
loaded.

An event that is an outcome of a command needs `commands`; otherwise the command would stay open.
"""

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
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.orders.intake import adapting, checking_out, placing, refusing
from services.orders.order.unit.needs import (
    by_checkout,
    by_order,
    by_paid_checkout,
    by_question,
    by_submission,
    by_version,
)
from services.orders.order.unit.outcome_types import commands_named
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import answered, mailing, outcomes, paying, questions, refunding, shipping

subscribers = Subscribers(
    "orders",
    OrderUnit,
    Handler(CheckoutOpened, checking_out.open_checkout, adapter=adapting.adapt, checkouts=by_checkout),
    Handler(CheckoutDropped, checking_out.drop_checkout, checkouts=by_checkout),
    Handler(
        OrderSubmitted,
        placing.place,
        adapter=adapting.adapt,
        answers_reused_ids=True,
        checkouts=by_checkout,
        submissions=by_submission,
    ),
    Handler(BalanceChanged, paying.take_position, orders=by_order),
    Handler(PaymentSettled, paying.note_receipt, orders=by_order, commands=commands_named),
    Handler(PaymentUnmatched, paying.note_unmatched, checkouts=by_paid_checkout),
    Handler(PaymentReversed, refunding.note_reversal, orders=by_order, commands=commands_named),
    Handler(CreditGranted, refunding.note_credit, orders=by_order, commands=commands_named),
    Handler(PaymentReassigned, refunding.note_reassignment, orders=by_order, commands=commands_named),
    Handler(RefundMarked, refunding.copy_refund, orders=by_order, commands=commands_named),
    Handler(RefundSent, refunding.copy_refund, orders=by_order, commands=commands_named),
    Handler(RefundConfirmed, refunding.copy_refund, orders=by_order, commands=commands_named),
    Handler(RefundFailed, refunding.copy_refund, orders=by_order, commands=commands_named),
    Handler(RefundUncertain, refunding.copy_refund, orders=by_order, commands=commands_named),
    Handler(StockReserved, shipping.note_stock, orders=by_order),
    Handler(StockRejected, shipping.note_stock, orders=by_order),
    Handler(StockRestocked, shipping.note_restocking, orders=by_order),
    Handler(StockLevelChanged, outcomes.settle, commands=commands_named),
    Handler(ParcelPacked, shipping.copy_parcel, orders=by_order, commands=commands_named),
    Handler(ParcelUnpacked, shipping.copy_unpacking, orders=by_order, commands=commands_named),
    Handler(LinesReduced, answered.go_on_after_stopping, orders=by_order, changes=by_order),
    Handler(LinesAdded, answered.go_on_after_adding, orders=by_order, changes=by_order),
    Handler(
        ShipmentDispatched,
        shipping.copy_shipment,
        orders=by_order,
        dispatched=by_version,
        commands=commands_named,
    ),
    Handler(
        ShipmentUpdated,
        shipping.copy_correction,
        orders=by_order,
        shipments=by_order,
        commands=commands_named,
    ),
    Handler(
        ShipmentCancelled,
        shipping.copy_cancelling,
        orders=by_order,
        shipments=by_order,
        commands=commands_named,
    ),
    Handler(ParcelLost, shipping.copy_loss, orders=by_order, commands=commands_named),
    Handler(DeliveryRecorded, shipping.copy_delivery, orders=by_order, commands=commands_named),
    Handler(MailSent, mailing.copy_reports, commands=commands_named),
    Handler(MailFailed, mailing.copy_reports, commands=commands_named),
    Handler(MailUncertain, mailing.copy_reports, commands=commands_named),
    Handler(CommandRejected, outcomes.note_rejection, commands=commands_named),
    Handler(CommandDone, outcomes.settle, commands=commands_named),
    Handler(MessageParked, questions.note_parked, questions=by_question, commands=commands_named),
    Handler(MessageDiscarded, questions.give_up, questions=by_question, commands=commands_named),
)
subscribers.unreadable(refusing.answer_unreadable)
