"""What payments hears, and the action each message starts."""

from contracts.orders import OrderDeleted, OrderEdited, OrderPlaced
from contracts.payments import RecordPayment
from services.chassis.subscribers import Delivery, Subscribers
from services.payments import changing, closing, opening, recording
from services.payments.book import AccountBook

subscribers = Subscribers("payments", AccountBook)


@subscribers.on(OrderPlaced)
def order_placed(book: AccountBook, delivery: Delivery[OrderPlaced]) -> None:
    opening.open_account(book, delivery)


@subscribers.on(OrderEdited)
def order_edited(book: AccountBook, delivery: Delivery[OrderEdited]) -> None:
    changing.change_due(book, delivery)


@subscribers.on(OrderDeleted)
def order_deleted(book: AccountBook, delivery: Delivery[OrderDeleted]) -> None:
    closing.close(book, delivery)


@subscribers.on(RecordPayment)
def record_payment(book: AccountBook, delivery: Delivery[RecordPayment]) -> None:
    recording.record_payment(book, delivery)
