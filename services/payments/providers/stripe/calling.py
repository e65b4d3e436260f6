"""Calls to Stripe: request a refund, and look it up when it is uncertain whether it was made.

The refund's id is sent as idempotency key and in the metadata, so requesting twice makes one refund and its
webhook names ours. Source: Stripe's API reference (refunds, idempotent requests, errors). After time-outs and
5xx the outcome is uncertain; every other rejection is final and comes with Stripe's message.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from services.payments.providers.strict_json import JsonRefused, read_object
from services.payments.providers.stripe.money import from_minor
from services.payments.providers.stripe.objects import ORDER_KEY, REFUND_KEY, SHOP_KEY

API_VERSION = "2025-03-31.basil"
PASSING = frozenset((408, 409, 425, 429))
"""Statuses that leave the refund's outcome open: an identical request in progress, too many requests."""
MOST_LISTED = 100


class StripeUnavailable(Exception):
    """No answer that settles whether the call had an effect; the same call may be repeated."""


class StripeRefused(Exception):
    """A final rejection by Stripe; the message is Stripe's own."""


@dataclass(frozen=True, slots=True)
class RefundInstruction:
    """A refund to be made: `payment` is an intent (pi_…) or a charge, the amount in ISO 4217 minor units."""

    refund_id: UUID
    shop: str
    order_id: UUID
    payment: str
    amount_minor: int
    currency: str
    is_duplicate: bool

    @property
    def payment_field(self) -> str:
        return "charge" if self.payment.startswith("ch_") else "payment_intent"


class StripeClient:
    """One connection pool to Stripe's API."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout_seconds, trust_env=False)

    async def close(self) -> None:
        """Close the pool."""
        await self._http.aclose()

    async def refund(self, key: str, wish: RefundInstruction) -> dict[str, Any]:
        """Request the refund and return Stripe's refund object. Raises StripeUnavailable, StripeRefused."""
        form = {
            wish.payment_field: wish.payment,
            "amount": str(from_minor(wish.amount_minor, wish.currency)),
            "reason": "duplicate" if wish.is_duplicate else "requested_by_customer",
            f"metadata[{REFUND_KEY}]": str(wish.refund_id),
            f"metadata[{ORDER_KEY}]": str(wish.order_id),
            f"metadata[{SHOP_KEY}]": wish.shop,
        }
        return await self._call("POST", key, data=form, headers={"Idempotency-Key": str(wish.refund_id)})

    async def find_refund(self, key: str, wish: RefundInstruction) -> dict[str, Any] | None:
        """Return the refund with our id, if Stripe has one of it. Raises StripeUnavailable, StripeRefused."""
        query = {wish.payment_field: wish.payment, "limit": str(MOST_LISTED)}
        while True:
            page = await self._call("GET", key, params=query)
            listed = [item for item in _list_of(page) if isinstance(item, dict)]
            for item in listed:
                metadata = item.get("metadata")
                if isinstance(metadata, dict) and metadata.get(REFUND_KEY) == str(wish.refund_id):
                    return dict(item)
            last = listed[-1].get("id") if listed else None
            if page.get("has_more") is not True or not isinstance(last, str):
                return None
            query["starting_after"] = last

    async def _call(self, method: str, key: str, **more: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {key}", "Stripe-Version": API_VERSION, **more.pop("headers", {})}
        try:
            answer = await self._http.request(method, "/v1/refunds", headers=headers, **more)
            body = read_object(answer.content) if answer.content else {}
        except httpx2.HTTPError as error:
            raise StripeUnavailable(f"{type(error).__name__} from Stripe's API") from error
        except JsonRefused as refused:
            raise StripeUnavailable(
                f"Stripe's API answered {answer.status_code} with no JSON: {refused}"
            ) from refused
        if answer.is_success:
            return body
        words = _words(body) or f"status {answer.status_code}"
        if answer.status_code >= 500 or answer.status_code in PASSING or answer.status_code < 400:
            raise StripeUnavailable(words)
        raise StripeRefused(words)


def _list_of(page: dict[str, Any]) -> list[Any]:
    """Return the items of a page. Raises StripeUnavailable for anything but a list, which does not prove that
    there are none.
    """
    listed = page.get("data")
    if not isinstance(listed, list):
        raise StripeUnavailable("Stripe's API answered a list of refunds without its data")
    return listed


def _words(body: dict[str, Any]) -> str:
    error = body.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message[:500] if isinstance(message, str) else json.dumps(body)[:200] if body else ""
