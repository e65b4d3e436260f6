"""PayPal behind the port of providers: its endpoints, and which of its files does what."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import certifi
from cryptography import x509

from services.payments.accounts.facts import Reading, RefundFacts
from services.payments.providers.listing import ListedEvent, ListedMoney, ListedPayout
from services.payments.providers.paypal import (
    PROVIDER,
    TITLE,
    event,
    payment_details,
    reading,
    sending_refunds,
)
from services.payments.providers.paypal.calling import Credentials, PaypalClient
from services.payments.providers.paypal.listing import PaypalLists, no_payouts
from services.payments.providers.paypal.money import PaypalAmountUnusable
from services.payments.providers.paypal.needed import NEEDED
from services.payments.providers.paypal.objects import ShapeUnexpected
from services.payments.providers.paypal.reading_refunds import refund_facts
from services.payments.providers.paypal.settings import PaypalEndpoint, PaypalSettings
from services.payments.providers.paypal.signature.certificates import Clock
from services.payments.providers.paypal.signature.transmission import HEADERS, read_headers
from services.payments.providers.paypal.signature.verifying import CertificateServer, Verifier
from services.payments.providers.port import (
    AnswerUnreadable,
    Delivery,
    EndpointMissing,
    LookedUp,
    ObjectMissing,
    ObjectNamed,
    ProviderUnavailable,
    RefundInstruction,
    VerificationUnavailable,
    by_slug,
)
from services.payments.providers.strict_json import JsonRefused, read_object

API_URLS = {True: "https://api-m.paypal.com", False: "https://api-m.sandbox.paypal.com"}
HOSTS = {
    True: frozenset(("api.paypal.com", "api-m.paypal.com")),
    False: frozenset(("api.sandbox.paypal.com", "api-m.sandbox.paypal.com")),
}
"""Hosts that a certificate may come from, by mode: exact names, since anybody can own a suffix."""
CERTIFICATE_NAMES = {
    True: "messageverificationcerts.paypal.com",
    False: "messageverificationcerts.sandbox.paypal.com",
}


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class PaypalProvider:
    """PayPal with the endpoints of the settings. Its signature does not bind the body, so a delivery only
    names an object, which `fetch` reads.
    """

    name = PROVIDER
    title = TITLE
    setting = "COMPTOIR_PAYPAL_ENDPOINTS"
    credential = "client_secret"
    signature_headers = HEADERS
    needed = NEEDED
    refunds_oldest_first = True

    def __init__(self, settings: PaypalSettings, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._clock = clock
        self.endpoints: Mapping[str, PaypalEndpoint] = by_slug(settings.paypal_endpoints, self.setting)
        self._slugs = {endpoint.shop: endpoint.slug for endpoint in settings.paypal_endpoints}
        extra = {settings.paypal_standin_host} if settings.paypal_standin_host else set()
        self._hosts = {slug: HOSTS[one.livemode] | extra for slug, one in self.endpoints.items()}
        self._verifiers: dict[bool, Verifier] = {}
        self._clients: dict[str, PaypalClient] = {}

    @property
    def reader(self) -> "PaypalProvider":
        """Return the reader of the objects that deliveries name."""
        return self

    def check_headers(self, slug: str, headers: Mapping[str, Sequence[str]]) -> None:
        """Require each header once, in its form, with a certificate from an allowed address."""
        read_headers(headers, self._hosts[slug])

    async def verify(self, slug: str, delivery: Delivery) -> str:
        """Verify the signature over the body's checksum; return the transmission's name."""
        endpoint = self.endpoints[slug]
        sent = read_headers(delivery.headers, self._hosts[slug])
        try:
            verifier = self._verifier(is_live=endpoint.livemode)
        except ProviderUnavailable as error:
            raise VerificationUnavailable("certificate_unavailable", str(error)) from error
        await verifier.verify(sent, endpoint.webhook_id, delivery.body, self._client(slug))
        return sent.name

    def name_of(self, body: bytes) -> tuple[str, str]:
        """Return the event's id, with its type, and the type."""
        return event.name_of(body)

    def read(self, slug: str, body: bytes) -> Reading | ObjectNamed:
        """Return the object that the event names."""
        return event.read(body)

    async def fetch(self, slug: str, named: ObjectNamed) -> bytes:
        """Read the object with the endpoint's credentials."""
        return await reading.fetch(self._client(slug), named)

    def read_answer(self, slug: str, named: ObjectNamed, answer: bytes) -> Reading:
        """Return the facts in the object that was read."""
        return reading.read_answer(named, answer, self.endpoints[slug].account)

    def payment_details(self, body: bytes) -> dict[str, Any]:
        """Return the payer, description and references in a webhook."""
        return payment_details.payment_details(body)

    def can_refund(self, shop: str) -> bool:
        """Return whether the shop has an endpoint; each has credentials."""
        return shop in self._slugs

    async def refund(self, wish: RefundInstruction) -> bytes:
        """Request the refund of a capture."""
        return await sending_refunds.refund(self._client(self._slugs[wish.shop]), wish)

    async def find_refund(self, wish: RefundInstruction) -> LookedUp:
        """Look the refund up in the order of its capture."""
        return await sending_refunds.find_refund(self._client(self._slugs[wish.shop]), wish, self._clock())

    def refund_facts(self, answer: bytes, answered_at: datetime) -> RefundFacts:
        """Return the facts of PayPal's refund object."""
        try:
            return refund_facts(read_object(answer), answered_at)
        except (JsonRefused, ShapeUnexpected, PaypalAmountUnusable) as unusable:
            raise AnswerUnreadable(str(unusable)) from unusable

    async def enabled_events(self, slug: str) -> frozenset[str]:
        """Return the events of the webhook whose id the endpoint has."""
        webhook_id = self.endpoints[slug].webhook_id
        try:
            answer = read_object(
                await self._client(slug).get("v1", "notifications", "webhooks", webhook_id, "event-types")
            )
        except ObjectMissing as missing:
            where = f"{self.setting} or in the back office"
            text = f"PayPal has no webhook {webhook_id} for these credentials; check it in {where}"
            raise EndpointMissing(text) from missing
        listed = answer.get("event_types")
        names = [
            one.get("name") for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)
        ]
        return frozenset(one for one in names if isinstance(one, str))

    def can_list(self, slug: str) -> bool:
        """Return that the endpoint has credentials: each has."""
        return slug in self.endpoints

    def list_events(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedEvent]:
        """Yield the events of the app's webhooks."""
        return self._lists(slug).events(since, until)

    def list_money(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedMoney]:
        """Yield the account's transactions of payments, refunds and reversals."""
        return self._lists(slug).money(since, until)

    def list_payouts(self, slug: str, since: datetime, until: datetime) -> AsyncIterator[ListedPayout]:
        """Yield nothing: PayPal lists no payouts."""
        return no_payouts()

    def _lists(self, slug: str) -> PaypalLists:
        return PaypalLists(self._client(slug), self._clock)

    async def close(self) -> None:
        """Close the connections that were opened."""
        for client in self._clients.values():
            await client.close()
        if "_server" in self.__dict__:
            await self._server.close()

    @cached_property
    def _server(self) -> CertificateServer:
        return CertificateServer(self._tls)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Return the trust of connections: public roots, or beside them the stand-in's. Raises ProviderUnavailable."""
        context = ssl.create_default_context(cafile=certifi.where())
        file = self._settings.paypal_standin_root_file
        if file is not None:
            try:
                context.load_verify_locations(cafile=file)
            except OSError as error:
                raise ProviderUnavailable(
                    f"the file of COMPTOIR_PAYPAL_STANDIN_ROOT_FILE, {file}, is not the PEM of a certificate "
                    f"({error.strerror or error}): start the stand-in, which writes it, or unset the variable"
                ) from error
        return context

    def _verifier(self, *, is_live: bool) -> Verifier:
        if is_live not in self._verifiers:
            server, file = self._server, self._settings.paypal_standin_root_file or Path(certifi.where())
            roots = x509.load_pem_x509_certificates(file.read_bytes())
            self._verifiers[is_live] = Verifier(server, roots, CERTIFICATE_NAMES[is_live], self._clock)
        return self._verifiers[is_live]

    def _client(self, slug: str) -> PaypalClient:
        if slug not in self._clients:
            endpoint = self.endpoints[slug]
            url = self._settings.paypal_api_url or API_URLS[endpoint.livemode]
            credentials = Credentials(endpoint.client_id, endpoint.client_secret.get_secret_value())
            timeout = self._settings.paypal_timeout_seconds
            self._clients[slug] = PaypalClient(url, credentials, timeout, self._tls)
        return self._clients[slug]
