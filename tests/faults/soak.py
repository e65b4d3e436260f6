"""A soak: customers buy and get money back while the payment providers deliver and answer as badly as they may.

Payments are reported late, twice, out of sequence, before their order, or not at all until the providers send them
again; frauds are posted among them; refunds are asked for while the providers' APIs fail before and after their
effect. In the end every order must read what was really paid and given back.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self
from uuid import UUID

from contracts.fulfillment.stock import StockLevel
from contracts.payments.refunds import RefundMode
from contracts.sale import PaymentMethod
from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.storefront import Storefront
from deploy.demo.standins.delivering import WORST, Post, Trick
from deploy.demo.standins.paypal.shapes import value_of
from deploy.demo.standins.provider import payment_succeeded
from deploy.demo.standins.providers import Providers
from deploy.demo.standins.serving import InjectedFault
from deploy.local.system import System
from deploy.samples.merchants import GARANCE
from tests.journeys.sales import NOTEBOOK, PLENTY, a_sale

SALES_PER_SECOND = 4
PAID_SECONDS = 20.0
"""How long a refund waits for its payment, which may be lost until the end."""
END_SECONDS = 180.0
POLL_SECONDS = 0.2
FAULTS: tuple[int | InjectedFault, ...] = (
    429,
    500,
    503,
    InjectedFault(seconds=1.5),
    InjectedFault(status=500, after=True),
    InjectedFault(status=200, content=b"<html>upstream timed out</html>"),
    InjectedFault(status=502, content=b"", after=True),
)
"""What a provider's API does to every other refund, or at PayPal to whatever is asked of it next."""


@dataclass
class Bought:
    """A sale, and how much of it was given back."""

    sale: Sale
    refunded_minor: int = 0

    @property
    def payment_status(self) -> str:
        """What the order must read."""
        if not self.refunded_minor:
            return "paid"
        return "refunded" if self.refunded_minor == self.sale.total_minor else "partially_refunded"


