"""Refunds that are really sent: once, whatever the provider or this process does meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import BalanceChanged
from contracts.payments.refunds import RefundConfirmed, RefundFailed, RefundMode, RefundSent
from deploy.demo.standins.stripe_api import StripeApi, event_body
from deploy.local.ports import free_ports
from services.chassis.background.effects import Effect
from services.chassis.testing import Outcome
from services.payments.refunds.refunding import EFFECT
from services.payments.refunds.sending import RefundSender
from tests.payments.builders import endpoint, of_kind, refund_order
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.refunds.test_refunding import paid, position, reasons

KEY = "sk_test_of-the-tests-0001"


@pytest.fixture
async def provider() -> AsyncIterator[tuple[StripeApi, list[bytes]]]:
    """The stand-in for Stripe's API, and the webhooks it would post."""
    webhooks: list[bytes] = []

    async def collect(body: bytes) -> None:
        webhooks.append(body)

    async with StripeApi(free_ports(1)[0], KEY, collect) as api:
        yield api, webhooks


@dataclass(frozen=True)
class Till:
    """A cash desk whose shop may send refunds, and an order of 50.00 paid by card."""

    api: StripeApi
    webhooks: list[bytes]
    cashdesk: CashDesk
    order: OrderPlaced
    intent: str

    async def ask(self, amount_minor: int = 2000) -> Outcome:
        """Ask for a refund that is really sent; it is due now also by the database's clock."""
        outcome = await self.cashdesk.desk.deliver(
            refund_order(self.order, amount_minor, mode=RefundMode.SENT)
        )
        await hurry(self.cashdesk)
        return outcome


@pytest.fixture
async def till(cashdesks: CashDesks, provider: tuple[StripeApi, list[bytes]]) -> Till:
    """The till of a shop that has sold something."""
    api, webhooks = provider
    given = {"stripe_endpoints": (endpoint(api_key=KEY),), "stripe_api_url": api.url}
    cashdesk = await cashdesks(**given)
    return Till(api, webhooks, cashdesk, *await paid(cashdesk))


async def send(cashdesk: CashDesk) -> list[Any]:
    """Have the worker do what is due now; what was said."""
    cashdesk.desk._units.clear()
    sender = RefundSender(cashdesk.hub)
    while await sender.effects.run(cashdesk.hub):
        pass
    return cashdesk.desk.emitted()


async def hurry(cashdesk: CashDesk) -> None:
    """What waits for its next try is due now."""
    await cashdesk.desk.fetch("UPDATE msg.effect SET next_at = now() WHERE state = 'planned' RETURNING key")


async def effect(cashdesk: CashDesk) -> str:
    """The state of the one effect."""
    return str(await cashdesk.desk.fetchval("SELECT state FROM msg.effect WHERE kind = $1", EFFECT))


async def test_a_refund_is_sent_then_confirmed_by_webhook(till: Till) -> None:
    api, webhooks, cashdesk, order = till.api, till.webhooks, till.cashdesk, till.order
    command = refund_order(order, 2000, mode=RefundMode.SENT)
    outcome = await cashdesk.desk.deliver(command)
    assert outcome.messages_of(RefundSent) == []
    assert await position(cashdesk, order) == (0, 0, 0, 0, [])
    emitted = await send(cashdesk)
    (sent,) = of_kind(emitted, RefundSent)
    assert [e.causation_id for e, m in emitted if isinstance(m, RefundSent)] == [outcome.envelope.id]
    (made,) = api.refunds.values()
    assert (made["payment_intent"], made["amount"]) == (till.intent, 2000)
    assert made["metadata"]["comptoir_refund_id"] == str(command.refund_id) == str(sent.refund.refund_id)
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])
    again = await cashdesk.pay(*(json.loads(body) for body in webhooks))
    assert of_kind(again, RefundSent) == []
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])


async def test_the_webhook_may_come_before_the_answer(till: Till) -> None:
    api, webhooks, cashdesk, order = till.api, till.webhooks, till.cashdesk, till.order
    await till.ask()
    sender = RefundSender(cashdesk.hub)
    row = await cashdesk.desk.fetch("SELECT payload FROM msg.effect")
    wish = json.loads(row[0]["payload"])
    await sender.perform(Effect(wish["refund_id"], EFFECT, wish, 1))
    while len(webhooks) < 3:
        await webhooks_of_provider(api)
    emitted = await cashdesk.pay(*(json.loads(body) for body in webhooks))
    assert len(of_kind(emitted, RefundSent)) == 1
    assert len(of_kind(emitted, RefundConfirmed)) == 1
    emitted = await send(cashdesk)
    assert of_kind(emitted, RefundSent) == []
    assert len(api.refunds) == 1
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])


