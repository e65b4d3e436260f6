"""Messages that the notifier receives: the function each one starts, and what that function needs loaded."""

from contracts.fulfillment.shipments import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.fulfillment.stock import StockRanLow
from contracts.notifier.bounces import LiftSuppression, SuppressAddress
from contracts.notifier.conversation import (
    AddParticipant,
    ChangeThread,
    FileMail,
    PostMessage,
    RemoveParticipant,
)
from contracts.notifier.mail_rules import ChangeMailRules
from contracts.notifier.mail_texts import ChangeShopProfile, ResetTemplate, SendTestMail, SetTemplate
from contracts.notifier.mails import ConfirmMail, ResendMail
from contracts.notifier.page import CancellationDeclined
from contracts.orders.changes import OrderEdited
from contracts.orders.erasure import CustomerErased
from contracts.orders.lifecycle import (
    CheckoutAbandoned,
    CheckoutResumed,
    OrderCompleted,
    OrderDeleted,
    OrderPlaced,
    StatusUpdated,
)
from contracts.payments.accounts import PaymentUnmatched
from contracts.payments.disputes import DisputeOpened, DisputeUpdated
from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued, InvoicingChanged
from contracts.payments.refunds import RefundFailed, RefundMarked, RefundMarkOverdue, RefundSent
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.notifier.conversation import thread_commands
from services.notifier.conversation.needs import by_inbound, by_new_message, by_thread
from services.notifier.conversation.unit import ConversationUnit
from services.notifier.mails import announcing, forgetting, mail_commands
from services.notifier.mails.abandoned import reminding
from services.notifier.mails.causes import alerts, completion
from services.notifier.mails.holding import releasing
from services.notifier.mails.needs import (
    by_completion,
    by_deadline,
    by_document,
    by_due_dispute,
    by_event,
    by_mail,
    by_mailed_document,
    by_money,
    by_notified_order,
    by_order,
    by_refund,
    by_refunded_order,
    by_shop,
    by_text,
)
from services.notifier.mails.rules import commands as rule_commands
from services.notifier.profile import commands
from services.notifier.sending.bounces import suppressing

subscribers = Subscribers[ConversationUnit](
    "notifier",
    ConversationUnit,
    Handler(OrderPlaced, announcing.order_placed, causes=by_event, invoiced=by_shop),
    Handler(OrderEdited, announcing.order_edited, recipients=by_order, causes=by_event),
    Handler(OrderDeleted, forgetting.forget, recipients=by_order),
    Handler(CustomerErased, erasing.begin),
    Handler(ShipmentDispatched, announcing.parcels_announced, recipients=by_notified_order, causes=by_event),
    Handler(ShipmentUpdated, announcing.parcels_announced, recipients=by_notified_order, causes=by_event),
    Handler(ShipmentCancelled, announcing.parcels_announced, recipients=by_notified_order, causes=by_event),
    Handler(ParcelLost, announcing.parcels_announced, recipients=by_notified_order, causes=by_event),
    Handler(StatusUpdated, announcing.status_updated, recipients=by_notified_order, causes=by_event),
    Handler(CancellationDeclined, announcing.cancellation_declined, recipients=by_order, causes=by_event),
    Handler(RefundMarked, announcing.refund_made, recipients=by_refunded_order, causes=by_refund),
    Handler(RefundSent, announcing.refund_made, recipients=by_refunded_order, causes=by_refund),
    Handler(RefundFailed, announcing.refund_failed, recipients=by_refunded_order, causes=by_refund),
    Handler(
        InvoiceIssued,
        announcing.document_issued,
        recipients=by_order,
        causes=by_document,
        holds=by_order,
    ),
    Handler(InvoicingChanged, releasing.invoicing_changed),
    Handler(CreditNoteIssued, announcing.document_issued, recipients=by_mailed_document, causes=by_document),
    Handler(OrderCompleted, completion.order_completed, recipients=by_order, once=by_completion),
    Handler(CheckoutResumed, completion.checkout_resumed),
    Handler(CheckoutAbandoned, reminding.checkout_abandoned, rules=by_shop),
    Handler(StockRanLow, alerts.stock_ran_low, causes=by_event),
    Handler(PaymentUnmatched, alerts.payment_unmatched, once=by_money),
    Handler(RefundMarkOverdue, alerts.refund_mark_overdue, recipients=by_order, once=by_refund),
    Handler(DisputeOpened, alerts.dispute_changed, recipients=by_due_dispute, once=by_deadline),
    Handler(DisputeUpdated, alerts.dispute_changed, recipients=by_due_dispute, once=by_deadline),
    Handler(ResendMail, mail_commands.resend, mails=by_mail),
    Handler(ConfirmMail, mail_commands.confirm, mails=by_mail),
    Handler(SetTemplate, commands.set_template, texts=by_text),
    Handler(ResetTemplate, commands.reset_template, texts=by_text),
    Handler(ChangeShopProfile, commands.change_shop_profile, profiles=by_shop),
    Handler(SendTestMail, commands.send_test_mail),
    Handler(ChangeMailRules, rule_commands.change_mail_rules, rules=by_shop),
    Handler(PostMessage, thread_commands.post_message, threads=by_thread, messages=by_new_message),
    Handler(ChangeThread, thread_commands.change_thread, threads=by_thread),
    Handler(AddParticipant, thread_commands.add_participant, threads=by_thread),
    Handler(RemoveParticipant, thread_commands.remove_participant, threads=by_thread),
    Handler(FileMail, thread_commands.file_mail, threads=by_thread, inbound=by_inbound),
    Handler(SuppressAddress, suppressing.suppress),
    Handler(LiftSuppression, suppressing.lift),
)
