"""The payment providers of a shop on a running system, with one journal of everything that they post."""

import asyncio
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from random import Random
from typing import Self

import httpx2

from contracts.money import exponent
from deploy.demo.sales.sale import Sale
from deploy.demo.standins import stripe_disputes
from deploy.demo.standins.delivering import GOOD, Conduct, Courier, Journal, Trick
from deploy.demo.standins.paypal.disputes import open_dispute, resolve
from deploy.demo.standins.paypal.standin import PayPal, Setup
from deploy.demo.standins.provider import Provider
from deploy.demo.standins.stripe_api import StripeApi, event_body
from deploy.local.system import System

READ_SECONDS = 30.0
POLL_SECONDS = 0.2


class Providers:
    """Stand-ins with the addresses and secrets that the system was given. `async with` starts their APIs."""

    def __init__(self, system: System, shop: str, chance: Random, conduct: Conduct = GOOD) -> None:
        self._system, self._shop = system, shop
        self.journal = Journal(system.folder / "webhooks.jsonl")
        accounts = system.accounts
        secret, url = accounts.stripe_secret, system.webhook_url(shop)
        self.stripe_api = StripeApi(accounts.stripe_port, accounts.stripe_key, self._deliver)
        happened = self.stripe_api.lists.happened
        self.stripe = Provider(url, secret, self.journal, chance, conduct, happened)
        self.stripe_api.webhook_endpoints = [{"url": url, "enabled_events": ["*"]}]
        setup = Setup(
            accounts.paypal_port,
            accounts.paypal_https_port,
            accounts.folder,
            accounts.paypal_client_id,
            accounts.paypal_client_secret,
            accounts.paypal_webhook_id,
            system.paypal_webhook_url(shop),
        )
        self.paypal = PayPal(setup, self.journal, chance, conduct)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._open.push_async_callback(self.stripe.close)
        await self._open.enter_async_context(self.stripe_api)
        await self._open.enter_async_context(self.paypal)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    @property
    def couriers(self) -> tuple[Courier, ...]:
        """What delivers the events, one for each provider."""
        return self.stripe.courier, self.paypal.courier

    async def report_payment(self, sale: Sale, times: int = 1) -> None:
        """Let the customer pay with the sale's provider, whose report is posted `times` over.

        Stripe's report has been accepted when this returns, PayPal's are on their way.
        """
        if sale.provider == "paypal":
            self.paypal.account.pay(*_amount(sale), order_id=sale.provider_reference)
            for _ in range(times - 1):
                self.paypal.log.again(self.paypal.log.happened[-1].id)
        else:
            await self.stripe.report_payment(sale, times)

    async def dispute(self, sale: Sale, *, is_won: bool) -> None:
        """Let a customer dispute a payment by card, and the bank decide."""
        dispute = stripe_disputes.opened(sale)
        over = stripe_disputes.closed(dispute, is_won=is_won)
        for kind, resource in (("charge.dispute.created", dispute), ("charge.dispute.closed", over)):
            await self.stripe.deliver(event_body(kind, resource), sale.provider_reference)

    def dispute_at_paypal(self, sale: Sale, *, is_won: bool) -> None:
        """Let a customer dispute a payment by PayPal: a claim that the merchant wins, or an inquiry."""
        unit = self.paypal.account.orders[sale.provider_reference]["purchase_units"][0]
        capture = unit["payments"]["captures"][0]["id"]
        dispute = open_dispute(self.paypal.account, capture, stage="CHARGEBACK" if is_won else "INQUIRY")
        if is_won:
            resolve(self.paypal.account, dispute["dispute_id"], "RESOLVED_SELLER_FAVOUR")

    async def trick(self, sale: Sale, trick: Trick) -> int | None:
        """Post, as the sale's provider, something that must be turned away; the status it got."""
        if sale.provider == "paypal":
            return await self.paypal.courier.trick(
                self.paypal.claim(sale.provider_reference, *_amount(sale)), trick
            )
        return await self.stripe.trick(sale, trick)

    async def settled(self) -> None:
        """Wait until every event that was sent so far is delivered, lost or given up."""
        for courier in self.couriers:
            await courier.settled()

    async def read(self) -> None:
        """Wait until payments has read what PayPal's events name, or for half a minute: it can't once this ends."""
        deadline = asyncio.get_running_loop().time() + READ_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            with suppress(httpx2.HTTPError):
                if not await self._unread():
                    return
            await asyncio.sleep(POLL_SECONDS)

    async def _unread(self) -> int:
        async with httpx2.AsyncClient(headers=self._system.operator, timeout=10, trust_env=False) as http:
            url = f"{self._system.url('payments')}/internal/webhooks"
            answer = (
                (await http.get(url, params={"shop": self._shop, "limit": "1"})).raise_for_status().json()
            )
        tally = [one for one in answer["tally"] if one["provider"] == "paypal"]
        return sum(int(one["unread"]) + int(one["waiting"]) for one in tally)

    @property
    def lost(self) -> int:
        """How many events were not posted."""
        return sum(len(courier.lost) for courier in self.couriers)

    async def send_lost_ones(self) -> None:
        """Deliver what was lost, as when a person has the providers send it again."""
        for courier in self.couriers:
            lost, courier.lost = courier.lost, []
            for event in lost:
                await courier.deliver(event)

    async def _deliver(self, body: bytes) -> None:
        self.stripe.send(body, "refund")


def _amount(sale: Sale) -> tuple[str, str]:
    """Return what a sale costs as PayPal writes it, and the currency."""
    currency = sale.submission.currency
    return str(Decimal(sale.total_minor).scaleb(-exponent(currency))), currency
