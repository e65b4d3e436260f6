"""Conversion of Stripe's refunds to facts of our ledger. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.payments.accounts.facts import Irrelevant, Reading, RefundFacts
from services.payments.accounts.refund_matching import RANKS, ProviderRefund
from services.payments.accounts.remarks import Topic
from services.payments.providers.stripe import PROVIDER
from services.payments.providers.stripe.event import (
    REFUND_KEY,
    Event,
    ShapeUnexpected,
    amount_of,
    contradiction,
    order_named_in,
    payment_of,
    remarks_of,
    text,
    timestamp,
)
from services.payments.providers.stripe.money import currency_of, to_minor

UNCAPTURED_IS_NO_REFUND_SINCE = "2025-03-31"


def read_refund(event: Event) -> Reading:
    """Return the facts of a refund in its current state; a failed one must have a failed state."""
    facts = refund_facts(event.resource, event.created_at)
    state = facts.made[0].state
    if event.type == "refund.failed" and state not in ("failed", "canceled"):
        return contradiction(event, state)
    return facts


def read_charge_refunded(event: Event) -> Reading:
    """Return the facts of a refunded charge. Versions before 2022-11-15 list the charge's refunds inside. The
    others contain only their sum, by which none is posted; it is compared with the recorded refunds.
    """
    listed = event.resource.get("refunds")
    items = listed.get("data") if isinstance(listed, dict) else None
    if isinstance(items, list) and items and all(isinstance(item, dict) for item in items):
        found = [refund_facts(item, event.created_at) for item in items]
        return replace(
            found[0], made=tuple(provider_refund for facts in found for provider_refund in facts.made)
        )
    refunded = _refunded_sum(event) if event.resource.get("amount_refunded") else 0
    if refunded <= 0:
        return Irrelevant("refund_says_it")
    charge = text(event.resource, "id")
    return remarks_of(event, Topic.REFUNDED_SUM, charge, payment_of(event.resource), "", refunded)


def _refunded_sum(event: Event) -> int:
    """Return the refunded sum of a charge, in minor units. Versions before 2025-03-31 include what was never
    captured.
    """
    refunded = amount_of(event, "amount_refunded")
    is_old = event.api_version is not None and event.api_version[:10] < UNCAPTURED_IS_NO_REFUND_SINCE
    if is_old and event.resource.get("amount_captured") is not None:
        refunded -= amount_of(event, "amount") - amount_of(event, "amount_captured")
    return refunded


def refund_facts(resource: dict[str, Any], occurred_at: datetime) -> RefundFacts:
    """Return the facts of a refund, from an event or from the answer to our own call.

    Raises ShapeUnexpected, StripeAmountUnusable. The payment is the intent, or the charge that has none.
    """
    payment = payment_of(resource)
    currency = currency_of(resource.get("currency"))
    state = resource.get("status") or "succeeded"
    if state not in RANKS:
        raise ShapeUnexpected(f"status of a refund is {str(state)[:40]}")
    order_id, order_shop, is_bad = order_named_in(resource)
    why = resource.get("failure_reason")
    provider_refund = ProviderRefund(
        provider=PROVIDER,
        object_id=text(resource, "id"),
        payment=payment,
        amount_minor=to_minor(resource.get("amount"), currency),
        made_at=timestamp(resource, "created"),
        states=frozenset((state,)),
        refund_id=_refund_named_in(resource),
        is_duplicate=resource.get("reason") == "duplicate",
        detail=why[:500] if isinstance(why, str) else None,
    )
    return RefundFacts(
        PROVIDER,
        payment,
        currency,
        occurred_at,
        (provider_refund,),
        order_id,
        order_shop,
        names_order_badly=is_bad,
    )


def _refund_named_in(resource: dict[str, Any]) -> UUID | None:
    metadata = resource.get("metadata")
    named = metadata.get(REFUND_KEY) if isinstance(metadata, dict) else None
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None
