"""What payments hears, and the action each message starts."""

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
from services.chassis.messaging.subscribers import ReceivedMessage, Subscribers
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.due import changing, closing, opening
from services.payments.due.resyncing import TO_ORDERS
from services.payments.manual import reassigning, recording, reversing
from services.payments.refunds import crediting, refunding
from services.payments.refunds import verdicts as refund_verdicts

subscribers = Subscribers("payments", AccountUnit)
subscribers.tells("orders", TO_ORDERS)


@subscribers.on(OrderPlaced)
def order_placed(work: AccountUnit, received: ReceivedMessage[OrderPlaced]) -> None:
    opening.open_account(work, received)


@subscribers.on(PaymentReferenced)
def payment_referenced(work: AccountUnit, received: ReceivedMessage[PaymentReferenced]) -> None:
    opening.link_payment(work, received)


@subscribers.on(OrderEdited)
def order_edited(work: AccountUnit, received: ReceivedMessage[OrderEdited]) -> None:
    changing.change_due(work, received)


@subscribers.on(OrderDeleted)
def order_deleted(work: AccountUnit, received: ReceivedMessage[OrderDeleted]) -> None:
    closing.close(work, received)


@subscribers.on(RecordPayment)
def record_payment(work: AccountUnit, received: ReceivedMessage[RecordPayment]) -> None:
    recording.record_payment(work, received)


@subscribers.on(ReversePayment)
def reverse_payment(work: AccountUnit, received: ReceivedMessage[ReversePayment]) -> None:
    reversing.reverse_payment(work, received)


@subscribers.on(GrantCredit)
def grant_credit(work: AccountUnit, received: ReceivedMessage[GrantCredit]) -> None:
    crediting.grant_credit(work, received)


@subscribers.on(RefundOrder)
def refund_order(work: AccountUnit, received: ReceivedMessage[RefundOrder]) -> None:
    refunding.refund_order(work, received)


@subscribers.on(ConfirmRefundMark)
def confirm_refund_mark(work: AccountUnit, received: ReceivedMessage[ConfirmRefundMark]) -> None:
    refunding.confirm_mark(work, received)


@subscribers.on(SettleRefund)
def settle_refund(work: AccountUnit, received: ReceivedMessage[SettleRefund]) -> None:
    refund_verdicts.settle_refund(work, received)


@subscribers.on(ReassignPayment)
def reassign_payment(work: AccountUnit, received: ReceivedMessage[ReassignPayment]) -> None:
    reassigning.reassign_payment(work, received)
