"""Customers' requests to cancel, from their order's page: staff decide; the order is flagged until then.

Invariant: an order has at most one open request, and the outcome of each is one entry of its activity under the
request's id; so a repeat changes nothing. The rule is applied to the order as it is when the request is received:
one that comes after the first parcel was packed is recorded as too late.
"""

from contracts.notifier.page import CancellationRequested
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.cancellation import REQUESTED, TOO_LATE, refused
from services.orders.order.unit.unit import OrderUnit

CUSTOMER = "customer"
"""Actor of customers' actions on their page."""


def note_cancellation_request(work: OrderUnit, received: ReceivedMessage[CancellationRequested]) -> None:
    """Flag the order, or record that the request came too late. Raises Wait for an unknown order.

    Idempotent: a repeat finds the request open or answered, and leaves the activity unchanged.
    """
    request, cause = received.message, received.envelope
    order = work.find(request.shop, request.order_id)
    if order.cancellation_requested_at is not None:
        return
    data = {"customer_comment": request.comment} if request.comment else {}
    if (reason := refused(order.state, order.units)) is not None:
        late = {**data, "reason": reason.value}
        work.note(order.shop, order.id, TOO_LATE, request.request_id, CUSTOMER, cause, late)
        return
    order.cancellation_requested_at = request.requested_at
    work.note(order.shop, order.id, REQUESTED, request.request_id, CUSTOMER, cause, data)
    work.changed(order, cause, CUSTOMER)
