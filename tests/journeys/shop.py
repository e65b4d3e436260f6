"""A running Comptoir as people know it: customers order, Stripe reports, the merchant works, mails arrive.

Nothing here looks into a service: customers speak AMQP with their module's login, Stripe posts, the merchant and the
operators use HTTP, and letters lie in the postbox. Waiting ends after a minute.
"""

import asyncio
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

from contracts.storefront import OrderAccepted, PaymentMethod
from deploy.auditor.auditing import audit
from deploy.auditor.finding import Violation
from deploy.auditor.ground import Journals
from deploy.demo.sales.merchant import GARANCE
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.storefront import Answer, Storefront
from deploy.demo.standins.provider import payment_succeeded, sign
from deploy.local.mailserver import read_journal
from deploy.local.system import System
from tests.journeys.postbox import letters_in

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
T = TypeVar("T")


class Shop:
    """One merchant's shop on a running system."""

    def __init__(self, system: System, letters: Path, profile: Mapping[str, str] = GARANCE.profile) -> None:
        self.system = system
        self.letters = letters
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
        """HTTP to a service, with the operators' token unless another is given."""
        headers = {"Authorization": f"Bearer {token or self.system.secrets.internal_token}"}
        return httpx2.AsyncClient(
            base_url=self.system.url(service), headers=headers, timeout=30, trust_env=False
        )

    # -- customers

    async def storefront(self, module: str = "shop", shop: str | None = None) -> Storefront:
        """A module of a shop, connected with its own login."""
        key = shop or self.name, module
        if key not in self._storefronts:
            opened = Storefront(*key)
            self._storefronts[key] = await opened.open(self.system.amqp_url(opened.login))
        return self._storefronts[key]

    async def submit(self, *sales: Sale) -> None:
        """Customers confirm their sales; the broker has them when this returns."""
        for sale in sales:
            await (await self.storefront(sale.module, sale.submission.shop)).submit(sale)
            self._submitted.append(sale.event_id)

    async def answer(self, sale: Sale) -> Answer:
        """What the module hears about a sale."""
        storefront = await self.storefront(sale.module, sale.submission.shop)

        async def heard() -> Answer | None:
            return storefront.answers.get(sale.event_id)

        return await self.until(f"an answer to submission {sale.event_id}", heard)

    async def order(self, *sales: Sale) -> list[str]:
        """Customers order and are accepted: the orders' ids."""
        await self.submit(*sales)
        for sale in sales:
            answer = await self.answer(sale)
            assert isinstance(answer, OrderAccepted), answer
        return [str(sale.event_id) for sale in sales]

    # -- Stripe

    async def report(self, sale: Sale, times: int = 1) -> None:
        """Stripe reports that the card was charged, as often as wanted."""
        body = payment_succeeded(sale, Random(secrets.randbits(64)))
        for _ in range(times):
            assert await self.post_webhook(body) == httpx2.codes.OK

    async def post_webhook(self, body: bytes, signature: str | None = None) -> int:
        """Post a webhook, signed as Stripe does unless a signature is given: the status."""
        header = signature or sign(body, self.system.secrets.stripe_secret, int(time.time()))
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
        """The order page."""
        answer = await self.http.get(f"/v1/orders/{order_id}")
        assert answer.is_success, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def ask(self, path: str, content: Mapping[str, Any], key: str | None = None) -> httpx2.Response:
        """Ask for something to be done; the first answer."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        return await self.http.post(f"/v1{path}", json=content, headers=headers)

    async def do(self, path: str, content: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        """Have something done and wait until it is: the command."""
        answer = await self.ask(path, content, key)
        assert answer.is_success, answer.text
        return await self.settled(answer)

    async def change(
        self, order: str, what: str = "", content: Mapping[str, Any] | None = None, **query: Any
    ) -> dict[str, Any]:
        """Edit an order (no `what`), or have it cancelled or reinstated, and wait until it is: the command."""
        method = "POST" if what else "PATCH"
        path = f"/v1/orders/{order}" + (f"/{what}" if what else "")
        answer = await self.http.request(
            method, path, json=content or {}, params=query, headers={"Idempotency-Key": uuid4().hex}
        )
        assert answer.is_success, answer.text
        return await self.settled(answer)

    async def delete(self, order: str, reason: str = "Essai") -> httpx2.Response:
        """Ask for an order to be deleted; the first answer."""
        headers = {"Idempotency-Key": uuid4().hex}
        return await self.http.request(
            "DELETE", f"/v1/orders/{order}", params={"reason": reason}, headers=headers
        )

    async def settled(self, answer: httpx2.Response) -> dict[str, Any]:
        """The command of an answer, once it has its outcome."""

        async def outcome() -> dict[str, Any] | None:
            command: dict[str, Any] = (await self.http.get(answer.headers["Location"])).json()
            return command if command["state"] in ("done", "rejected") else None

        return await self.until(f"an outcome of {answer.text}", outcome)

    async def count_stock(self, on_hand: Mapping[str, int]) -> None:
        """Set what is on the shelves, by SKU."""
        levels = [{"sku": sku, "on_hand": units} for sku, units in on_hand.items()]
        await self.do("/stock", {"levels": levels})

    async def receive(self, order_id: str, method: PaymentMethod, amount_minor: int, **more: Any) -> None:
        """Take in money by hand."""
        await self.do(f"/orders/{order_id}/payments", payment(method, amount_minor, **more))

    async def pack(self, order_id: str, lines: Mapping[int, int]) -> str:
        """Pack a parcel of units by line number: its id."""
        parcel_id = str(uuid4())
        await self.do(f"/orders/{order_id}/parcels", parcel(lines, parcel_id=parcel_id))
        return parcel_id

    async def ship(self, order_id: str, parcels: Sequence[str], **more: Any) -> str:
        """Hand parcels to the carrier: the shipment's id."""
        shipment_id = str(uuid4())
        await self.do(f"/orders/{order_id}/shipments", shipment(parcels, shipment_id=shipment_id, **more))
        return shipment_id

    async def deliver(self, order_id: str, shipment_id: str) -> None:
        """Record that a shipment arrived."""
        await self.do(f"/orders/{order_id}/shipments/{shipment_id}/delivery", delivery())

    async def until_order(self, order_id: str, **expected: Any) -> dict[str, Any]:
        """The order page once these fields read so."""

        async def reads_so() -> dict[str, Any] | None:
            answer = await self.http.get(f"/v1/orders/{order_id}")
            shown: dict[str, Any] = answer.json() if answer.is_success else {}
            return shown if all(shown.get(name) == value for name, value in expected.items()) else None

        return await self.until(f"order {order_id} with {expected}", reads_so)

    # -- mails

    async def letters_to(self, recipient: str, about: str = "", count: int = 1) -> list[EmailMessage]:
        """The letters to someone whose subject holds `about`, once there are so many."""

        async def arrived() -> list[EmailMessage] | None:
            found = self.letters_now(recipient, about)
            return found if len(found) >= count else None

        return await self.until(f"{count} letters to {recipient} about {about!r}", arrived)

    def letters_now(self, recipient: str, about: str = "") -> list[EmailMessage]:
        """The letters to someone that are there now."""
        return [
            letter
            for letter in letters_in(self.letters)
            if recipient in str(letter["To"]) and about in str(letter["Subject"])
        ]

    # -- operators

    async def parked(self, service: str, state: str = "dead") -> list[dict[str, Any]]:
        """What a service shows as parked."""
        async with self.client(service) as http:
            answer = await http.get("/internal/parked", params={"state": state})
        rows: list[dict[str, Any]] = answer.json()["parked"]
        return rows

    async def discard(self, service: str, row: Mapping[str, Any], reason: str) -> None:
        """Put a parked message away for good."""
        async with self.client(service) as http:
            answer = await http.post(
                "/internal/parked/discard", json={"id": row["id"], "reason": reason, "actor": "test"}
            )
        assert answer.json() == {"discarded": True}

    async def violations(self) -> list[Violation]:
        """What the auditor finds in everything that ever happened here, once all is quiet."""
        return await audit(self.system.databases, self._journals)

    async def until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """The first thing that `look` finds; after a minute an error that says what was missing."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := await look()) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"after {PATIENCE_SECONDS:.0f} s there is no {what}")
            await asyncio.sleep(LOOK_SECONDS)
        return found

    def _journals(self) -> Journals:
        return Journals(
            submitted=list(self._submitted),
            accepted_webhooks=list(self._webhooks),
            mails=[mail.message_id for mail in read_journal(self.system.mail_journal)],
        )


def payment(method: PaymentMethod, amount_minor: int, **more: Any) -> dict[str, Any]:
    """A request to record money."""
    today = datetime.now(UTC).date().isoformat()
    return {"method": method, "amount_minor": amount_minor, "currency": "EUR", "received_on": today, **more}


def parcel(lines: Mapping[int, int], **more: Any) -> dict[str, Any]:
    """A request to pack units by line number."""
    return {"lines": [{"line": line, "quantity": quantity} for line, quantity in lines.items()], **more}


def shipment(parcels: Sequence[str], **more: Any) -> dict[str, Any]:
    """A request to hand parcels over."""
    today = datetime.now(UTC).date().isoformat()
    return {"parcel_ids": list(parcels), "carrier": "Colissimo", "shipped_on": today, **more}


def delivery() -> dict[str, Any]:
    """A request to record an arrival."""
    now = datetime.now(UTC).isoformat()
    return {"delivered_at": now, "proof": "signature", "proof_reference": "É. Faure"}


def receipts(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of an order's ledger by which money came in."""
    return [entry for entry in shown["ledger"] if entry["kind"] == "payment_received"]
