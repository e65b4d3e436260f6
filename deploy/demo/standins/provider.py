"""A stand-in for Stripe: signs payment events as Stripe does and posts them to the payments service.

It has a signer of its own, written from Stripe's description and not from the service's, so that the two
check each other. The journal holds every post with the answer it got.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

from deploy.demo.sales.sale import Sale
from deploy.demo.standins.delivering import GOOD, Conduct, Courier, Event, Journal, Trick

API_VERSION = "2025-10-29.clover"
OLD_SECONDS = 3600
LOST_SECONDS = 1200
"""The age of a lost report: one of the last minutes could still be on its way."""


class Provider:
    """Posts to one webhook endpoint with its secret (`whsec_…`). `happened` is called with every genuine event."""

    def __init__(
        self,
        webhook_url: str,
        secret: str,
        journal: Journal,
        chance: Random,
        conduct: Conduct = GOOD,
        happened: Callable[[bytes], object] | None = None,
    ) -> None:
        self.journal = journal
        self._secret = secret
        self._chance = chance
        self._happened = happened
        self.courier = Courier(webhook_url, self._sign, self._forge, journal, chance, conduct)

    async def close(self) -> None:
        """Close the connections."""
        await self.courier.close()

    async def report_payment(self, sale: Sale, times: int = 1) -> None:
        """Post that a sale's payment succeeded, `times` over as one event, each until it is taken."""
        body = payment_succeeded(sale, self._chance)
        for _ in range(times):
            await self.deliver(body, sale.provider_reference)

    def lose_payment(self, sale: Sale) -> None:
        """Let a sale be paid some minutes ago, with a report that is never posted."""
        body = payment_succeeded(sale, self._chance, int(time.time()) - LOST_SECONDS)
        self.courier.lose_next += 1
        self.send(body, sale.provider_reference)

    async def deliver(self, body: bytes, intent: str) -> None:
        """Post an event until a 2xx, with growing pauses; gives up after eight attempts."""
        self._note(body)
        await self.courier.deliver(event_of(body, intent))

    def send(self, body: bytes, intent: str) -> None:
        """Deliver an event in the background, as the conduct has it."""
        self._note(body)
        self.courier.send(event_of(body, intent))

    async def trick(self, sale: Sale, trick: Trick) -> int | None:
        """Post something that must be turned away, once; the status it got."""
        event = event_of(payment_succeeded(sale, self._chance), sale.provider_reference)
        return await self.courier.trick(event, trick)

    def _note(self, body: bytes) -> None:
        if self._happened is not None:
            self._happened(body)

    def _sign(self, body: bytes) -> dict[str, str]:
        return _headers(sign(body, self._secret, int(time.time())))

    def _forge(self, body: bytes, trick: Trick) -> tuple[bytes, dict[str, str]]:
        now = int(time.time())
        if trick is Trick.FORGED:
            return body, _headers(sign(body, "whsec_" + "0" * 32, now))
        if trick is Trick.OLD:
            return body, _headers(sign(body, self._secret, now - OLD_SECONDS))
        changed = body.replace(b'"amount_received": ', b'"amount_received": 9')
        changed = changed.replace(b'"livemode": false', b'"livemode": true')
        return changed, _headers(sign(body, self._secret, now))


def event_of(body: bytes, intent: str) -> Event:
    """Return the event in a body, with the payment that it is about."""
    return Event(str(json.loads(body)["id"]), body, intent)


def _headers(signature: str) -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}


def sign(body: bytes, secret: str, stamp: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `stamp.body`, keyed by the secret's text."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def payment_succeeded(sale: Sale, chance: Random, created: int | None = None) -> bytes:
    """A `payment_intent.succeeded` event of now or of a time, pretty-printed as Stripe sends it."""
    intent, total = sale.provider_reference, sale.total_minor
    created = created or int(time.time())
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
