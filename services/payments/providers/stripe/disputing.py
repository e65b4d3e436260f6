"""Conversion of Stripe's disputes to facts of our ledger. Pure.

Source: Stripe's API reference, the dispute object. Each event about a dispute contains it whole: its state, the
deadline for evidence, and every balance transaction by which money was withdrawn or reinstated, with its fee. A
SEPA return is a dispute that is lost when it is created.
"""

from datetime import datetime
from typing import Any

from contracts.payments.disputes import DisputeState
from services.payments.accounts.disputes import AWAITING, Direction, Movement, Report
from services.payments.accounts.facts import Reading, RefundFacts
from services.payments.providers.stripe import PROVIDER
from services.payments.providers.stripe.event import (
    Event,
    ShapeUnexpected,
    amount_of,
    order_named_in,
    payment_of,
    text,
    timestamp,
)
from services.payments.providers.stripe.money import currency_of, to_minor

STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
    "charge_refunded": DisputeState.CLOSED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
_ANSWERED = frozenset(("warning_under_review",))
"""Statuses of an open inquiry for which Stripe waits no longer."""


def read_dispute(event: Event) -> Reading:
    """Return the facts of a dispute or an inquiry. Raises ShapeUnexpected, StripeAmountUnusable."""
    resource = event.resource
    amount = amount_of(event, "amount")
    status = text(resource, "status")
    state = STATES.get(status, DisputeState.NEEDS_RESPONSE)  # one that Stripe adds: staff look at it
    currency = currency_of(resource.get("currency"))
    order_id, order_shop, is_bad = order_named_in(resource)
    report = Report(
        provider=PROVIDER,
        object_id=text(resource, "id"),
        payment=payment_of(resource),
        state=state,
        amount_minor=amount,
        occurred_at=event.created_at,
        reason=str(resource.get("reason") or "")[:100],
        due_at=None if status in _ANSWERED else _deadline(resource, state),
    )
    return RefundFacts(
        PROVIDER,
        report.payment,
        currency,
        event.created_at,
        (),
        order_id,
        order_shop,
        reports=(report,),
        movements=tuple(_movements(resource, report, currency)),
        names_order_badly=is_bad,
    )


def _deadline(resource: dict[str, Any], state: DisputeState) -> datetime | None:
    details = resource.get("evidence_details")
    if state not in AWAITING or not isinstance(details, dict) or details.get("due_by") is None:
        return None
    return timestamp(details, "due_by")


def _movements(resource: dict[str, Any], report: Report, currency: str) -> list[Movement]:
    listed = resource.get("balance_transactions") or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ShapeUnexpected("balance_transactions of a dispute is not a list of objects")
    return [_movement(one, report, currency) for one in listed if one.get("amount")]


def _movement(resource: dict[str, Any], report: Report, currency: str) -> Movement:
    """Return a balance transaction. One that settles in another currency than the charge moves the whole amount:
    what it is in the charge's currency is not stated.
    """
    settled = currency_of(resource.get("currency"))
    amount, fee = _whole(resource, "amount"), _whole(resource, "fee")
    return Movement(
        provider=PROVIDER,
        object_id=text(resource, "id"),
        dispute=report.object_id,
        payment=report.payment,
        direction=Direction.WITHDRAWN if amount < 0 else Direction.REINSTATED,
        amount_minor=to_minor(abs(amount), settled) if settled == currency else report.amount_minor,
        fee_minor=to_minor(abs(fee), settled) * (1 if fee >= 0 else -1),
        fee_currency=settled,
        occurred_at=timestamp(resource, "created"),
    )


def _whole(resource: dict[str, Any], field: str) -> int:
    value = resource.get(field, 0)
    if type(value) is not int:
        raise ShapeUnexpected(f"{field} of a balance transaction is not a whole number")
    return value
