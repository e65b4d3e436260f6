"""A stand-in for Stripe: signs payment events as Stripe does and posts them to the payments service.

It has a signer of its own, written from Stripe's description and not from the service's, so that the two
check each other. The journal holds every post with the answer it got.
"""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

import httpx2

from deploy.demo.sales.sale import Sale

API_VERSION = "2025-10-29.clover"
ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.2
OLD_SECONDS = 3600


class Trick(StrEnum):
    """What is wrong with a post that the service must turn away."""

    NOTHING = "nothing"
    FORGED = "forged"
    """Signed with another secret."""
    CHANGED = "changed"
    """The amount was changed after signing."""
    OLD = "old"
    """A genuine signature of an hour ago, replayed."""


@dataclass(frozen=True)
class Post:
    """One attempt to deliver one event and the status it got (None: no answer)."""

    event_id: str
    intent: str
    trick: Trick
    attempt: int
    status: int | None
    at: str


@dataclass
class Journal:
    """What was posted, appended to a file as JSON lines."""

    path: Path
    posts: list[Post] = field(default_factory=list)

    def add(self, post: Post) -> None:
        self.posts.append(post)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(post.__dict__) + "\n")

    def accepted(self) -> list[Post]:
        """Posts that were answered 2xx: the service has promised to keep them."""
        return [post for post in self.posts if post.status is not None and 200 <= post.status < 300]

    def turned_away(self) -> list[Post]:
        """Posts that were refused for good."""
        return [post for post in self.posts if post.status is not None and 400 <= post.status < 500]


class Provider:
    """Posts to one webhook endpoint with its secret (`whsec_…`)."""

    def __init__(self, webhook_url: str, secret: str, journal: Journal, chance: Random) -> None:
        self.webhook_url = webhook_url
        self.journal = journal
        self._secret = secret
        self._chance = chance
        self._http = httpx2.AsyncClient(timeout=10, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def report_payment(self, sale: Sale, times: int = 1) -> None:
        """Post that a sale's payment succeeded, `times` over as one event, each until it is taken."""
        body = payment_succeeded(sale, self._chance)
        for _ in range(times):
            await self.deliver(body, intent_of(sale))

    async def deliver(self, body: bytes, intent: str) -> None:
        """Post an event until a 2xx, with growing pauses and a fresh signature each; gives up after eight
        attempts.
        """
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            status = await self._post(
                body, sign(body, self._secret, int(time.time())), intent, Trick.NOTHING, attempt
            )
            if status is not None and 200 <= status < 300:
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def trick(self, sale: Sale, trick: Trick) -> int | None:
        """Post something that must be turned away, once; the status it got."""
        body = payment_succeeded(sale, self._chance)
        now = int(time.time())
        if trick is Trick.FORGED:
            header = sign(body, "whsec_" + "0" * 32, now)
        elif trick is Trick.OLD:
            header = sign(body, self._secret, now - OLD_SECONDS)
        else:
            header = sign(body, self._secret, now)
            body = body.replace(b'"amount_received": ', b'"amount_received": 9')
        return await self._post(body, header, intent_of(sale), trick, 1)

    async def _post(self, body: bytes, signature: str, intent: str, trick: Trick, attempt: int) -> int | None:
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        try:
            answer = await self._http.post(self.webhook_url, content=body, headers=headers)
            status: int | None = answer.status_code
        except httpx2.HTTPError:
            status = None
        event_id = json.loads(body)["id"]
        self.journal.add(Post(event_id, intent, trick, attempt, status, datetime.now(UTC).isoformat()))
        return status


def sign(body: bytes, secret: str, stamp: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `stamp.body`, keyed by the secret's text."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def intent_of(sale: Sale) -> str:
    """The payment intent that the storefront began for the sale."""
    payment = sale.submission.payment
    if payment is None or payment.provider_reference is None:
        raise ValueError(f"sale {sale.event_id} was not paid by card; only those have a payment intent")
    return payment.provider_reference


def payment_succeeded(sale: Sale, chance: Random) -> bytes:
    """A `payment_intent.succeeded` event, pretty-printed as Stripe sends it."""
    intent, total = intent_of(sale), sale.total_minor
    created = int(time.time())
    event: dict[str, Any] = {
        "id": f"evt_{chance.getrandbits(96):024x}",
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {
            "object": {
                "id": intent,
                "object": "payment_intent",
                "amount": total,
                "amount_capturable": 0,
                "amount_details": {"tip": {}},
                "amount_received": total,
                "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
                "capture_method": "automatic_async",
                "client_secret": f"{intent}_secret_{chance.getrandbits(64):016x}",
                "confirmation_method": "automatic",
                "created": created - chance.randint(5, 60),
                "currency": sale.submission.currency.lower(),
                "customer": None,
                "description": None,
                "last_payment_error": None,
                "latest_charge": f"ch_{chance.getrandbits(96):024x}",
                "livemode": False,
                "metadata": {},
                "next_action": None,
                "payment_method": f"pm_{chance.getrandbits(96):024x}",
                "payment_method_types": ["card"],
                "receipt_email": sale.submission.customer.email,
                "status": "succeeded",
            }
        },
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": f"req_{chance.getrandbits(56):014x}", "idempotency_key": None},
        "type": "payment_intent.succeeded",
    }
    return json.dumps(event, indent=2).encode()
