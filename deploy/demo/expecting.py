"""Where an order of the demo must end, worked out from its story alone.

This is the second opinion: it follows the tables of states and payment statuses in the README, not the
services' code, so that a mistake there shows as a difference instead of being repeated here.
"""

from dataclasses import dataclass

from contracts.sale import LineKind, PaymentMethod
from deploy.demo.sales.sale import OnlineStory, Sale


@dataclass(frozen=True)
class End:
    """An order at rest. `mails` counts what customer and merchant get about it together."""

    state: str
    payment: str
    fulfilment: str
    mails: int

    def __str__(self) -> str:
        return f"{self.state}, {self.payment}, {self.fulfilment}"


def received_minor(sale: Sale) -> int:
    """What the customer has paid when the story is over."""
    online = sale.total_minor if sale.story.online is not OnlineStory.NEVER else 0
    return online + sum(receipt.amount_minor for receipt in sale.story.receipts)


def expected_end(sale: Sale) -> End:
    """The end of a sale that is placed."""
    balance = sale.total_minor - received_minor(sale)
    announced = sum(dispatch.notify_customer for dispatch in sale.story.dispatches)
    return End(_state(sale, balance), _payment(sale, balance), _fulfilment(sale), 2 + announced)


def _state(sale: Sale, balance: int) -> str:
    delivered = sum(line.quantity for line in sale.story.dispatched_lines(delivered_only=True))
    goods = sale.ordered(LineKind.SHIP)
    if (
        all(line.kind is LineKind.SHIP for line in sale.submission.lines)
        and delivered == goods
        and balance <= 0
    ):
        return "completed"
    if sale.story.dispatched_lines():
        return "processing"
    starts_unpaid = (
        sale.submission.payment is not None and sale.submission.payment.method is PaymentMethod.CASH
    )
    if balance <= 0 or starts_unpaid or sale.story.parcels:
        return "ready"
    return "awaiting_payment"


def _payment(sale: Sale, balance: int) -> str:
    if sale.story.refund is not None:
        return "refunded" if sale.story.refund.amount_minor == sale.total_minor else "partially_refunded"
    if balance < 0:
        return "overpaid"
    if balance == 0:
        return "paid"
    return "partially_paid" if received_minor(sale) > 0 else "unpaid"


def _fulfilment(sale: Sale) -> str:
    goods = sale.ordered(LineKind.SHIP)
    if not goods:
        return "not_required"
    stages = (
        ("delivered", sum(line.quantity for line in sale.story.dispatched_lines(delivered_only=True))),
        ("shipped", sum(line.quantity for line in sale.story.dispatched_lines())),
        ("packed", sum(line.quantity for parcel in sale.story.parcels for line in parcel)),
    )
    for stage, units in stages:
        if units:
            return stage if units == goods else f"partially_{stage}"
    return "unfulfilled"
