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
from services.chassis.messaging.subscribers import Delivery, Subscribers
from services.payments.accounts.unit.unit import AccountBook
from services.payments.due import changing, closing, opening
from services.payments.due.resyncing import TO_ORDERS
from services.payments.manual import reassigning, recording, reversing
from services.payments.refunds import crediting, refunding
from services.payments.refunds import verdicts as refund_verdicts

subscribers = Subscribers("payments", AccountBook)
subscribers.tells("orders", TO_ORDERS)


@subscribers.on(OrderPlaced)
def order_placed(book: AccountBook, delivery: Delivery[OrderPlaced]) -> None:
    opening.open_account(book, delivery)


@subscribers.on(PaymentReferenced)
def payment_referenced(book: AccountBook, delivery: Delivery[PaymentReferenced]) -> None:
    opening.link_payment(book, delivery)


@subscribers.on(OrderEdited)
def order_edited(book: AccountBook, delivery: Delivery[OrderEdited]) -> None:
    changing.change_due(book, delivery)


@subscribers.on(OrderDeleted)
def order_deleted(book: AccountBook, delivery: Delivery[OrderDeleted]) -> None:
    closing.close(book, delivery)


@subscribers.on(RecordPayment)
def record_payment(book: AccountBook, delivery: Delivery[RecordPayment]) -> None:
    recording.record_payment(book, delivery)


@subscribers.on(ReversePayment)
def reverse_payment(book: AccountBook, delivery: Delivery[ReversePayment]) -> None:
    reversing.reverse_payment(book, delivery)


@subscribers.on(GrantCredit)
def grant_credit(book: AccountBook, delivery: Delivery[GrantCredit]) -> None:
    crediting.grant_credit(book, delivery)


@subscribers.on(RefundOrder)
def refund_order(book: AccountBook, delivery: Delivery[RefundOrder]) -> None:
    refunding.refund_order(book, delivery)


@subscribers.on(ConfirmRefundMark)
def confirm_refund_mark(book: AccountBook, delivery: Delivery[ConfirmRefundMark]) -> None:
    refunding.confirm_mark(book, delivery)


@subscribers.on(SettleRefund)
def settle_refund(book: AccountBook, delivery: Delivery[SettleRefund]) -> None:
    refund_verdicts.settle_refund(book, delivery)


@subscribers.on(ReassignPayment)
def reassign_payment(book: AccountBook, delivery: Delivery[ReassignPayment]) -> None:
    reassigning.reassign_payment(book, delivery)
