"""Small scripts of whole lives for journeys and tests of faults: a few shop orders that pass through every service.

Each call gives fresh sales: no key, provider reference or id is ever used twice on one system.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from random import Random
from uuid import UUID

from rich.console import Console

from contracts.sale import Module, PaymentMethod
from deploy.auditor.auditing import QUIET_SECONDS, audit, until_quiet
from deploy.auditor.finding import Violation
from deploy.auditor.inputs import Journals, open_inputs
from deploy.demo.merchantdesk import CommandRefused, MerchantDesk, NoOutcome
from deploy.demo.play import Outcome, Play
from deploy.demo.sales.orders import demo_sales, demo_stock
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.standins.delivering import Journal
from deploy.demo.standins.providers import Providers
from deploy.local.mailserver import read_journal
from deploy.local.system import ShopSetup, System
from deploy.samples.merchants import GARANCE
from tests.lives.timeline import where_everything_stands

SETUP = ShopSetup(GARANCE.profile, [module.value for module in GARANCE.modules])
QUICK = {"COMPTOIR_LEASE_SECONDS": "1", "COMPTOIR_EFFECT_LEASE_SECONDS": "2", "COMPTOIR_RETRY_SECONDS": "0.2"}
"""Leases of a dead process end soon, so that a test need not wait for them."""


def some_lives(count: int = 4) -> Script:
    """Shop orders that are paid (by card, one early, one twice; by hand), sent with a mail, and delivered."""
    found = [_fresh(sale) for sale in demo_sales(secrets.randbits(48)) if _goes_all_the_way(sale)]
    stories = (OnlineStory.EARLY, OnlineStory.TWICE, OnlineStory.ONCE)
    cards = [sale for sale in found if sale.story.online is not OnlineStory.NEVER][: max(1, count - 1)]
    by_hand = [sale for sale in found if sale.story.online is OnlineStory.NEVER]
    sales = [*cards, *by_hand][:count]
    fields = {
        sale.event_id: sale.with_story(replace(sale.story, online=story))
        for sale, story in zip(cards, stories, strict=False)
    }
    return Script(GARANCE, demo_stock(), [fields.get(sale.event_id, sale) for sale in sales])


def many_lives(count: int) -> Script:
    """Enough of them that a fault comes in the middle."""
    sales: list[Sale] = []
    while len(sales) < count:
        sales += some_lives(count - len(sales)).sales
    return Script(GARANCE, demo_stock(), sales)


def _goes_all_the_way(sale: Sale) -> bool:
    return (
        sale.is_placed
        and sale.submission.module is Module.SHOP
        and any(dispatch.notify_customer for dispatch in sale.story.dispatches)
        and sale.submission.payment is not None
        and sale.submission.payment.method is not PaymentMethod.CASH
    )


def _fresh(sale: Sale) -> Sale:
    key = f"{sale.submission.idempotency_key}-{secrets.token_hex(4)}"
    return replace(sale, submission=sale.submission.model_copy(update={"idempotency_key": key}))


class History:
    """What storefronts and provider wrote down over all plays on one system, for the auditor."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._submitted: list[UUID] = []
        self._webhooks: list[str] = []

    async def play(self, script: Script) -> Outcome:
        """Play a script to its end and remember its journals."""
        providers = Providers(self._system, GARANCE.shop, Random())
        play = Play(self._system, script, Show(_silent()), providers)
        try:
            async with providers:
                return await play.run()
        except (CommandRefused, NoOutcome) as error:
            raise AssertionError(f"{error}\n{await where_everything_stands(self._system)}") from error
        finally:
            self._submitted += [
                i for storefront in play.storefronts.values() for i in storefront.submitted_at
            ]
            self._webhooks += [post.event_id for post in providers.journal.accepted()]

    def remember(self, submitted: Sequence[UUID], webhooks: Journal) -> None:
        """Keep for the auditor what was submitted and posted besides plays."""
        self._submitted += submitted
        self._webhooks += [post.event_id for post in webhooks.accepted()]

    async def refund(self, order_id: UUID) -> None:
        """Write down that a euro of an order's money went back: what fulfillment hears of payments."""
        token = self._system.secrets.api_tokens[GARANCE.shop]
        async with MerchantDesk(self._system.url("orders"), token) as desk:
            await desk.refund(order_id, 100, "EUR")

    async def quiet(self) -> None:
        """Return once nothing is under way."""
        async with open_inputs(self._system.databases, Journals(submitted=self._submitted)) as inputs:
            await until_quiet(inputs, QUIET_SECONDS)

    async def violations(self) -> list[Violation]:
        """What the auditor finds in everything that happened so far, once all is quiet."""
        await self.quiet()
        journals = Journals(
            submitted=list(self._submitted),
            accepted_webhooks=list(self._webhooks),
            mails=[mail.message_id for mail in read_journal(self._system.mail_journal)],
        )
        return await audit(self._system.databases, journals)


def _silent() -> Console:
    return Console(file=StringIO())
