"""A slow storefront: customers keep coming, so that the list of a running demo lives.

Every module sells now and then. Payments by card and PayPal are reported by signed webhooks some seconds later, unless
the customer left without paying; cheques, transfers and cash wait for the person at the back office, like all packing
and shipping.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from random import Random

from contracts.sale import Module
from deploy.demo.sales.orders import a_sale
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.sales.storefront import NOT_CONFIRMED, Storefront
from deploy.demo.script import Script
from deploy.demo.standins.providers import Providers
from deploy.local.system import System
from deploy.samples.habits import HABITS

PAUSE_SECONDS = 20.0
"""Between two customers, on average."""
LONGEST_PAUSE = 3
"""In average pauses: nobody sits longer before a list that stands still."""
FIRST_NUMBER = 50_001
"""Of these sales; those of the play are numbered from 1."""
_TIMES = {OnlineStory.NEVER: 0, OnlineStory.ONCE: 1, OnlineStory.TWICE: 2, OnlineStory.EARLY: 1}


class Trickle:
    """Customers of a script's merchant on a running system. `sold` counts them."""

    def __init__(
        self, system: System, script: Script, providers: Providers, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self.sold = 0
        self._system, self._shop, self._pause_seconds = system, script.merchant.shop, pause_seconds
        self._modules = script.merchant.modules
        self._chance = Random()
        self._providers = providers

    async def run(self) -> None:
        """Sell until cancelled."""
        storefronts = {module: Storefront(self._shop, module.value) for module in self._modules}
        try:
            for storefront in storefronts.values():
                await storefront.open(self._system.amqp_url(storefront.login))
            await self._sell(storefronts)
        finally:
            for storefront in storefronts.values():
                await storefront.close()

    async def _sell(self, storefronts: Mapping[Module, Storefront]) -> None:
        weights = [HABITS[module].orders for module in self._modules]
        async with asyncio.TaskGroup() as customers:
            for number in count(FIRST_NUMBER):
                (module,) = self._chance.choices(self._modules, weights)
                sale = a_sale(self._chance, module, number, datetime.now(UTC))
                customers.create_task(self._buy(storefronts[module], sale))
                await asyncio.sleep(self._pause())

    async def _buy(self, storefront: Storefront, sale: Sale) -> None:
        """One customer, who gives up when the broker is unavailable for a minute."""
        try:
            await storefront.submit(sale)
        except NOT_CONFIRMED:
            return
        self.sold += 1
        if times := _TIMES[sale.story.online]:
            await asyncio.sleep(self._chance.uniform(0.05, 0.5) * self._pause_seconds)
            await self._providers.report_payment(sale, times)

    def _pause(self) -> float:
        whole = self._chance.expovariate(1 / self._pause_seconds)
        return min(whole, LONGEST_PAUSE * self._pause_seconds)
