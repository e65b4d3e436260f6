"""The stand-in for PayPal: an account, its API, and webhooks that are signed and delivered as PayPal does it.

The API answers over HTTP and HTTPS, certificates over HTTPS; the root to trust is in `root_file`. Without a webhook
address, events are only logged (`log.happened`), and `signed` gives what would be posted.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from starlette.applications import Starlette

from deploy.demo.standins.delivering import GOOD, Conduct, Courier, Event, Journal, Trick
from deploy.demo.standins.paypal.account import Account, Clock
from deploy.demo.standins.paypal.api import Api
from deploy.demo.standins.paypal.certificates import Authority, Holder, new_key
from deploy.demo.standins.paypal.events import EventLog
from deploy.demo.standins.paypal.notifications import CERTIFICATES, Notifications
from deploy.demo.standins.paypal.refunds import capture_of
from deploy.demo.standins.paypal.shapes import Json, new_id, timestamp, v1_capture, v1_refund
from deploy.demo.standins.paypal.signing import headers_of, new_transmission
from deploy.demo.standins.serving import Server
from deploy.merchant_accounts import PAYPAL_ROOT


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Setup:
    """Where the stand-in answers, the merchant's app, and where its webhook goes."""

    http_port: int
    https_port: int
    folder: Path
    client_id: str
    client_secret: str
    webhook_id: str
    webhook_url: str = ""
    authority: Authority | None = None
    """Whose certificates it has; None: an authority of its own, kept in its folder."""

    @property
    def root_file(self) -> Path:
        """Where the root certificate is written."""
        return self.folder / PAYPAL_ROOT


class PayPal:
    """One merchant's PayPal. `account` is acted on, `api` and `webhook` are told to have trouble."""

    def __init__(
        self, setup: Setup, journal: Journal, chance: Random, conduct: Conduct = GOOD, clock: Clock = now
    ) -> None:
        self.setup = setup
        self.version = 2
        """1: events about captures and refunds have the shape of version 1."""
        self.has_negative_refunds = False
        """Whether refunds of version 1 have negative amounts."""
        self.shares_ids = False
        """Whether a capture's event comes under the id of its order's."""
        setup.folder.mkdir(parents=True, exist_ok=True)
        self.authority = setup.authority or Authority(file=setup.folder / "paypal-authority.pem")
        self.account = Account(f"http://127.0.0.1:{setup.http_port}", self._happen, chance, clock)
        self.api = Api(self.account, setup.client_id, setup.client_secret)
        self.log = EventLog(self.account, self._deliver)
        self.webhook = Notifications(self.api, self.log, setup.webhook_id, setup.webhook_url)
        self.courier = Courier(setup.webhook_url, self._sign, self._forge, journal, chance, conduct)
        self._chance = chance
        self.sign_with(self.authority.signing)
        self._open = AsyncExitStack()

    @property
    def url(self) -> str:
        """The API's base address."""
        return self.account.api_url

    @property
    def https_url(self) -> str:
        """The base address over HTTPS, below which the certificates are."""
        return f"https://127.0.0.1:{self.setup.https_port}"

    @property
    def root_file(self) -> Path:
        """The root certificate that signs everything here, in PEM."""
        return self.setup.root_file

    async def __aenter__(self) -> Self:
        self.root_file.write_bytes(self.authority.root_pem)
        app = Starlette(routes=[*self.api.routes(), *self.webhook.routes()])
        tls = self.authority.local_tls(self.setup.folder)
        self._open.push_async_callback(self.courier.close)
        await self._open.enter_async_context(Server(self.setup.http_port, app))
        await self._open.enter_async_context(Server(self.setup.https_port, app, tls))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def sign_with(self, holder: Holder, name: str = "") -> str:
        """Sign with a certificate from now on, served under a new address: its address."""
        name = name or f"CERT-360caa42-fca2a594-{new_id(self._chance, 8).lower()}"
        self.webhook.certificates[name] = holder
        self._holder, self.certificate_url = holder, f"{self.https_url}{CERTIFICATES}{name}"
        return self.certificate_url

    def claim(self, order_id: str, value: str, currency: str) -> Event:
        """Return an event that a swindler could make up: an order of somebody else was paid."""
        now = self.account.clock()
        capture = {
            "id": new_id(self._chance),
            "status": "COMPLETED",
            "amount": {"currency_code": currency, "value": value},
            "supplementary_data": {"related_ids": {"order_id": order_id}},
            "create_time": timestamp(now),
            "update_time": timestamp(now),
        }
        return self.log.made("PAYMENT.CAPTURE.COMPLETED", capture).webhook()

    def signed(self, event: Event) -> tuple[bytes, dict[str, str]]:
        """Return an event's body and the headers that sign it now."""
        return event.body, self._sign(event.body)

    def _happen(self, event_type: str, resource: Json) -> None:
        """Log an event and post it, if the webhook subscribes to its type."""
        last = self.log.happened[-1] if self.log.happened else None
        is_twin = self.shares_ids and last is not None and last.type == "CHECKOUT.ORDER.COMPLETED"
        shown, version = self._shaped(event_type, resource)
        if event_type in self.webhook.subscribed:
            same = last.id if last is not None and is_twin else None
            self.log.add(event_type, shown, version=version, same_id_as=same)

    def _shaped(self, event_type: str, resource: Json) -> tuple[Json, int]:
        """Return a resource in the version that events have, and that version."""
        if self.version == 2 or not event_type.startswith("PAYMENT.") or "AUTHORIZATION" in event_type:
            return resource, 2
        if resource["id"] in self.account.captures:
            return v1_capture(resource), 1
        capture = self.account.captures[capture_of(resource)]
        return v1_refund(resource, capture, is_negative=self.has_negative_refunds), 1

    @cached_property
    def _strange_key(self) -> RSAPrivateKey:
        return new_key()

    def _deliver(self, event: Event) -> None:
        if self.setup.webhook_url:
            self.courier.send(event)

    def _sign(self, body: bytes) -> dict[str, str]:
        transmission = new_transmission(self.setup.webhook_id, self.account.clock())
        return headers_of(transmission, body, self._holder.key, self.certificate_url)

    def _forge(self, body: bytes, trick: Trick) -> tuple[bytes, dict[str, str]]:
        """Sign with a foreign key under the genuine address, or change the amount after signing."""
        if trick is Trick.CHANGED:
            changed = body.replace(b'"value":"', b'"value":"9').replace(b'"total":"', b'"total":"9')
            return changed, self._sign(body)
        transmission = new_transmission(self.setup.webhook_id, self.account.clock())
        return body, headers_of(transmission, body, self._strange_key, self.certificate_url)