@dataclass
class Soak:
    """The cast on a running system. `submitted` is for the auditor."""

    system: System
    chance: Random = field(default_factory=lambda: Random(secrets.randbits(32)))
    bought: list[Bought] = field(default_factory=list)
    faults: int = 0
    """How many calls of ours the providers' APIs failed."""
    lost: int = 0
    """How many webhooks the providers did not post until they were told to."""
    _seen: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)
    """The orders as of the last look; all customers share one, since each looking for itself is a load of its own."""

    async def __aenter__(self) -> Self:
        system, shop = self.system, GARANCE.shop
        self._open = AsyncExitStack()
        self.providers = Providers(system, shop, self.chance, WORST)
        await self._open.enter_async_context(self.providers)
        desk = MerchantDesk(system.url("orders"), system.secrets.api_tokens[shop])
        self.desk = await self._open.enter_async_context(desk)
        self.storefront = Storefront(shop, "shop")
        await self.storefront.open(system.amqp_url(self.storefront.login))
        self._open.push_async_callback(self.storefront.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def run(self, seconds: float) -> None:
        """Sell for so long, then let the provider send what it lost and wait until every order reads right."""
        await self.desk.set_stock([StockLevel(sku=NOTEBOOK, on_hand=PLENTY)])
        until = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as looking:
            look = looking.create_task(self._keep_looking())
            async with asyncio.TaskGroup() as customers:
                while asyncio.get_running_loop().time() < until:
                    method = self.chance.choice((PaymentMethod.CARD, PaymentMethod.PAYPAL))
                    customers.create_task(self._buy(a_sale(method=method)))
                    await asyncio.sleep(1 / SALES_PER_SECOND)
            look.cancel()
        await self.providers.settled()
        self.lost = self.providers.lost
        await self.providers.send_lost_ones()
        await self._all_read_right()

    @property
    def submitted(self) -> list[UUID]:
        """Return the ids of the submissions."""
        return [each.sale.event_id for each in self.bought]

    @property
    def forged(self) -> list[Post]:
        """Return the posts that had to be refused."""
        return [post for post in self.providers.journal.posts if post.trick is not Trick.NOTHING]

    @property
    def made(self) -> Mapping[str, list[int]]:
        """Return the amounts that each provider gave back, in minor units, the smallest first."""
        paypal = [value_of(one["amount"]) * 100 for one in self.providers.paypal.account.refunds.values()]
        stripe = [int(one["amount"]) for one in self.providers.stripe_api.refunds.values()]
        return {"stripe": sorted(stripe), "paypal": sorted(map(int, paypal))}

    @property
    def figures(self) -> str:
        """What happened, in one line for a reader."""
        posts = self.providers.journal.posts
        statuses = Counter(str(post.status or "no answer") for post in posts)
        answers = ", ".join(f"{status}: {times}" for status, times in sorted(statuses.items()))
        events = Counter(post.event_id for post in self.providers.journal.accepted())
        back = [each for each in self.bought if each.refunded_minor]
        return (
            f"{len(self.bought)} orders ({sum(one.sale.provider == 'paypal' for one in self.bought)} by PayPal), "
            f"{len(back)} refunds of {sum(one.refunded_minor for one in back) / 100:.2f} EUR, "
            f"{self.faults} troubles of the providers' APIs; {len(posts)} posts for {len(events)} events "
            f"({sum(number > 1 for number in events.values())} of them repeated, {self.lost} lost until sent again, "
            f"{len(self.forged)} frauds), answered {answers}"
        )

    async def _buy(self, sale: Sale) -> None:
        """One customer: pays before or after the order is submitted, and sometimes gets money back."""
        bought = Bought(sale)
        is_early = self.chance.random() < 0.3
        self.bought.append(bought)
        if is_early:
            self._pay(sale)
        await self.storefront.submit(sale)
        if not is_early:
            await asyncio.sleep(self.chance.uniform(0, 1))
            self._pay(sale)
        if self.chance.random() < 0.4 and await self._is_paid(sale):
            await self._refund(bought)

    def _pay(self, sale: Sale) -> None:
        if sale.provider == "paypal":
            value = f"{sale.total_minor / 100:.2f}"
            self.providers.paypal.account.pay(value, "EUR", order_id=sale.provider_reference)
        else:
            self.providers.stripe.send(payment_succeeded(sale, self.chance), sale.provider_reference)
            self.providers.stripe_api.paid[sale.provider_reference] = sale.total_minor

    async def _is_paid(self, sale: Sale) -> bool:
        """Return whether the payment arrives in time."""
        until = asyncio.get_running_loop().time() + PAID_SECONDS
        while asyncio.get_running_loop().time() < until:
            if self._seen.get(sale.event_id, {}).get("payment_status") == "paid":
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _refund(self, bought: Bought) -> None:
        amount = self.chance.choice((bought.sale.total_minor, 1000))
        if self.chance.random() < 0.5:
            is_paypal = bought.sale.provider == "paypal"
            api = self.providers.paypal.api if is_paypal else self.providers.stripe_api
            api.faults.append(self.chance.choice(FAULTS))
            self.faults += 1
        await self.desk.refund(bought.sale.event_id, amount, "EUR", mode=RefundMode.SENT)
        bought.refunded_minor = amount

    async def _keep_looking(self) -> None:
        while True:
            self._seen = await self._orders()
            await asyncio.sleep(POLL_SECONDS)

    async def _orders(self) -> Mapping[UUID, dict[str, Any]]:
        return {UUID(order["order_id"]): order for order in await self.desk.orders()}

    async def _all_read_right(self) -> None:
        until = asyncio.get_running_loop().time() + END_SECONDS
        while wrong := self._wrong(await self._orders()):
            assert asyncio.get_running_loop().time() < until, wrong
            await asyncio.sleep(POLL_SECONDS)

    def _wrong(self, orders: Mapping[UUID, dict[str, Any]]) -> list[str]:
        return [
            f"order {each.sale.event_id} should be {each.payment_status}, is {orders.get(each.sale.event_id)}"
            for each in self.bought
            if orders.get(each.sale.event_id, {}).get("payment_status") != each.payment_status
        ]
