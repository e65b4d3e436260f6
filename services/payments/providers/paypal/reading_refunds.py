"""Conversion of PayPal's refunds and reversals to facts of our ledger. Pure.

A refund's `amount` is one entry; the total that its breakdown has beside it is never posted. A reversal has the
shape of a refund, and like one may be of a part. Both name their capture only in a link, or in version 1 in
`capture_id`. Source: PayPal's reference of Payments v2.
"""

from datetime import datetime
from typing import Any

from services.payments.accounts.facts import Parked, RefundFacts
from services.payments.accounts.refund_matching import ProviderRefund
from services.payments.providers.paypal import PROVIDER
from services.payments.providers.paypal.money import amount_of
from services.payments.providers.paypal.objects import (
    ShapeUnexpected,
    linked,
    named_in,
    refund_named_in,
    status_of,
    text,
    timestamp,
)
from services.payments.providers.port import ObjectNamed

_STATES = {"PENDING": "pending", "COMPLETED": "succeeded", "CANCELLED": "canceled", "FAILED": "failed"}
"""PayPal's states of a refund, in the words of `accounts/refunds.py`."""


def read_refund(resource: dict[str, Any], named: ObjectNamed) -> RefundFacts | Parked:
    """Return the facts of a refund or a reversal. Raises ShapeUnexpected, PaypalAmountUnusable."""
    facts = refund_facts(resource)
    state = facts.made[0].state
    if named.event_type == "PAYMENT.REFUND.FAILED" and state not in ("failed", "canceled"):
        detail = (
            f"{named.event_type}, but refund {named.object_id} is {status_of(resource)}; look at it in PayPal"
        )
        return Parked("state_contradicts_type", detail)
    return facts


def refund_facts(resource: dict[str, Any], answered_at: datetime | None = None) -> RefundFacts:
    """Return the facts of a refund in its current state. Raises ShapeUnexpected, PaypalAmountUnusable."""
    status = status_of(resource)
    if status not in _STATES:
        raise ShapeUnexpected(f"status of a refund is {status[:40]}")
    amount_minor, currency = amount_of(resource)
    payment = _capture_of(resource)
    made_at = (
        timestamp(resource, "create_time")
        if "create_time" in resource or answered_at is None
        else answered_at
    )
    changed_at = timestamp(resource, "update_time") if "update_time" in resource else made_at
    refund_id, wrote = refund_named_in(resource), named_in(resource)
    provider_refund = ProviderRefund(
        provider=PROVIDER,
        object_id=text(resource, "id"),
        payment=payment,
        amount_minor=amount_minor,
        made_at=made_at,
        states=frozenset((_STATES[status],)),
        refund_id=refund_id,
        detail=_why(resource),
    )
    is_ours = refund_id is not None
    return RefundFacts(
        provider=PROVIDER,
        object_id=payment,
        currency=currency,
        occurred_at=changed_at,
        made=(provider_refund,),
        order_id=None if is_ours else wrote.order_id,
        order_shop=None if is_ours else wrote.shop,
    )


def _capture_of(resource: dict[str, Any]) -> str:
    for field in ("capture_id", "sale_id"):
        if field in resource:
            return text(resource, field)
    found = linked(resource, "captures", "capture", "sale")
    if found is None:
        raise ShapeUnexpected("no link to the refunded capture")
    return found


def _why(resource: dict[str, Any]) -> str | None:
    details = resource.get("status_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return reason[:500] if isinstance(reason, str) else None
