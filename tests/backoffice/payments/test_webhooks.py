"""What the providers told, on pages: how each ended, what a person may do, and to whom none of it is shown.

The payments service that answers is the real one, over real HTTP.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from contracts.payments.accounts import PaymentUnmatched
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.payments.unmatched_pages import href_of
from services.payments import api
from tests.backoffice.browser import SHOP, Backoffice, Browser, Shown
from tests.backoffice.conftest import Backoffices
from tests.payments.builders import SLUG, charge, endpoint, event, intent_id, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks, cashdesks
from tests.payments.webhooks.test_webhook_before_its_order import fire_timers
from tests.serving import serving

__all__ = ["cashdesks"]
LIST = "/payments/webhooks"
ELSEWHERE = "another-shop"


@dataclass(frozen=True)
class Systems:
    """A back office and the payments service that it asks."""

    backoffice: Backoffice
    cashdesk: CashDesk

    async def path_of(self, type_: str) -> str:
        """The page of the one webhook of a type."""
        found = await self.cashdesk.desk.fetchval("SELECT id FROM webhook WHERE event_type = $1", type_)
        return f"{LIST}/{found}"


@pytest.fixture
async def systems(backoffices: Backoffices, cashdesks: CashDesks) -> AsyncIterator[Systems]:
    cashdesk = await cashdesks(
        stripe_endpoints=(endpoint(shop=SHOP), endpoint(slug="another-endpoint", shop=ELSEWHERE))
    )
    async with serving(api.build(cashdesk.hub, cashdesk.receiver, cashdesk.renderer)) as url:
        yield Systems(await backoffices(payments_url=url), cashdesk)


async def _posted(browser: Browser, page: str, suffix: str, **fields: str) -> Shown:
    (form,) = [one for one in (await browser.get(page)).forms if suffix in one.action]
    return await browser.post(form.action, form.filled(**fields))


async def test_each_webhook_is_shown_with_its_end_and_its_reason(systems: Systems) -> None:
    payment = intent_id()
    await systems.cashdesk.pay(
        event("charge.something_new", charge("ch_1", None)),
        event("payout.paid", {"id": "po_1", "object": "payout"}),
        succeeded(payment, 2500),
    )
    browser = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    parked = (await browser.get(LIST)).words
    assert "charge.something_new" in parked
    assert "The hub does not handle this event." in parked
    assert "3 received" in parked
    assert "payout.paid" not in parked
    assert "payout.paid" in (await browser.get(f"{LIST}?state=irrelevant")).words
    waiting = (await browser.get(f"{LIST}?state=waiting")).words
    assert all(one in waiting for one in (payment, "€25.00"))
    everything = (await browser.get(f"{LIST}?state=all")).words
    assert all(one in everything for one in ("charge.something_new", "payout.paid", payment))
    nonsense = await browser.get(f"{LIST}?state=nonsense")
    assert (nonsense.status, "Choose an option from the list." in nonsense.words) == (422, True)


async def test_a_parked_webhook_is_set_aside_and_looked_at_again(systems: Systems) -> None:
    await systems.cashdesk.pay(event("charge.something_new", charge("ch_1", None)))
    page, browser = await systems.path_of("charge.something_new"), await systems.backoffice.signed_in()
    refused = await _posted(browser, page, "set_aside", reason=" ")
    assert (refused.status, "Enter a reason" in refused.words) == (422, True)
    assert (await _posted(browser, page, "set_aside", reason="Vu chez Stripe")).status == 303
    assert "Webhook set aside." in (await browser.get(LIST)).words
    assert "Vu chez Stripe" in (await browser.get(page)).words
    assert (await _posted(browser, page, "redrive")).status == 303
    await systems.cashdesk.apply()
    assert "charge.something_new" in (await browser.get(LIST)).words
    actions = [row["action"] for row in await systems.backoffice.audit()]
    assert {"webhook.set_aside", "webhook.redrive"} <= set(actions)


async def test_foreign_money_is_closed_once_and_leaves_both_books(systems: Systems) -> None:
    payment = intent_id()
    await systems.cashdesk.pay(succeeded(payment, 2500))
    (report,) = [m for _, m in await fire_timers(systems.cashdesk) if isinstance(m, PaymentUnmatched)]
    await systems.backoffice.desk.deliver(report)
    browser = await systems.backoffice.signed_in()
    assert payment in (await browser.get("/payments/unmatched")).words
    page = href_of("stripe", payment)
    answer = await _posted(browser, page, "set_aside", reason="Lien de paiement personnel")
    assert answer.status == 303
    shown = (await browser.get("/payments/unmatched")).words
    assert "Payment set aside." in shown
    assert "Nothing to identify" in shown
    assert (await browser.get(page)).status == 404
    assert (
        await _posted(browser, await systems.path_of("payment_intent.succeeded"), "redrive")
    ).status == 303
    await systems.cashdesk.apply()
    assert payment in (await browser.get("/payments/unmatched")).words


async def test_money_named_for_another_shop_can_be_read_again_on_its_page(systems: Systems) -> None:
    payment = intent_id()
    await systems.cashdesk.pay(succeeded(payment, 2500, metadata={"comptoir_shop": ELSEWHERE}))
    page, browser = await systems.path_of("payment_intent.succeeded"), await systems.backoffice.signed_in()
    assert "It names another shop." in (await browser.get(page)).words
    assert (await _posted(browser, page, "redrive")).status == 303
    await systems.cashdesk.apply()
    assert payment in (await browser.get(f"{LIST}?state=waiting")).words


async def test_money_that_grew_is_shown_with_its_greatest_sum(systems: Systems) -> None:
    payment, browser = intent_id(), await systems.backoffice.signed_in()
    for amount in (2500, 4000, 3000):
        await systems.cashdesk.pay(succeeded(payment, amount))
        for _, report in await fire_timers(systems.cashdesk):
            if isinstance(report, PaymentUnmatched):
                await systems.backoffice.desk.deliver(report)
    copied = await systems.backoffice.desk.fetchval("select amount_minor from unmatched_payment")
    assert copied == 4000
    assert "€40.00" in (await browser.get("/payments/unmatched")).words


async def test_an_event_that_never_comes_is_warned_of(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    assert "never receives these events" not in (await browser.get(LIST)).words
    await systems.cashdesk.pay(event("charge.succeeded", charge("ch_1", intent_id())))
    shown = (await browser.get(LIST)).words
    assert "never receives these events" in shown
    assert "payment_intent.succeeded" in shown


async def test_an_owner_gets_from_an_address_to_its_test(systems: Systems) -> None:
    await systems.cashdesk.pay(event("charge.something_new", charge("ch_1", None)))
    tested = f'href="/settings/providers/{SLUG}#provider-test"'
    owner = await systems.backoffice.signed_in(Role.OWNER)
    assert tested in (await owner.get(LIST)).text
    assert 'id="provider-test"' in (await owner.get(f"/settings/providers/{SLUG}")).text
    accountant = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    assert "#provider-test" not in (await accountant.get(LIST)).text


async def test_who_sees_and_who_decides(systems: Systems) -> None:
    await systems.cashdesk.pay(event("charge.something_new", charge("ch_1", None)))
    page = await systems.path_of("charge.something_new")
    accountant = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    assert [form for form in (await accountant.get(page)).forms if "webhooks" in form.action] == []
    assert (await accountant.post(f"{page}/redrive", {})).status == 403
    fulfilment = await systems.backoffice.signed_in(Role.FULFILMENT)
    assert [(await fulfilment.get(path)).status for path in (LIST, page)] == [403, 403]
    elsewhere = await systems.backoffice.signed_in(Role.OWNER, shop="atelier")
    assert "charge.something_new" not in (await elsewhere.get(LIST)).words
    assert (await elsewhere.get(page)).status == 404


async def test_unavailable_payments_is_reported_and_nothing_is_done(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    assert "Payments service" in (await browser.get(LIST)).words
    assert (await browser.get(f"{LIST}/01a2241f-f4ce-7ffc-bff9-9afa988c2191")).status == 200
    assert (await browser.get(f"{LIST}/none")).status == 404
