"""Messages that payments receives: the function each one starts, and what that function needs loaded."""

from contracts.orders.changes import OrderEdited
from contracts.orders.erasure import CustomerErased
from contracts.orders.lifecycle import OrderDeleted, OrderPlaced, PaymentReferenced
from contracts.payments.accounts import ReassignPayment, RecordPayment, ReversePayment
from contracts.payments.disputes import ResolveDispute
from contracts.payments.invoices import ChangeInvoicing, ReissueInvoice
from contracts.payments.refunds import ConfirmRefundMark, GrantCredit, RefundOrder, SettleRefund
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.payments.accounts.unit.needs import (
    by_order,
    by_payment,
    by_refund,
    by_settled_refund,
    by_shop,
)
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.disputes import resolving
from services.payments.due import changing, closing, opening
from services.payments.due.resyncing import TO_ORDERS
from services.payments.invoices import commands
from services.payments.manual import reassigning, recording, reversing
from services.payments.refunds import crediting, refunding, settling

subscribers = Subscribers(
    "payments",
    AccountUnit,
    Handler(OrderPlaced, opening.open_account, accounts=by_order),
    Handler(PaymentReferenced, opening.link_payment, accounts=by_order),
    Handler(OrderEdited, changing.change_due, accounts=by_order, edits=by_order),
    Handler(OrderDeleted, closing.close, accounts=by_order),
    Handler(CustomerErased, erasing.begin),
    Handler(RecordPayment, recording.record_payment, accounts=by_order),
    Handler(ReversePayment, reversing.reverse_payment, accounts=by_order),
    Handler(GrantCredit, crediting.grant_credit, accounts=by_order),
    Handler(RefundOrder, refunding.refund_order, accounts=by_order, refunds=by_refund),
    Handler(ConfirmRefundMark, refunding.confirm_mark, accounts=by_order),
    Handler(SettleRefund, settling.settle_refund, accounts=by_order, settled=by_settled_refund),
    Handler(ResolveDispute, resolving.resolve_dispute, accounts=by_order),
    Handler(ReassignPayment, reassigning.reassign_payment, accounts=by_order, reassigned=by_payment),
    Handler(ChangeInvoicing, commands.change_invoicing, invoicing=by_shop),
    Handler(ReissueInvoice, commands.reissue_invoice, accounts=by_order, invoicing=by_shop, sales=by_order),
)
subscribers.resyncs("orders", TO_ORDERS)
