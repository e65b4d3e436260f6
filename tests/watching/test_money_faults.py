"""Faults of money: webhooks, refunds, the ledger and disputes; each ends as its runbook says."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.demo.standins import stripe_disputes
from deploy.demo.standins.provider import payment_succeeded, sign
from deploy.demo.standins.providers import Providers
from deploy.demo.standins.serving import InjectedFault
from deploy.demo.standins.stripe_api import event_body
from deploy.local.prometheus.watching import Watch
from deploy.samples.merchants import GARANCE
from services.chassis.testing import wait_until
from services.payments.providers.stripe.needed import NEEDED
from tests.journeys.sales import INK, NOTEBOOK, PLENTY, a_sale
from tests.journeys.shop import Shop
from tests.watching.following import command_of, follow, last_hour
from tests.watching.operating import Staff
from tests.watching.provoking import PATIENCE_SECONDS, comptoir, wait_until_fire, wait_until_silent

REFUND = {"mode": "sent", "amount_minor": 2500, "currency": "EUR"}
HOUR = 3600
DAY = 24 * HOUR
LOOKED_AT = [
    ("effects-failing.md", "comptoir status payments"),
    ("effects-failing.md", "comptoir status notifier"),
    ("effect-uncertain.md", "comptoir status payments"),
    ("ledger-differs.md", "comptoir verify books"),
]
POST_EVERY_SECONDS = 0.4
POSTS = 60
"""So many webhooks an endpoint gets before they stop: the rule compares with windows before."""


@pytest.mark.timeout(400)
@pytest.mark.runbook(
    "webhooks-parked.md",
    "webhook-silence.md",
    "ledger-differs.md",
    "dispute-due.md",
    "effects-failing.md",
    "effect-uncertain.md",
)
async def test_money_that_needs_a_person_is_seen_and_decided(watch: Watch) -> None:
    began, system = time.time(), watch.system
    providers = Providers(system, GARANCE.shop, Random())
    stripe, api = providers.stripe, providers.stripe_api
    refused, uncertain, disputed, lost, late = [a_sale() for _ in range(5)]
    async with Shop(system, system.mail_folder) as shop, providers, Staff(system) as staff:
        await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})
        await shop.order(refused, uncertain, disputed, lost)
        for sale in (refused, uncertain, disputed, late):
            await stripe.report_payment(sale)
        for sale in (refused, uncertain, disputed):
            await shop.until_order(str(sale.event_id), payment_status="paid")
        strange = json.dumps({"id": f"evt_{secrets.token_hex(12)}", "type": "moon.eclipsed"}).encode()
        assert await shop.post_webhook(strange) == httpx2.codes.OK
        stripe.lose_payment(lost)
        elsewhere = payment_succeeded(a_sale(), Random(), int(time.time()) - 4 * HOUR)
        api.lists.happened(elsewhere)
        await staff.submit(
            (await staff.open("/payments/reconciliation")).form("/payments/reconciliation/run")
        )
        dispute = stripe_disputes.opened(disputed)
        dispute["evidence_details"]["due_by"] = int(time.time()) + DAY
        await stripe.deliver(event_body("charge.dispute.created", dispute), disputed.provider_reference)
        api.paid[refused.provider_reference] = 1
        await shop.do(f"/orders/{refused.event_id}/refunds", REFUND)
        doubt = await _lose_the_answer(shop, providers, str(uncertain.event_id))

        await wait_until_fire(
            watch,
            ("ComptoirWebhooksParked", ""),
            ("ComptoirWebhooksWaiting", ""),
            ("ComptoirWebhooksMissed", 'provider="stripe"'),
            ("ComptoirLedgerDiffers", 'side="theirs"'),
            ("ComptoirDisputeDue", ""),
            ("ComptoirEffectsFailing", 'service="payments",kind="refund"'),
            ("ComptoirEffectUncertain", 'service="payments",kind="refund"'),
            since=began,
        )
        for page, line in LOOKED_AT:
            status, output = await follow(watch, page, line)
            assert status == 0, output
        await _check_webhooks(watch, providers)

        await _set_aside(shop, staff)
        await shop.order(late)
        await _resolve(shop, staff)
        answered = {**dispute, "status": "under_review"}
        await stripe.deliver(event_body("charge.dispute.updated", answered), disputed.provider_reference)
        api.paid.clear()
        again = await shop.do(f"/orders/{refused.event_id}/refunds", REFUND)
        assert again["outcome"]["type"] == "payments.refund.sent.v1", again
        settled = await shop.do(doubt, {"verdict": "ask_again"})
        assert settled["state"] == "done", settled
        for sale in (lost, late):
            await shop.until_order(str(sale.event_id), payment_status="paid")
        await wait_until_silent(
            watch,
            *("ComptoirWebhooksParked", "ComptoirWebhooksWaiting", "ComptoirWebhooksMissed"),
            *("ComptoirLedgerDiffers", "ComptoirDisputeDue"),
            *("ComptoirEffectsFailing", "ComptoirEffectUncertain", "ComptoirAuditor"),
        )


@pytest.mark.timeout(400)
@pytest.mark.runbook("webhooks-unread.md", "effects-failing.md", "webhooks-refused.md", "webhook-silence.md")
async def test_payments_that_cannot_work_and_a_changed_secret_are_seen_and_corrected(watch: Watch) -> None:
    system = watch.system
    async with (
        Shop(system, system.mail_folder) as shop,
        Staff(system) as staff,
        _Endpoint(watch, staff) as added,
    ):
        await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})
        paid, owed = a_sale(), a_sale()
        await shop.order(paid, owed)
        await shop.report(paid)
        await shop.until_order(str(paid.event_id), payment_status="paid")
        await shop.ask(f"/orders/{paid.event_id}/refunds", REFUND)
        async with _locked_accounts(system.databases["payments"]):
            await shop.report(owed)
            await wait_until_fire(
                watch,
                ("ComptoirWebhooksUnread", ""),
                ("ComptoirEffectsOld", 'service="payments",kind="refund"'),
            )
            status, output = await follow(watch, "webhooks-unread.md", "comptoir status payments")
            assert status == 0, output
        await shop.until_order(str(owed.event_id), payment_status="paid")
        async with Providers(system, GARANCE.shop, Random()) as providers:
            await shop.until_order(str(paid.event_id), payment_status="refunded")
            await providers.settled()
        await wait_until(lambda: added.accepted >= POSTS, PATIENCE_SECONDS)

        await added.change_at_the_provider()
        await wait_until_fire(
            watch,
            ("ComptoirWebhooksForged", f'endpoint="{added.slug}"'),
            ("ComptoirWebhookSilence", f'endpoint="{added.slug}"'),
        )
        await added.enter_the_new_secret()
        await wait_until_silent(
            watch,
            *("ComptoirWebhooksUnread", "ComptoirEffectsOld"),
            *("ComptoirWebhooksForged", "ComptoirWebhookSilence", "ComptoirAuditor"),
        )


@pytest.mark.timeout(400)
@pytest.mark.runbook("auditor.md")
async def test_messages_that_a_queue_lost_are_found_and_sent_again(watch: Watch) -> None:
    system = watch.system
    async with Shop(system, system.mail_folder) as shop:
        await shop.count_stock({NOTEBOOK: PLENTY, INK: PLENTY})
        sale = a_sale()
        [order] = await shop.order(sale)
        await system.supervisor.stop("orders")
        try:
            await shop.report(sale)
            await wait_until(lambda: _is_published(shop, order), PATIENCE_SECONDS)
            await system.purge("orders")
        finally:
            await system.start("orders")
        await wait_until_fire(watch, ("ComptoirAuditor", ""))
        _, *audit = command_of("auditor.md", "comptoir audit")
        status, output = await comptoir(watch, *audit, "--quiet-seconds", "2")
        assert (status, order in output) == (1, True), output
        resync = "comptoir resync payments orders --shop maison"
        status, output = await follow(watch, "auditor.md", resync, {"maison": GARANCE.shop})
        assert status == 0, output
        period = "payments orders --from 2026-11-28T08:00Z --to 2026-11-28T10:00Z"
        status, output = await follow(watch, "auditor.md", f"comptoir lost count {period}", last_hour())
        assert (status, "never handled by orders" in output) == (1, True), output
        status, output = await follow(watch, "auditor.md", f"comptoir lost send {period}", last_hour())
        assert status == 0, output
        await shop.until_order(order, payment_status="paid")
        await wait_until_silent(watch, "ComptoirAuditor", "ComptoirDown", "ComptoirQueueUnread")
        status, output = await follow(watch, "auditor.md", "comptoir audit")
        assert status == 0, output


async def _lose_the_answer(shop: Shop, providers: Providers, order: str) -> str:
    """Have a refund sent whose answer is lost, and then let the provider not say whether it has it; return the path
    of the decision on it.
    """
    api = providers.stripe_api
    key, requests = api._key, api.requests
    api.faults.append(InjectedFault(status=500, seconds=1.0))
    pending = asyncio.create_task(shop.ask(f"/orders/{order}/refunds", REFUND))
    await wait_until(lambda: api.requests > requests, PATIENCE_SECONDS)
    api._key = "replaced"
    assert (await pending).is_success
    [refund] = (await shop.until_order(order, flags=["refund_uncertain"]))["refunds"]
    api._key = key
    return f"/orders/{order}/refunds/{refund['refund_id']}/settlement"


async def _check_webhooks(watch: Watch, providers: Providers) -> None:
    """Run the command that lists the events which an endpoint does not send: before and after it is corrected."""
    line = "python -m services.payments webhooks-check"
    left_out, [endpoint] = "payment_intent.succeeded", providers.stripe_api.webhook_endpoints
    every, endpoint["enabled_events"] = endpoint["enabled_events"], [one for one in NEEDED if one != left_out]
    status, output = await follow(watch, "webhook-silence.md", line)
    assert (status, left_out in output) == (1, True), output
    endpoint["enabled_events"] = every
    status, output = await follow(watch, "webhook-silence.md", line)
    assert left_out not in output, output


async def _set_aside(shop: Shop, staff: Staff) -> None:
    """Set aside every parked webhook of the shop."""
    async with shop.client("payments") as http:
        answer = await http.get("/internal/webhooks", params={"state": "parked", "shop": shop.name})
    await staff.open("/payments/webhooks?state=parked", "moon.eclipsed")
    for webhook in answer.json()["webhooks"]:
        path = f"/payments/webhooks/{webhook['id']}"
        shown = await staff.open(path, "Reprocess", "Set it aside")
        await staff.submit(shown.form(f"{path}/set_aside"), reason="made up by a test")


async def _resolve(shop: Shop, staff: Staff) -> None:
    """Resolve every difference that the reconciliation found."""
    async with shop.client("payments") as http:
        answer = await http.get("/internal/reconciliation", params={"shop": shop.name})
    shown = await staff.open("/payments/reconciliation", "Resolve the difference")
    for finding in answer.json()["findings"]:
        form = shown.form(f"/payments/reconciliation/{finding['id']}/resolve")
        await staff.submit(form, note="made up by a test")


@asynccontextmanager
async def _locked_accounts(database_url: str) -> AsyncIterator[None]:
    """The body runs while somebody locks the accounts."""
    connection: Any = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def _is_published(shop: Shop, order: str) -> bool:
    """Return whether payments knows that an order was paid, and has published everything."""
    async with shop.client("payments") as http:
        account = (await http.get(f"/internal/accounts/{shop.name}/{order}")).json()
        outbox = (await http.get("/internal/operations")).json()["outbox"]
    return "payment_received" in json.dumps(account) and outbox["messages"] == 0


class _Endpoint:
    """An endpoint that an owner adds in the back office. Until the end of `async with` the provider posts to it,
    signed with the secret that it has.
    """

    def __init__(self, watch: Watch, staff: Staff) -> None:
        self.slug = f"added-{secrets.token_hex(4)}"
        self._url = f"{watch.system.url('payments')}/webhooks/stripe/{self.slug}"
        self._staff, self._secret = staff, _new_secret()
        self.accepted = 0

    async def __aenter__(self) -> "_Endpoint":
        form = (await self._staff.open("/settings/providers/add/stripe")).form(
            "/settings/providers/add/stripe"
        )
        given = {"slug": self.slug, "mode": "test", "password_signing_secret": self._secret}
        await self._staff.submit(form, **given)
        self._posting = asyncio.create_task(self._post())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._posting.cancel()
        with suppress(asyncio.CancelledError):
            await self._posting
        page = await self._staff.open(f"/settings/providers/{self.slug}")
        await self._staff.submit(page.form(f"/settings/providers/{self.slug}/remove"))

    async def change_at_the_provider(self) -> None:
        """Let the provider sign with another secret from now on."""
        self._secret = _new_secret()

    async def enter_the_new_secret(self) -> None:
        """Enter it in the back office."""
        page = await self._staff.open(f"/settings/providers/{self.slug}", self.slug)
        form = page.form(f"/settings/providers/{self.slug}/change")
        chosen = {"mode": "test", "kept_hours": "24", "password_signing_secret": self._secret}
        await self._staff.submit(form, **chosen)

    async def _post(self) -> None:
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            while True:
                body = event_body(
                    "customer.created", {"id": f"cus_{secrets.token_hex(8)}", "object": "customer"}
                )
                signature = sign(body, self._secret, int(time.time()))
                headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
                with suppress(httpx2.TransportError):
                    answer = await http.post(self._url, content=body, headers=headers)
                    self.accepted += answer.is_success
                await asyncio.sleep(POST_EVERY_SECONDS)


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(24)}"