async def webhooks_of_provider(api: StripeApi) -> None:
    """Let the stand-in's webhooks be posted."""
    await asyncio.gather(*api._deliveries)


async def test_an_answer_without_content_is_requested_again_under_the_same_key(till: Till) -> None:
    api, cashdesk, order = till.api, till.cashdesk, till.order
    await till.ask()
    api.faults.extend([500, 429])
    for _ in range(3):
        await send(cashdesk)
        await hurry(cashdesk)
    assert (api.requests, len(api.refunds), await effect(cashdesk)) == (3, 1, "done")
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])


async def test_what_the_provider_refuses_changes_nothing_but_is_reported_in_its_words(till: Till) -> None:
    cashdesk, order = till.cashdesk, till.order
    till.api.paid[till.intent] = 1000
    await till.ask()
    (failed,) = of_kind(await send(cashdesk), RefundFailed)
    assert failed.refund.detail == "Refund amount (2000) is greater than unrefunded amount on charge (1000)"
    assert await position(cashdesk, order) == (0, 0, 0, 0, [])
    assert await cashdesk.entries(order) == [("order_total", 5000), ("payment_received", 5000)]


async def test_another_refund_ends_the_one_that_failed(till: Till) -> None:
    cashdesk = till.cashdesk
    till.api.paid[till.intent] = 1000
    await till.ask()
    await send(cashdesk)
    assert await effect(cashdesk) == "failed"
    await till.ask(1000)
    await send(cashdesk)
    states = await cashdesk.desk.fetch("SELECT state, detail FROM msg.effect ORDER BY created_at")
    assert [row["state"] for row in states] == ["discarded", "done"]
    assert states[0]["detail"] == "another refund was requested"


async def test_without_an_api_key_nothing_is_sent(cashdesk: CashDesk) -> None:
    order, _ = await paid(cashdesk)
    await cashdesk.desk.deliver(refund_order(order, 2000, mode=RefundMode.SENT))
    (failed,) = of_kind(await send(cashdesk), RefundFailed)
    assert "api_key" in (failed.refund.detail or "")


async def test_a_process_that_died_in_flight_queries_first_and_makes_no_second_refund(till: Till) -> None:
    api, cashdesk, order = till.api, till.cashdesk, till.order
    await till.ask()
    await send(cashdesk)
    await cashdesk.desk.fetch(
        "UPDATE msg.effect SET state = 'in_flight', lease_until = now() - interval '1 s', owner = gen_random_uuid() "
        "RETURNING key"
    )
    await send(cashdesk)
    await hurry(cashdesk)
    await send(cashdesk)
    assert (len(api.refunds), await effect(cashdesk)) == (1, "done")
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])


async def test_what_is_about_to_be_sent_is_not_promised_twice(till: Till) -> None:
    await till.ask(3000)
    second = await till.ask(3000)
    assert reasons(second) == ["refund_exceeds_received", "provider_cannot_refund"]


async def test_a_refund_that_is_pending_counts_and_is_reported_as_under_way(till: Till) -> None:
    """Some ways to pay take days: it is sent until it succeeded, and comes back when it fails."""
    cashdesk, order = till.cashdesk, till.order
    till.api.status = "pending"
    await till.ask()
    emitted = await send(cashdesk)
    assert (len(of_kind(emitted, RefundSent)), of_kind(emitted, RefundConfirmed)) == (1, [])
    assert await position(cashdesk, order) == (2000, 2000, 0, 0, [])
    assert under_way(emitted) == 2000
    (made,) = till.api.refunds.values()
    confirmed = await cashdesk.pay(json.loads(event_body("refund.updated", {**made, "status": "succeeded"})))
    assert (len(of_kind(confirmed, RefundConfirmed)), under_way(confirmed)) == (1, 0)


async def test_a_pending_refund_that_fails_is_under_way_no_more(till: Till) -> None:
    till.api.status = "pending"
    await till.ask()
    await send(till.cashdesk)
    (made,) = till.api.refunds.values()
    failed = await till.cashdesk.pay(json.loads(event_body("refund.failed", {**made, "status": "failed"})))
    assert (len(of_kind(failed, RefundFailed)), under_way(failed)) == (1, 0)
    assert await position(till.cashdesk, till.order) == (2000, 0, 0, -2000, ["refund_failed"])


def under_way(expected: list[Any]) -> int:
    """What of the refunds the last position told says is not confirmed."""
    return int(of_kind(expected, BalanceChanged)[-1].position.refunds_pending_minor)
