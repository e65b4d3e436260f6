"""Refunds requested from Stripe: per payment, always with the amount, under our refund's id.

The id is sent as idempotency key, which Stripe deletes after a day, and in the metadata, by which the refund is
found among those of its payment and its webhook names ours. Source: Stripe's API reference (refunds, idempotent
requests).
"""

import json
from typing import Any

from services.payments.providers.port import (
    LookedUp,
    ProviderRefused,
    RefundAbsent,
    RefundFound,
    RefundInstruction,
)
from services.payments.providers.stripe.calling import StripeClient
from services.payments.providers.stripe.event import ORDER_KEY, REFUND_KEY, SHOP_KEY
from services.payments.providers.stripe.money import StripeAmountUnusable, from_minor


async def refund(client: StripeClient, key: str, wish: RefundInstruction) -> bytes:
    """Request the refund and return Stripe's refund object. Raises ProviderUnavailable, ProviderRefused."""
    try:
        amount = from_minor(wish.amount_minor, wish.currency)
    except (StripeAmountUnusable, KeyError) as unusable:
        raise ProviderRefused(f"the amount can't be sent to Stripe: {unusable}") from unusable
    form = {
        _payment_field(wish.payment): wish.payment,
        "amount": str(amount),
        "reason": "duplicate" if wish.is_duplicate else "requested_by_customer",
        f"metadata[{REFUND_KEY}]": str(wish.refund_id),
        f"metadata[{ORDER_KEY}]": str(wish.order_id),
        f"metadata[{SHOP_KEY}]": wish.shop,
    }
    created = await client.post("/v1/refunds", key, form, {"Idempotency-Key": str(wish.refund_id)})
    return json.dumps(created).encode()


async def find_refund(client: StripeClient, key: str, wish: RefundInstruction) -> LookedUp:
    """Look for the refund with our id among those of its payment. Raises ProviderUnavailable, ProviderRefused."""
    query = {_payment_field(wish.payment): wish.payment}
    async for item in client.list_all("/v1/refunds", key, query):
        if _names(item, wish):
            return RefundFound(json.dumps(item).encode())
    return RefundAbsent()


def _names(item: dict[str, Any], wish: RefundInstruction) -> bool:
    metadata = item.get("metadata")
    return isinstance(metadata, dict) and metadata.get(REFUND_KEY) == str(wish.refund_id)


def _payment_field(payment: str) -> str:
    """Return the field of Stripe's that names the payment: an intent (pi_…) or a charge."""
    return "charge" if payment.startswith("ch_") else "payment_intent"
