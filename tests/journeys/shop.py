"""A running Comptoir used from outside: customers order, Stripe reports, the merchant works, mails arrive.

Nothing here accesses a service's internals: customers use AMQP with their module's login, Stripe posts webhooks,
the merchant and the operators use HTTP, and mails are read from the test mail server. Waiting times out after a
minute.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import httpx2

from contracts.sale import PaymentMethod
from contracts.storefront import OrderAccepted
from deploy.auditor.auditing import audit
from deploy.auditor.finding import Violation
from deploy.auditor.inputs import Journals
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.storefront import Answer, Storefront
from deploy.demo.standins.provider import payment_succeeded, sign
from deploy.local.mailserver import read_journal
from deploy.local.system import System
from deploy.samples.merchants import GARANCE
from services.chassis.testing import wait_until
from tests.journeys.mailbox import mails_about
from tests.trust import TRUSTED

PATIENCE_SECONDS = 60.0
T = TypeVar("T")


class Shop:
    """A merchant's shop on a running system."""

    def __init__(
        self, system: System, mail_folder: Path, profile: Mapping[str, str] = GARANCE.profile
    ) -> None:
        self.system = system
        self.mail_folder = mail_folder
        self.name = profile["shop"]
        self.merchant = profile["merchant_email"]
        self.http = self.client("orders", system.secrets.api_tokens[self.name])
        self._storefronts: dict[tuple[str, str], Storefront] = {}
        self._webhooks: list[str] = []
        self._submitted: list[UUID] = []
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._post = await self._open.enter_async_context(httpx2.AsyncClient(timeout=30, trust_env=False))
        await self._open.enter_async_context(self.http)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for storefront in self._storefronts.values():
            await storefront.close()
        await self._open.aclose()

    def client(self, service: str, token: str | None = None) -> httpx2.AsyncClient:
        """Return an HTTP client of a service, with the operators' token unless another is given."""
        headers = {"Authorization": f"Bearer {token or self.system.secrets.internal_token}"}
        return httpx2.AsyncClient(
            base_url=self.system.url(service), headers=headers, timeout=30, trust_env=False, verify=TRUSTED
        )

    # -- customers

    async def storefront(self, module: str = "shop", shop: str | None = None) -> Storefront:
        """Return a module of a shop, connected with its own login."""
        key = shop or self.name, module
        if key not in self._storefronts:
            opened = Storefront(*key)
            self._storefronts[key] = await opened.open(self.system.amqp_url(opened.login))
        return self._storefronts[key]

    async def submit(self, *sales: Sale) -> None:
        """Submit sales; the broker has confirmed them when this returns."""
        for sale in sales:
            await (await self.storefront(sale.module, sale.submission.shop)).submit(sale)
            self._submitted.append(sale.event_id)

    async def answer(self, sale: Sale) -> Answer:
        """Return the answer that the module receives to a sale."""
        storefront = await self.storefront(sale.module, sale.submission.shop)

        async def received() -> Answer | None:
            return storefront.answers.get(sale.event_id)

        return await self.until(f"an answer to submission {sale.event_id}", received)

    async def order(self, *sales: Sale) -> list[str]:
        """Submit sales, wait until they are accepted, and return the orders' ids."""
        await self.submit(*sales)
        for sale in sales:
            answer = await self.answer(sale)
            assert isinstance(answer, OrderAccepted), answer
        return [str(sale.event_id) for sale in sales]

    # -- Stripe

    async def report(self, sale: Sale, times: int = 1) -> None:
        """Post Stripe's webhook about the charged card, `times` times."""
        body = payment_succeeded(sale, Random(secrets.randbits(64)))
        for _ in range(times):
            assert await self.post_webhook(body) == httpx2.codes.OK

    async def post_webhook(self, body: bytes, signature: str | None = None) -> int:
        """Post a webhook, signed as Stripe does unless a signature is given, and return the status."""
        header = signature or sign(body, self.system.accounts.stripe_secret, int(time.time()))
        answer = await self._post.post(
            self.system.webhook_url(self.name),
            content=body,
            headers={"Stripe-Signature": header, "Content-Type": "application/json"},
        )
        if answer.is_success and b'"id": "evt_' in body:
            self._webhooks.append(body.partition(b'"id": "')[2].partition(b'"')[0].decode())
        return answer.status_code

    # -- the merchant

    async def shown(self, order_id: str) -> dict[str, Any]:
        """Return the order's document."""
        answer = await self.http.get(f"/v1/orders/{order_id}")
        assert answer.is_success, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def ask(self, path: str, content: Mapping[str, Any], key: str | None = None) -> httpx2.Response:
        """Request an action, and return the first response."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        return await self.http.post(f"/v1{path}", json=content, headers=headers)

    async def do(self, path: str, content: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        """Request an action, wait for its outcome, and return the command."""
        answer = await self.ask(path, content, key)
        assert answer.is_success, answer.text
        return await self.settled(answer)

    async def change(
        self, order: str, what: str = "", content: Mapping[str, Any] | None = None, **query: Any
    ) -> dict[str, Any]:
        """Edit an order (no `what`), or cancel or reinstate it, wait for the outcome, and return the command."""
        method = "POST" if what else "PATCH"
        path = f"/v1/orders/{order}" + (f"/{what}" if what else "")
        answer = await self.http.request(
            method, path, json=content or {}, params=query, headers={"Idempotency-Key": uuid4().hex}
        )
        assert answer.is_success, answer.text
        return await self.settled(answer)

    async def delete(self, order: str, reason: str = "Essai") -> httpx2.Response:
        """Request the deletion of an order, and return the first response."""
        headers = {"Idempotency-Key": uuid4().hex}
        return await self.http.request(
            "DELETE", f"/v1/orders/{order}", params={"reason": reason}, headers=headers
        )

    async def settled(self, answer: httpx2.Response) -> dict[str, Any]:
        """Return the command of a response, once it has its outcome."""

        async def outcome() -> dict[str, Any] | None:
            command: dict[str, Any] = (await self.http.get(answer.headers["Location"])).json()
            return command if command["state"] in ("done", "rejected") else None

        return await self.until(f"an outcome of {answer.text}", outcome)

    async def count_stock(self, on_hand: Mapping[str, int]) -> None:
        """Set the units on hand, by SKU."""
        levels = [{"sku": sku, "on_hand": units} for sku, units in on_hand.items()]
        await self.do("/stock", {"levels": levels})

    async def receive(self, order_id: str, method: PaymentMethod, amount_minor: int, **more: Any) -> None:
        """Record a payment manually."""
        await self.do(f"/orders/{order_id}/payments", payment(method, amount_minor, **more))

    async def pack(self, order_id: str, lines: Mapping[int, int]) -> str:
        """Pack a parcel of units by line number, and return its id."""
        parcel_id = str(uuid4())
        await self.do(f"/orders/{order_id}/parcels", parcel(lines, parcel_id=parcel_id))
        return parcel_id

    async def ship(self, order_id: str, parcels: Sequence[str], **more: Any) -> str:
        """Ship parcels, and return the shipment's id."""
        shipment_id = str(uuid4())
        await self.do(f"/orders/{order_id}/shipments", shipment(parcels, shipment_id=shipment_id, **more))
        return shipment_id

    async def deliver(self, order_id: str, shipment_id: str) -> None:
        """Record the delivery of a shipment."""
        await self.do(f"/orders/{order_id}/shipments/{shipment_id}/delivery", delivery())

    async def until_order(self, order_id: str, **expected: Any) -> dict[str, Any]:
        """Return the order's document once it has these values."""

        async def reads_so() -> dict[str, Any] | None:
            answer = await self.http.get(f"/v1/orders/{order_id}")
            shown: dict[str, Any] = answer.json() if answer.is_success else {}
            return shown if all(shown.get(name) == value for name, value in expected.items()) else None

        return await self.until(f"order {order_id} with {expected}", reads_so)

    # -- mails

    async def mails_to(self, recipient: str, about: str = "", count: int = 1) -> list[EmailMessage]:
        """Return the mails to a recipient whose subject contains `about`, once there are `count` of them."""

        async def arrived() -> list[EmailMessage] | None:
            found = self.mails_now(recipient, about)
            return found if len(found) >= count else None

        try:
            return await self.until(f"{count} letters to {recipient} about {about!r}", arrived)
        except AssertionError as missing:
            missing.add_note(f"the notifier knows of {await self._mails_known(recipient)}")
            raise

    async def _mails_known(self, recipient: str) -> list[dict[str, Any]]:
        """Return the notifier's states of the mails to a recipient."""
        async with self.client("notifier") as http:
            answer = await http.get("/internal/mails", params={"text": recipient, "shop": self.name})
        return [
            {name: value for name, value in mail.items() if name not in ("id", "shop", "order_id")}
            for mail in answer.json()["mails"]
        ]

    def mails_now(self, recipient: str, about: str = "") -> list[EmailMessage]:
        """Return the mails to a recipient received so far."""
        return mails_about(self.mail_folder, recipient, about)

    # -- operators

    async def parked(self, service: str, state: str = "dead") -> list[dict[str, Any]]:
        """Return a service's parked messages in a state."""
        async with self.client(service) as http:
            answer = await http.get("/internal/parked", params={"state": state})
        rows: list[dict[str, Any]] = answer.json()["parked"]
        return rows

    async def discard(self, service: str, row: Mapping[str, Any], reason: str) -> None:
        """Discard a parked message."""
        async with self.client(service) as http:
            answer = await http.post(
                "/internal/parked/discard", json={"id": row["id"], "reason": reason, "actor": "test"}
            )
        assert answer.json() == {"discarded": True}

    async def violations(self) -> list[Violation]:
        """Return the auditor's findings about all data, once the system is idle."""
        return await audit(self.system.databases, self._journals)

    async def until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """Return the first value other than None from `look`; raise AssertionError with `what` after a minute."""

        async def found() -> tuple[T] | None:
            answer = await look()
            return None if answer is None else (answer,)

        [answer] = await wait_until(found, PATIENCE_SECONDS, f"there is no {what}")
        return answer

    def _journals(self) -> Journals:
        return Journals(
            submitted=list(self._submitted),
            accepted_webhooks=list(self._webhooks),
            mails=[mail.message_id for mail in read_journal(self.system.mail_journal)],
        )


def payment(method: PaymentMethod, amount_minor: int, **more: Any) -> dict[str, Any]:
    """Return a request to record a payment."""
    today = datetime.now(UTC).date().isoformat()
    return {"method": method, "amount_minor": amount_minor, "currency": "EUR", "received_on": today, **more}


def parcel(lines: Mapping[int, int], **more: Any) -> dict[str, Any]:
    """Return a request to pack units by line number."""
    return {"lines": [{"line": line, "quantity": quantity} for line, quantity in lines.items()], **more}


def shipment(parcels: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return a request to ship parcels."""
    today = datetime.now(UTC).date().isoformat()
    return {"parcel_ids": list(parcels), "carrier": "Colissimo", "shipped_on": today, **more}


def delivery() -> dict[str, Any]:
    """Return a request to record a delivery."""
    now = datetime.now(UTC).isoformat()
    return {"delivered_at": now, "proof": "signature", "proof_reference": "É. Faure"}


def receipts(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of an order's ledger for received payments."""
    return [entry for entry in shown["ledger"] if entry["kind"] == "payment_received"]
