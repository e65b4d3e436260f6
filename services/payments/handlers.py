"""Messages that payments receives: the function each one starts, and what that function needs loaded."""

from contracts.orders import OrderDeleted, OrderEdited, OrderPlaced, PaymentReferenced
from contracts.payments import (
    ConfirmRefundMark,
    GrantCredit,
    ReassignPayment,
    RecordPayment,
    RefundOrder,
    ReversePayment,
    SettleRefund,
)
from services.chassis.messaging.subscribers import Handler, Subscribers
from services.payments.accounts.unit.needs import by_order, by_payment, by_refund, by_settled_refund
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.due import changing, closing, opening
from services.payments.due.resyncing import TO_ORDERS
from services.payments.manual import reassigning, recording, reversing
from services.payments.refunds import crediting, refunding, verdicts

subscribers = Subscribers(
    "payments",
    AccountUnit,
    Handler(OrderPlaced, opening.open_account, accounts=by_order),
    Handler(PaymentReferenced, opening.link_payment, accounts=by_order),
    Handler(OrderEdited, changing.change_due, accounts=by_order, edits=by_order),
    Handler(OrderDeleted, closing.close, accounts=by_order),
    Handler(RecordPayment, recording.record_payment, accounts=by_order),
    Handler(ReversePayment, reversing.reverse_payment, accounts=by_order),
    Handler(GrantCredit, crediting.grant_credit, accounts=by_order),
    Handler(RefundOrder, refunding.refund_order, accounts=by_order, refunds=by_refund),
    Handler(ConfirmRefundMark, refunding.confirm_mark, accounts=by_order),
    Handler(SettleRefund, verdicts.settle_refund, accounts=by_order, settled=by_settled_refund),
    Handler(ReassignPayment, reassigning.reassign_payment, accounts=by_order, reassigned=by_payment),
)
subscribers.tells("orders", TO_ORDERS)
