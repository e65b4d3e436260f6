"""Conversion of PayPal's disputes to facts of our ledger. Pure.

A dispute has no money of its own here: what a lost one takes is a reversal of its capture, which PayPal reports
as an event of its own, and would count twice. Source: PayPal's reference of Disputes v1.
"""

from datetime import datetime
from typing import Any

from contracts.payments.disputes import DisputeState
from services.payments.accounts.disputes import AWAITING, Report
from services.payments.accounts.facts import RefundFacts
from services.payments.providers.paypal import PROVIDER
from services.payments.providers.paypal.money import amount_of
from services.payments.providers.paypal.objects import ShapeUnexpected, named_in, status_of, text, timestamp
from services.payments.providers.port import ObjectNamed

_WON = frozenset(("RESOLVED_SELLER_FAVOUR", "CANCELED_BY_BUYER", "DENIED", "NONE"))


def read_dispute(resource: dict[str, Any], named: ObjectNamed) -> RefundFacts:
    """Return the facts of a dispute in its current state: its money is reported by reversals and transaction
    reports. Raises ShapeUnexpected, PaypalAmountUnusable.
    """
    disputed = resource.get("disputed_transactions")
    first = disputed[0] if isinstance(disputed, list) and disputed else None
    if not isinstance(first, dict):
        raise ShapeUnexpected("disputed_transactions is missing")
    payment, wrote = text(first, "seller_transaction_id"), named_in(first)
    amount_minor, currency = amount_of(resource, "dispute_amount")
    changed_at = timestamp(resource, "update_time" if "update_time" in resource else "create_time")
    state = dispute_state(resource)
    report = Report(
        provider=PROVIDER,
        object_id=text(resource, "dispute_id"),
        payment=payment,
        state=state,
        amount_minor=amount_minor,
        occurred_at=changed_at,
        reason=str(resource.get("reason") or "")[:100],
        due_at=_deadline(resource, state),
    )
    return RefundFacts(
        PROVIDER, payment, currency, changed_at, (), wrote.order_id, wrote.shop, reports=(report,)
    )


def _deadline(resource: dict[str, Any], state: DisputeState) -> datetime | None:
    """Return until when PayPal waits for the seller."""
    if state not in AWAITING or resource.get("seller_response_due_date") is None:
        return None
    return timestamp(resource, "seller_response_due_date")


def dispute_state(resource: dict[str, Any]) -> DisputeState:
    """Return the state of a dispute. Raises ShapeUnexpected.

    In PayPal's stage of an inquiry the buyer has asked and no money has moved.
    """
    status, is_inquiry = status_of(resource), resource.get("dispute_life_cycle_stage") == "INQUIRY"
    if status == "RESOLVED":
        return _end(resource, is_inquiry=is_inquiry)
    if is_inquiry:
        return DisputeState.INQUIRY
    if status in ("UNDER_REVIEW", "WAITING_FOR_BUYER_RESPONSE"):
        return DisputeState.UNDER_REVIEW
    return DisputeState.NEEDS_RESPONSE


def _end(resource: dict[str, Any], *, is_inquiry: bool) -> DisputeState:
    outcome = resource.get("dispute_outcome")
    code = outcome.get("outcome_code") if isinstance(outcome, dict) else None
    if code in _WON:
        return DisputeState.CLOSED if is_inquiry else DisputeState.WON
    return DisputeState.LOST
