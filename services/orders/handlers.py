"""Handler table of orders: the function that each received message starts, and the rows that function needs
loaded.

An event that is an outcome of a command needs `commands`; otherwise the command would stay open.
"""

from contracts.fulfillment.lines import LinesAdded, LinesReduced
from contracts.fulfillment.parcels import ParcelPacked, ParcelUnpacked
from contracts.fulfillment.shipments import (
    DeliveryRecorded,
    ParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
)
from contracts.fulfillment.stock import (
    StockLevelChanged,
    StockRejected,
    StockReserved,
    StockRestocked,
    StockThresholdSet,
)
from contracts.notifier.bounces import AddressSuppressed, MailBounced, MailSuppressed, SuppressionLifted
from contracts.notifier.conversation import (
    MailFiled,
    MailReceived,
    MessagePosted,
    ParticipantAdded,
    ParticipantRemoved,
    ThreadChanged,
)
from contracts.notifier.mail_rules import MailRulesChanged
from contracts.notifier.mail_texts import ShopProfileChanged, TemplateChanged
from contracts.notifier.mails import MailFailed, MailSent, MailUncertain, MailWithdrawn
from contracts.notifier.page import CancellationRequested
from contracts.orders.erasure import ErasureDone
from contracts.payments.accounts import (
    BalanceChanged,
    PaymentReassigned,
    PaymentReversed,
    PaymentSettled,
    PaymentUnmatched,
)
from contracts.payments.disputes import DisputeClosed, DisputeOpened, DisputeUpdated
from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued, InvoicingChanged
from contracts.payments.refunds import (
    CreditGranted,
    RefundConfirmed,
    RefundFailed,
    RefundMarked,
    RefundSent,
    RefundUncertain,
)
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.orders.order.erasure import erasing
from services.orders.order.intake import adaptation, checking_out, placing, refusing
from services.orders.order.unit.needs import (
    by_checkout,
    by_lifted,
    by_mails,
    by_order,
    by_paid_checkout,
    by_question,
    by_submission,
    by_version,
    commands_named,
)
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import (
    answered,
    cancellation_requests,
    conversations,
    disputing,
    invoicing,
    mailing,
    outcomes,
    paying,
    profiles,
    questions,
    refunding,
    shipping,
)

subscribers = Subscribers(
    "orders",
    OrderUnit,
    Handler(CheckoutOpened, checking_out.open_checkout, adapter=adaptation.adapt, checkouts=by_checkout),
    Handler(CheckoutDropped, checking_out.drop_checkout, checkouts=by_checkout),
    Handler(
        OrderSubmitted,
        placing.place,
        adapter=adaptation.adapt,
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
    Handler(DisputeOpened, disputing.copy_dispute, orders=by_order),
    Handler(DisputeUpdated, disputing.copy_dispute, orders=by_order),
    Handler(DisputeClosed, disputing.copy_dispute, orders=by_order, commands=commands_named),
    Handler(InvoiceIssued, invoicing.copy_invoice, orders=by_order, commands=commands_named),
    Handler(CreditNoteIssued, invoicing.copy_invoice, orders=by_order),
    Handler(InvoicingChanged, outcomes.settle, commands=commands_named),
    Handler(StockReserved, shipping.note_stock, orders=by_order),
    Handler(StockRejected, shipping.note_stock, orders=by_order),
    Handler(StockRestocked, shipping.note_restocking, orders=by_order),
    Handler(StockLevelChanged, outcomes.settle, commands=commands_named),
    Handler(StockThresholdSet, outcomes.settle, commands=commands_named),
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
    Handler(ErasureDone, erasing.report),
    Handler(MailSent, mailing.copy_reports, commands=commands_named),
    Handler(MailFailed, mailing.copy_reports, commands=commands_named),
    Handler(MailUncertain, mailing.copy_reports, commands=commands_named),
    Handler(MailWithdrawn, mailing.copy_reports, commands=commands_named),
    Handler(CancellationRequested, cancellation_requests.note_cancellation_request, orders=by_order),
    Handler(MailRulesChanged, outcomes.settle, commands=commands_named),
    Handler(TemplateChanged, outcomes.settle, commands=commands_named),
    Handler(ShopProfileChanged, profiles.copy_profile, commands=commands_named),
    Handler(MessagePosted, conversations.copy_message, orders=by_order, commands=commands_named),
    Handler(ThreadChanged, conversations.copy_change, orders=by_order, commands=commands_named),
    Handler(ParticipantAdded, conversations.note_participant, orders=by_order, commands=commands_named),
    Handler(
        ParticipantRemoved, conversations.note_removed_participant, orders=by_order, commands=commands_named
    ),
    Handler(MailFiled, conversations.note_filed, commands=commands_named),
    Handler(MailReceived, conversations.note_received),
    Handler(MailBounced, mailing.flag_orders, orders=by_mails, commands=commands_named),
    Handler(MailSuppressed, mailing.flag_orders, orders=by_mails, commands=commands_named),
    Handler(AddressSuppressed, outcomes.settle, commands=commands_named),
    Handler(SuppressionLifted, mailing.free_orders, orders=by_lifted, commands=commands_named),
    Handler(CommandRejected, outcomes.note_rejection, commands=commands_named),
    Handler(CommandDone, outcomes.settle, commands=commands_named),
    Handler(MessageParked, questions.note_parked, questions=by_question, commands=commands_named),
    Handler(MessageDiscarded, questions.give_up, questions=by_question, commands=commands_named),
)
subscribers.unreadable(refusing.answer_unreadable)
