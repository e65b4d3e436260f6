"""Builders for tests of payments: orders to be paid, commands, Stripe's events and a signer of our own.

The signer is written from Stripe's description, apart from the code under test.
"""

import hashlib
import hmac
import json
import time
from datetime import date
from typing import Any, TypeVar
from uuid import UUID, uuid4

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import RecordPayment
from contracts.payments.refunds import RefundMode, RefundOrder
from contracts.sale import LineKind, PaymentChoice, PaymentMethod
from services.payments.providers.stripe.settings import StripeEndpoint
from tests.builders.orders import SHOP, a_line, an_order

SLUG = "hook-of-the-tests"
SECRET = "whsec_of-the-tests-0001"
OLD_SECRET = "whsec_of-the-tests-0000"
STARTED = 1_795_000_000
"""When the payments of the tests were begun, in Unix seconds."""


M = TypeVar("M", bound=Message)


def endpoint(**changes: Any) -> StripeEndpoint:
    """The endpoint of the tests."""
    values = {"slug": SLUG, "shop": SHOP, "secrets": [SECRET, OLD_SECRET], "livemode": False}
    return StripeEndpoint.model_validate({**values, **changes})


def intent_id() -> str:
    """A payment intent nobody has used yet."""
    return f"pi_{uuid4().hex}"


def placed(
    total_minor: int = 5000,
    *,
    order_id: UUID | None = None,
    method: PaymentMethod = PaymentMethod.CARD,
    reference: str | None = None,
    currency: str = "EUR",
    shop: str = SHOP,
) -> OrderPlaced:
    """An order of one line."""
    return an_order(
        a_line(kind=LineKind.SERVICE, description="Cours de poterie", sku=None, unit_price_minor=total_minor),
        shop=shop,
        order_id=order_id or uuid7(),
        currency=currency,
        payment=PaymentChoice(
            method=method, provider="stripe" if reference else None, provider_reference=reference
        ),
    )


def record(order: OrderPlaced, amount_minor: int | None = None, **changes: Any) -> RecordPayment:
    """The command to record a cheque over the order's total."""
    values: dict[str, Any] = {
        "shop": order.shop,
        "order_id": order.order_id,
        "method": PaymentMethod.CHEQUE,
        "amount_minor": order.totals.total_minor if amount_minor is None else amount_minor,
        "currency": order.currency,
        "reference": "0001234",
        "received_on": date(2026, 11, 20),
        "actor": "marie",
    }
    return RecordPayment(**{**values, **changes})


def intent(intent: str, amount: int = 5000, currency: str = "eur", **fields: Any) -> dict[str, Any]:
    """A payment intent as Stripe shows it."""
    return {
        "id": intent,
        "object": "payment_intent",
        "created": STARTED,
        "amount": amount,
        "amount_received": 0,
        "amount_capturable": 0,
        "currency": currency,
        "metadata": {},
        "status": "processing",
        **fields,
    }


def event(type_: str, resource: dict[str, Any], at: int = 1, **fields: Any) -> dict[str, Any]:
    """An event about it, `at` seconds after the payment was begun."""
    return {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": type_,
        "created": STARTED + at,
        "livemode": False,
        "api_version": "2026-09-30",
        "data": {"object": resource},
        **fields,
    }


def succeeded(
    intent_: str, amount: int = 5000, currency: str = "eur", at: int = 9, **fields: Any
) -> dict[str, Any]:
    """The event that brings the money."""
    resource = intent(intent_, amount, currency, amount_received=amount, status="succeeded", **fields)
    return event("payment_intent.succeeded", resource, at)


def capturable(intent_: str, amount: int = 5000, at: int = 1, **fields: Any) -> dict[str, Any]:
    """The event about an authorisation, or about a part of it that was captured."""
    resource = intent(intent_, amount, **{"status": "requires_capture", **fields})
    return event("payment_intent.amount_capturable_updated", resource, at)


def charge(charge_: str, intent_: str | None, amount: int = 5000, **fields: Any) -> dict[str, Any]:
    """A charge that was paid, as Stripe shows it."""
    return {
        "id": charge_,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "captured": True,
        "created": STARTED,
        "currency": "eur",
        "metadata": {},
        "paid": True,
        "payment_intent": intent_,
        "status": "succeeded",
        **fields,
    }


def session(session_: str, intent_: str | None, amount: int = 5000, **fields: Any) -> dict[str, Any]:
    """A checkout session that was paid, as Stripe shows it."""
    return {
        "id": session_,
        "object": "checkout.session",
        "amount_total": amount,
        "client_reference_id": None,
        "created": STARTED,
        "currency": "eur",
        "metadata": {},
        "mode": "payment",
        "payment_intent": intent_,
        "payment_status": "paid",
        "status": "complete",
        **fields,
    }


def dispute(dispute_: str, intent_: str, status: str, amount: int = 5000, **fields: Any) -> dict[str, Any]:
    """A dispute as Stripe shows it."""
    return {
        "id": dispute_,
        "object": "dispute",
        "amount": amount,
        "charge": f"ch_{intent_[3:]}",
        "created": STARTED + 200,
        "currency": "eur",
        "metadata": {},
        "payment_intent": intent_,
        "reason": "fraudulent",
        "status": status,
        **fields,
    }


def names(order: OrderPlaced) -> dict[str, Any]:
    """Metadata by which a storefront names the order."""
    return {"metadata": {"comptoir_order_id": str(order.order_id), "comptoir_shop": order.shop}}


def as_body(event_: dict[str, Any]) -> bytes:
    """As Stripe writes it: pretty-printed."""
    return json.dumps(event_, indent=2).encode()


def signature(body: bytes, secret: str = SECRET, at: float | None = None) -> str:
    """Stripe-Signature over a body."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def of_kind(messages: list[tuple[Any, Message]], kind: type[M]) -> list[M]:
    """The messages of one class among what was emitted."""
    return [message for _, message in messages if isinstance(message, kind)]


def refund(
    refund_: str, intent_: str, amount: int, status: str = "succeeded", **fields: Any
) -> dict[str, Any]:
    """A refund as Stripe shows it."""
    return {
        "id": refund_,
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{intent_[3:]}",
        "created": STARTED + 100,
        "currency": "eur",
        "metadata": {},
        "payment_intent": intent_,
        "reason": None,
        "status": status,
        **fields,
    }


def refund_order(order: OrderPlaced, amount_minor: int, **changes: Any) -> RefundOrder:
    """The command to record a refund."""
    values: dict[str, Any] = {
        "shop": order.shop,
        "order_id": order.order_id,
        "refund_id": uuid7(),
        "mode": RefundMode.RECORDED,
        "amount_minor": amount_minor,
        "currency": order.currency,
        "actor": "marie",
    }
    return RefundOrder(**{**values, **changes})
