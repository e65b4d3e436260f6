"""What webhooks missed is found in the provider's own lists, posted once, and shown where one side lacks it."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.demo.standins.stripe_api import StripeApi
from deploy.local.ports import free_ports
from services.payments.reconciliation import run_store
from services.payments.reconciliation.comparisons import COMPARISONS
from services.payments.reconciliation.running import Reconciler
from tests.builders.orders import SHOP
from tests.payments.builders import (
    STARTED,
    as_body,
    dispute,
    endpoint,
    event,
    placed,
    refund,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.disputes.test_disputes import REINSTATED, WITHDRAWN

KEY = "sk_test_of-the-tests-0001"
AUTH = {"authorization": "Bearer a-token-for-tests-only"}
Listeners = Callable[[], Awaitable[CashDesk]]


async def nobody(_: bytes) -> None:
    """Post nothing: what the stand-in does is found in its lists."""


@pytest.fixture
async def stripe() -> AsyncIterator[StripeApi]:
    async with StripeApi(free_ports(1)[0], KEY, nobody) as api:
        yield api


def story(names: str) -> list[dict[str, Any]]:
    """What happens at Stripe to the payments of three orders, hours ago."""
    first, second, third = (f"pi_{names}{n}" for n in range(3))
    lost = {**WITHDRAWN, "id": f"txn_{names}1"}
    won = [{**WITHDRAWN, "id": f"txn_{names}2"}, {**REINSTATED, "id": f"txn_{names}3"}]
    opened = (f"du_{names}2", second, "needs_response")
    story_ = [
        succeeded(first, at=10),
        succeeded(second, at=20),
        succeeded(third, at=30),
        event("refund.created", refund(f"re_{names}", first, 1500), 100),
        event(
            "charge.dispute.created",
            dispute(*opened, balance_transactions=won[:1]),
            210,
        ),
        event("charge.dispute.closed", dispute(f"du_{names}2", second, "won", balance_transactions=won), 300),
        event(
            "charge.dispute.created", dispute(f"du_{names}3", third, "lost", balance_transactions=[lost]), 320
        ),
    ]
    begun = int(time.time()) - 3 * 3600 - 1800
    for one in story_:
        one["created"] = begun + one["created"] - STARTED
    return story_


async def open_desk(cashdesks: CashDesks, stripe: StripeApi) -> CashDesk:
    cashdesk = await cashdesks(stripe_endpoints=(endpoint(api_key=KEY),), stripe_api_url=stripe.url)
    reconciler = Reconciler(cashdesk.hub, COMPARISONS)
    cashdesk.reconciler = reconciler  # type: ignore[attr-defined]
    return cashdesk


async def reconcile(cashdesk: CashDesk, since: timedelta = timedelta(hours=6)) -> None:
    """Run every list that is due, from so long ago, and apply what was found."""
    await cashdesk.hub.pool.execute("UPDATE reconcile_run SET ended_at = now() - interval '2 days'")
    reconciler: Reconciler = cashdesk.reconciler  # type: ignore[attr-defined]
    first = await cashdesk.desk.fetchval("SELECT count(*) FROM reconcile_run")
    if not first:
        async with cashdesk.hub.acquire() as connection:
            await run_store.add_runs(connection, reconciler.active()[1], cashdesk.hub.clock.now())
    await cashdesk.hub.pool.execute("UPDATE reconcile_run SET reached_at = now() - $1::interval", since)
    for _ in COMPARISONS:
        assert await reconciler.run_due(cashdesk.hub)
        await cashdesk.apply()


async def books(cashdesk: CashDesk) -> list[tuple[Any, ...]]:
    """The ledger by order, without what tells who brought it first."""
    rows = await cashdesk.desk.fetch(
        """SELECT e.order_id, kind, e.amount_minor, e.provider, e.object_id, e.step, e.occurred_at, a.balance_minor,
               a.disputed_minor, a.flags::text
           FROM ledger_entry e JOIN account a USING (shop, order_id) ORDER BY 1, 2, 5, 6"""
    )
    return [tuple(row) for row in rows]


@pytest.mark.timeout(240)
async def test_whatever_webhooks_are_lost_the_ledger_is_the_same_after_reconciliation(
    cashdesks: CashDesks, stripe: StripeApi
) -> None:
    story_ = story("x")
    orders = [placed(reference=f"pi_x{n}") for n in range(3)]
    for one in story_:
        stripe.lists.happened(as_body(one))
    expected = None
    for seed in range(7):
        cashdesk, chance = await open_desk(cashdesks, stripe), random.Random(seed)
        for order in orders:
            await cashdesk.desk.deliver(order)
        kept = story_ if seed == 0 else [one for one in story_ if chance.random() < 0.4]
        await cashdesk.pay(*chance.sample(kept, len(kept)))
        await reconcile(cashdesk)
        found = await books(cashdesk)
        expected = expected or found
        assert found == expected, f"seed {seed}"
        sources = await cashdesk.desk.fetch("SELECT event_id, source FROM webhook")
        assert {row["event_id"] for row in sources} == {one["id"] for one in story_}
        pushed = {row["event_id"] for row in sources if row["source"] == "push"}
        assert pushed == {one["id"] for one in kept}
        assert await cashdesk.desk.fetchval("SELECT count(*) FROM reconcile_finding") == 0
        await reconcile(cashdesk)
        assert await books(cashdesk) == expected


async def test_what_a_list_brought_bears_its_origin_and_a_late_webhook_is_a_repeat(
    cashdesks: CashDesks, stripe: StripeApi
) -> None:
    cashdesk, [paid, *_] = await open_desk(cashdesks, stripe), story("y")
    order = placed(reference="pi_y0")
    await cashdesk.desk.deliver(order)
    stripe.lists.happened(as_body(paid))
    await reconcile(cashdesk)
    entries = "SELECT source FROM ledger_entry WHERE kind = 'payment_received'"
    assert [row["source"] for row in await cashdesk.desk.fetch(entries)] == ["reconcile"]
    [run] = await cashdesk.desk.fetch("SELECT * FROM reconcile_run WHERE kind = 'events'")
    assert (run["seen"], run["found"], run["error"], run["steps_done"]) == (1, 1, None, run["steps"])
    await cashdesk.pay(paid)
    assert len(await cashdesk.desk.fetch(entries)) == 1
    states = await cashdesk.desk.fetch("SELECT state FROM webhook ORDER BY id")
    assert [row["state"] for row in states] == ["applied", "duplicate"]


async def test_money_that_only_one_side_has_is_a_finding_until_it_is_gone_or_resolved(
    cashdesks: CashDesks, stripe: StripeApi
) -> None:
    cashdesk, story_ = await open_desk(cashdesks, stripe), story("z")
    orders = [placed(reference=f"pi_z{n}") for n in range(3)]
    for order in orders:
        await cashdesk.desk.deliver(order)
    await cashdesk.pay(story_[1])
    stripe.lists.happened(as_body(story_[0]))
    stripe.lists.events.clear()
    await reconcile(cashdesk, timedelta(days=2))
    findings = "SELECT side, kind, object_id, gone_at FROM reconcile_finding ORDER BY object_id"
    assert [tuple(row)[:3] for row in await cashdesk.desk.fetch(findings)] == [
        ("theirs", "payment", "pi_z0"),
        ("ours", "payment", "pi_z1"),
    ]
    stripe.lists.happened(as_body(story_[1]))
    await cashdesk.pay(story_[0])
    await reconcile(cashdesk, timedelta(days=2))
    assert [row["gone_at"] is not None for row in await cashdesk.desk.fetch(findings)] == [True, True]
    stripe.lists.transactions[0]["source"]["amount_captured"] = 9000
    await reconcile(cashdesk, timedelta(days=2))
    shown = (
        await cashdesk.client.get("/internal/reconciliation", params={"shop": SHOP}, headers=AUTH)
    ).json()
    [finding] = shown["findings"]
    assert (finding["side"], finding["theirs_minor"], finding["ours_minor"]) == ("differs", 9000, 5000)
    body = {"shop": SHOP, "actor": "marie", "note": "montant vu avec Stripe"}
    path = f"/internal/reconciliation/findings/{finding['id']}/resolve"
    assert (await cashdesk.client.post(path, json=body, headers=AUTH)).status_code == 200
    assert (await cashdesk.client.post(path, json=body, headers=AUTH)).status_code == 404
    shown = (
        await cashdesk.client.get("/internal/reconciliation", params={"shop": SHOP}, headers=AUTH)
    ).json()
    assert shown["findings"] == []


async def test_payouts_are_kept_and_compared_with_their_movements(
    cashdesks: CashDesks, stripe: StripeApi
) -> None:
    cashdesk = await open_desk(cashdesks, stripe)
    for one in story("p")[:3]:
        stripe.lists.happened(as_body(one))
    payout = stripe.lists.pay_out()
    payout["created"] -= 60
    await reconcile(cashdesk)
    rows = await cashdesk.desk.fetch("SELECT object_id, amount_minor, sum_minor, movements FROM payout")
    assert [tuple(row) for row in rows] == [(payout["id"], 14790, 14790, 3)]
    payout["amount"] -= 500
    await reconcile(cashdesk)
    found = await cashdesk.desk.fetch(
        "SELECT theirs_minor, ours_minor FROM reconcile_finding WHERE kind = 'payout'"
    )
    assert [tuple(row) for row in found] == [(14290, 14790)]


async def test_a_list_that_the_provider_refuses_is_shown_and_retried(
    cashdesks: CashDesks, stripe: StripeApi
) -> None:
    wrong = endpoint(api_key="sk_test_of-another-account")
    cashdesk = await cashdesks(stripe_endpoints=(wrong,), stripe_api_url=stripe.url)
    cashdesk.reconciler = Reconciler(cashdesk.hub, COMPARISONS)  # type: ignore[attr-defined]
    await reconcile(cashdesk)
    runs = await cashdesk.desk.fetch("SELECT error, reached_at FROM reconcile_run")
    assert {row["error"] for row in runs} == {"ProviderRefused: Invalid API Key provided."}
    assert all(row["reached_at"] < datetime.now(UTC) - timedelta(hours=5) for row in runs)
    reconciler: Reconciler = cashdesk.reconciler  # type: ignore[attr-defined]
    assert not await reconciler.run_due(cashdesk.hub)
    ended = "UPDATE reconcile_run SET ended_at = now() - interval '31 minutes', error = $2 WHERE kind = $1"
    await cashdesk.hub.pool.execute(ended, "payouts", None)
    assert not await reconciler.run_due(cashdesk.hub)
    await cashdesk.hub.pool.execute(ended, "money", "ProviderUnavailable: the report lags")
    assert await reconciler.run_due(cashdesk.hub)
    assert not await reconciler.run_due(cashdesk.hub)
    answer = await cashdesk.client.post(
        "/internal/reconciliation/run", json={"shop": SHOP, "actor": "marie"}, headers=AUTH
    )
    assert (answer.status_code, answer.json()) == (202, {"lists": 3})
    assert await reconciler.run_due(cashdesk.hub)


async def test_a_shop_without_credentials_has_no_lists(cashdesks: CashDesks, stripe: StripeApi) -> None:
    cashdesk = await cashdesks()
    assert not await Reconciler(cashdesk.hub, COMPARISONS).run_due(cashdesk.hub)
    answer = await cashdesk.client.post(
        "/internal/reconciliation/run", json={"shop": SHOP, "actor": "marie"}, headers=AUTH
    )
    assert answer.status_code == 409
