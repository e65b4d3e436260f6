"""Stripe behind the port of providers: its endpoints, and which of its files does what."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import prometheus_client

from services.payments.accounts.facts import Reading, RefundFacts
from services.payments.providers.listing import ListedEvent, ListedMoney, ListedPayout
from services.payments.providers.port import (
    AnswerUnreadable,
    CredentialMissing,
    Delivery,
    EndpointMissing,
    LookedUp,
    ProviderRefused,
    RefundInstruction,
    SignatureRefused,
    by_slug,
)
from services.payments.providers.strict_json import JsonRefused, read_object
from services.payments.providers.stripe import PROVIDER, payment_details, reading, sending_refunds
from services.payments.providers.stripe.calling import StripeClient
from services.payments.providers.stripe.event import ShapeUnexpected, name_of
from services.payments.providers.stripe.listing import StripeLists
from services.payments.providers.stripe.money import StripeAmountUnusable
from services.payments.providers.stripe.needed import NEEDED
from services.payments.providers.stripe.reading_refunds import refund_facts
from services.payments.providers.stripe.settings import StripeEndpoint, StripeSettings
from services.payments.providers.stripe.signature import verify

SIGNATURE = "stripe-signature"
SIGNED_BY = prometheus_client.Counter(
    "comptoir_webhook_secret_used_total",
    "Webhooks by the signing secret that matched: 1 is the newest.",
    ["endpoint", "secret"],
)


class StripeProvider:
    """Stripe with the endpoints of the settings. Its signature covers the body, so facts are read from that."""

    name = PROVIDER
    title = "Stripe"
    setting = "COMPTOIR_STRIPE_ENDPOINTS"
    credential = "api_key"
    signature_headers = (SIGNATURE,)
    needed = NEEDED
    refunds_oldest_first = False
    reader = None

    def __init__(self, settings: StripeSettings) -> None:
        self._settings = settings
        self.endpoints: Mapping[str, StripeEndpoint] = by_slug(settings.stripe_endpoints, self.setting)
        self._keys = {
            one.shop: one.api_key.get_secret_value()
            for one in settings.stripe_endpoints
            if one.api_key is not None
        }

    @cached_property
    def client(self) -> StripeClient:
        """Return the connections to Stripe's API."""
        return StripeClient(self._settings.stripe_api_url, self._settings.stripe_timeout_seconds)

    def check_headers(self, slug: str, headers: Mapping[str, Sequence[str]]) -> None:
        """Require exactly one signature header."""
        if len(headers[SIGNATURE]) != 1:
            raise SignatureRefused("header_malformed")

    async def verify(self, slug: str, delivery: Delivery) -> None:
        """Verify the signature over the raw body with every secret of the endpoint."""
        secrets = [secret.get_secret_value() for secret in self.endpoints[slug].secrets]
        place = verify(delivery.headers[SIGNATURE][0], delivery.body, secrets, time.time())
        SIGNED_BY.labels(slug, str(place + 1)).inc()

    def name_of(self, body: bytes) -> tuple[str, str]:
        """Return the event's id and type."""
        return name_of(body)

    def read(self, slug: str, body: bytes) -> Reading:
        """Return the facts in the signed event."""
        endpoint = self.endpoints[slug]
        return reading.read(body, is_live=endpoint.livemode, account=endpoint.account)

    def payment_details(self, body: bytes) -> dict[str, Any]:
        """Return name, mail, description, references and metadata of the object in a webhook."""
        return payment_details.payment_details(body)

    def can_refund(self, shop: str) -> bool:
        """Return whether an endpoint of the shop has an API key."""
        return shop in self._keys

    async def refund(self, wish: RefundInstruction) -> bytes:
        """Request the refund."""
        return await sending_refunds.refund(self.client, self._keys[wish.shop], wish)

    async def find_refund(self, wish: RefundInstruction) -> LookedUp:
        """Look the refund up among those of its payment."""
        return await sending_refunds.find_refund(self.client, self._keys[wish.shop], wish)

    def refund_facts(self, answer: bytes, answered_at: datetime) -> RefundFacts:
        """Return the facts of Stripe's refund object."""
        try:
            return refund_facts(read_object(answer), answered_at)
        except (JsonRefused, ShapeUnexpected, StripeAmountUnusable) as unusable:
            raise AnswerUnreadable(str(unusable)) from unusable

    async def enabled_events(self, slug: str) -> frozenset[str]:
        """Return the events of the endpoint at Stripe whose address ends in the slug."""
        endpoint = self.endpoints[slug]
        if endpoint.api_key is None:
            raise CredentialMissing(f"endpoint {slug} has no {self.credential}; add one in {self.setting}")
        listed = await self.client.endpoints(endpoint.api_key.get_secret_value())
        ours = [one for one in listed if str(one.get("url", "")).endswith(f"/webhooks/{PROVIDER}/{slug}")]
        if not ours:
            raise EndpointMissing(
                f"Stripe has no webhook endpoint whose address ends in /webhooks/stripe/{slug}"
            )
        return frozenset(str(event) for one in ours for event in one.get("enabled_events") or ())

    def can_list(self, slug: str) -> bool:
        """Return whether the endpoint has an API key."""
        return self.endpoints[slug].api_key is not None

    def list_events(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedEvent]:
        """Yield the endpoint's events from Stripe's list."""
        return self._lists(slug).events(since, until)

    def list_money(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedMoney]:
        """Yield the account's balance transactions of payments, refunds and disputes."""
        return self._lists(slug).money(since, until)

    def list_payouts(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedPayout]:
        """Yield the account's payouts."""
        return self._lists(slug).payouts(since, until)

    def _lists(self, slug: str) -> StripeLists:
        endpoint = self.endpoints[slug]
        if endpoint.api_key is None:
            raise ProviderRefused(f"endpoint {slug} has no {self.credential} in {self.setting}; add one")
        return StripeLists(self.client, endpoint.api_key.get_secret_value(), endpoint.account)

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if "client" in self.__dict__:
            await self.client.close()
