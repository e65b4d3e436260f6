"""Refunds requested from PayPal: per capture, always with the amount, under our refund's id.

The id is sent as `PayPal-Request-Id`, by which PayPal repeats its answer for 45 days (201 first, 200 later), and
in `custom_id`. PayPal lists no refunds of a capture, but an order shows those of its captures. Source: PayPal's
reference of Payments v2, "Idempotency".
"""

import json
from datetime import datetime, timedelta
from typing import Any

from services.payments.providers.paypal.calling import PaypalClient
from services.payments.providers.paypal.money import PaypalAmountUnusable, from_minor
from services.payments.providers.paypal.objects import REFUND_PREFIX, refund_named_in, related
from services.payments.providers.port import (
    LookedUp,
    ObjectMissing,
    ProviderRefused,
    RefundAbsent,
    RefundFound,
    RefundInstruction,
    RefundRepeatable,
)
from services.payments.providers.strict_json import read_object

KEY_KEPT = timedelta(days=44)
"""How long the same request certainly is the same refund; PayPal keeps its key for 45 days."""


async def refund(client: PaypalClient, wish: RefundInstruction) -> bytes:
    """Request the refund and return PayPal's refund object. Raises ProviderUnavailable, ProviderRefused."""
    try:
        amount = from_minor(wish.amount_minor, wish.currency)
    except PaypalAmountUnusable as unusable:
        raise ProviderRefused(f"the amount can't be sent to PayPal: {unusable}") from unusable
    content = {"amount": amount, "custom_id": f"{REFUND_PREFIX}{wish.refund_id}"}
    headers = {"PayPal-Request-Id": str(wish.refund_id), "Prefer": "return=representation"}
    path = ("v2", "payments", "captures", wish.payment, "refund")
    try:
        return await client.post(*path, content=json.dumps(content).encode(), headers=headers)
    except ObjectMissing as missing:
        raise ProviderRefused(f"PayPal does not know capture {wish.payment}: {missing}") from missing


async def find_refund(client: PaypalClient, wish: RefundInstruction, now: datetime) -> LookedUp:
    """Look for the refund with our id in its order.

    Raises ProviderUnavailable, and ProviderRefused if PayPal shows no order and its key may be gone.
    """
    is_key_kept = wish.asked_at is not None and now - wish.asked_at < KEY_KEPT
    try:
        capture = read_object(await client.get("v2", "payments", "captures", wish.payment))
        order_id = related(capture, "order_id")
        order = read_object(await client.get("v2", "checkout", "orders", order_id)) if order_id else None
    except ObjectMissing:
        order = None
    if order is None:
        if is_key_kept:
            return RefundRepeatable()
        raise ProviderRefused(f"PayPal shows no order of capture {wish.payment}, in which its refunds are")
    found = [one for one in _refunds_in(order) if refund_named_in(one) == wish.refund_id]
    return RefundFound(json.dumps(found[0], default=str).encode()) if found else RefundAbsent()


def _refunds_in(order: dict[str, Any]) -> list[dict[str, Any]]:
    units = [unit for unit in order.get("purchase_units") or () if isinstance(unit, dict)]
    payments = [unit["payments"] for unit in units if isinstance(unit.get("payments"), dict)]
    return [one for inside in payments for one in inside.get("refunds") or () if isinstance(one, dict)]
