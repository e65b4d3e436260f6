"""One run: storefronts sell, the provider reports payments, the merchant works, until every order is at its
end.

Everything happens at once, as in life: the merchant packs early orders while later ones are still being
submitted.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.storefront import OrderAccepted
from deploy.demo.expecting import End, expected_end
from deploy.demo.merchantdesk import CommandRefused, MerchantDesk, NoOutcome
from deploy.demo.money.reconciliation import NotReconciled, lost_payments, reconcile
from deploy.demo.sales.carts import Cart, wrong_ends
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.sales.storefront import Answer, Storefront
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.standins.delivering import Trick
from deploy.demo.standins.providers import Providers
from deploy.local.system import System

ORDERS_PER_SECOND = 40
ANSWER_SECONDS = 30.0
END_SECONDS = 30.0
POLL_SECONDS = 0.2
TRICKS = {"stripe": (Trick.FORGED, Trick.CHANGED, Trick.OLD), "paypal": (Trick.FORGED, Trick.CHANGED)}
"""What frauds try in each provider's name; PayPal's signatures do not age."""


@dataclass
class Outcome:
    """What a run has brought: answers by event id, orders as the REST API lists them, the states of carts that
    are none, how many lost webhooks were found, and what went wrong."""

    answers: dict[UUID, Answer] = field(default_factory=dict)
    orders: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    carts: dict[UUID, str] = field(default_factory=dict)
    reconciled: int = 0
    wrong: list[str] = field(default_factory=list)


class Play:
    """The cast of one run, on a running system."""

    def __init__(self, system: System, script: Script, show: Show, providers: Providers) -> None:
        self.system, self.script, self.show = system, script, show
        self.providers = providers
        shop = script.merchant.shop
        self.desk = MerchantDesk(system.url("orders"), system.secrets.api_tokens[shop])
        self.storefronts = {
            module.value: Storefront(shop, module.value, self._receive) for module in script.merchant.modules
        }
        self.outcome = Outcome()
        self._sales = {sale.event_id: sale for sale in script.sales}
        self._works: set[asyncio.Task[None]] = set()
        self._answered = asyncio.Event()
        self._submitted = 0
        self._here_before: set[UUID] = set()

    async def run(self) -> Outcome:
        """Play it all. What did not go as written is told in the outcome, not raised."""
        async with self.desk:
            try:
                await self._open()
                async with self.show.counting(self._counts):
                    await self._sell()
                    await self._all_answered()
                    await self._find_lost_payments()
                    await asyncio.gather(*self._works)
                    await self._all_at_their_end()
                    await self.providers.settled()
                    await self.providers.read()
                    await self._carts_at_their_end()
            finally:
                await self._close()
        self.outcome.wrong += self._wrong_answers()
        return self.outcome

    async def _open(self) -> None:
        self._here_before = {UUID(order["order_id"]) for order in await self.desk.orders()}
        self.show.step(f"{len(self.script.stock)} SKUs are counted and set over the REST API")
        await self.desk.set_stock(self.script.stock)
        for storefront in self.storefronts.values():
            await storefront.open(self.system.amqp_url(storefront.login))
        online = Counter(
            sale.provider for sale in self.script.placed if sale.story.online is not OnlineStory.NEVER
        )
        self.show.step(
            f"{len(self.script.sales)} sales are submitted over AMQP by {len(self.storefronts)} storefront modules, "
            f"{online['stripe']} of them paid by card and {online['paypal']} by PayPal"
        )

    async def _close(self) -> None:
        """First no new orders are placed, then the work on known ones ends, then its tools are put away."""
        for storefront in self.storefronts.values():
            await storefront.close()
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def _sell(self) -> None:
        """Some payments are reported and some frauds tried before the first order is submitted."""
        await self._try_tricks()
        early = [sale for sale in self.script.placed if sale.story.online is OnlineStory.EARLY]
        await asyncio.gather(*(self.providers.report_payment(sale) for sale in early))
        await self.providers.settled()
        for sale in lost_payments(self.script.placed):
            self.providers.stripe.lose_payment(sale)
        for cart in self.script.left:
            await self._announce_cart(cart)
        pause = 1 / ORDERS_PER_SECOND
        for sale in self.script.sales:
            if cart_of_sale := self.script.carts.get(sale.event_id):
                await self._announce_cart(cart_of_sale)
            await self.storefronts[sale.module].submit(sale)
            self._submitted += 1
            await asyncio.sleep(pause)

    async def _announce_cart(self, cart: Cart) -> None:
        for message in cart.messages:
            await self.storefronts[cart.module.value].publish(message)

    async def _try_tricks(self) -> None:
        """Frauds claim payments of orders that are never paid: one that worked would change how those end."""
        unpaid = [sale for sale in self.script.placed if sale.story.online is OnlineStory.NEVER]
        for provider, tricks in TRICKS.items():
            claimed = [sale for sale in unpaid if sale.provider == provider]
            for sale, trick in zip(claimed, tricks, strict=False):
                status = await self.providers.trick(sale, trick)
                if status is None or not 400 <= status < 500:
                    self.outcome.wrong.append(f"a webhook that was {trick} got {status} instead of a refusal")

    async def _receive(self, storefront: Storefront, event_id: UUID, answer: Answer) -> None:
        self.outcome.answers.setdefault(event_id, answer)
        sale = self._sales.get(event_id)
        if isinstance(answer, OrderAccepted) and sale is not None and sale.is_placed:
            work = asyncio.create_task(self._live(sale))
            self._works.add(work)
        if len(self.outcome.answers) == len(self._sales):
            self._answered.set()

    async def _live(self, sale: Sale) -> None:
        """What happens to an order once it is placed."""
        times = {OnlineStory.ONCE: 1, OnlineStory.TWICE: 2}.get(sale.story.online, 0)
        try:
            await asyncio.gather(self._pay(sale, times), self.desk.work_on(sale))
        except (CommandRefused, NoOutcome) as error:
            self.outcome.wrong.append(str(error))

    async def _pay(self, sale: Sale, times: int) -> None:
        if times:
            await self.providers.report_payment(sale, times)

    async def _all_answered(self) -> None:
        if not self._sales:
            return
        try:
            await asyncio.wait_for(self._answered.wait(), ANSWER_SECONDS)
        except TimeoutError:
            missing = sorted(set(self._sales) - set(self.outcome.answers))
            self.outcome.wrong.append(
                f"{len(missing)} submissions got no answer: {', '.join(map(str, missing[:5]))}"
            )

    async def _find_lost_payments(self) -> None:
        """Have the provider's list compared with what arrived, if a report was lost."""
        if lost_payments(self.script.placed):
            try:
                self.outcome.reconciled = await reconcile(self.system, self.script.merchant.shop)
            except NotReconciled as error:
                self.outcome.wrong.append(str(error))

    async def _all_at_their_end(self) -> None:
        """Wait until every order stands where its story ends; what does not is wrong."""
        expected = {sale.event_id: expected_end(sale) for sale in self.script.placed}
        deadline = asyncio.get_running_loop().time() + END_SECONDS
        while True:
            listed = {UUID(order["order_id"]): order for order in await self.desk.orders()}
            self.outcome.orders = {i: order for i, order in listed.items() if i not in self._here_before}
            late = [order_id for order_id, end in expected.items() if not self._is_at(order_id, end)]
            if not late and len(self.outcome.orders) == len(expected):
                return
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(POLL_SECONDS)
        self.outcome.wrong += [
            f"order {order_id} should end as {expected[order_id]}, is {self._state(order_id)}"
            for order_id in late
        ]
        self.outcome.wrong += [
            f"order {i} should not exist" for i in self.outcome.orders.keys() - expected.keys()
        ]

    async def _carts_at_their_end(self) -> None:
        """Wait until every cart that nobody submits is where it must be; what is not is wrong."""
        deadline = asyncio.get_running_loop().time() + END_SECONDS
        while True:
            listed = await self.desk.orders(state=["abandoned", "in_checkout"])
            self.outcome.carts = {UUID(order["order_id"]): order["state"] for order in listed}
            wrong = wrong_ends(self.script.left, self.outcome.carts)
            if not wrong or asyncio.get_running_loop().time() > deadline:
                self.outcome.wrong += wrong
                return
            await asyncio.sleep(POLL_SECONDS)

    def _is_at(self, order_id: UUID, end: End) -> bool:
        return self._state(order_id) == str(end)

    def _state(self, order_id: UUID) -> str:
        order = self.outcome.orders.get(order_id)
        if order is None:
            return "not listed"
        return f"{order['state']}, {order['payment_status']}, {order['fulfilment_status']}"

    def _wrong_answers(self) -> list[str]:
        """Answers that differ from what each sale must get."""
        return [
            f"submission {event_id} ({sale.submission.idempotency_key}): {problem}"
            for event_id, sale in self._sales.items()
            if (answer := self.outcome.answers.get(event_id)) is not None
            and (problem := wrong_answer(sale, answer)) is not None
        ]

    def _counts(self) -> dict[str, str]:
        accepted = sum(isinstance(answer, OrderAccepted) for answer in self.outcome.answers.values())
        done = self.desk.done
        return {
            "submitted": f"{self._submitted}/{len(self.script.sales)}",
            "accepted": str(accepted),
            "refused": str(len(self.outcome.answers) - accepted),
            "webhooks": str(len(self.providers.journal.posts)),
            "payments by hand": str(done["payments recorded"]),
            "parcels": str(done["parcels packed"]),
            "shipments": str(done["shipments dispatched"]),
            "deliveries": str(done["deliveries recorded"]),
        }


def wrong_answer(sale: Sale, answer: Answer) -> str | None:
    """What is wrong with the answer to a sale; None when it is right."""
    if isinstance(answer, OrderAccepted):
        if sale.refusals or sale.body is not None:
            return f"was accepted, should be refused for {', '.join(sorted(sale.refusals)) or 'its form'}"
        first = sale.repeats or sale.event_id
        return (
            None
            if answer.order_id == first
            else f"was answered as order {answer.order_id}, should be {first}"
        )
    codes = {reason.code for reason in answer.reasons}
    if sale.is_placed or sale.repeats:
        return f"was refused for {', '.join(sorted(codes))}, should be accepted"
    missing = sale.refusals - codes
    return (
        f"was refused for {', '.join(sorted(codes))}, not for {', '.join(sorted(missing))}"
        if missing
        else None
    )


def refusals_of(outcome: Outcome, script: Script) -> Counter[str]:
    """Refused orders by their first reason: those Comptoir refused and those turned away before."""
    counted: Counter[str] = Counter(rejected.reasons[0].code for rejected in script.rejected)
    for answer in outcome.answers.values():
        if not isinstance(answer, OrderAccepted):
            counted[answer.reasons[0].code] += 1
    return counted
