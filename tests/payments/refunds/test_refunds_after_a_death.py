"""A refund is made once, also when nobody knows whether it was made."""

import asyncio
import json
import time
from typing import Any

import httpx2
import pytest

from deploy.demo.standins.stripe_api import refund_made
from services.chassis.background.effects import Effect, Outcome, Retry, Uncertain
from services.payments.providers.stripe.calling import StripeClient
from services.payments.providers.stripe.provider import StripeProvider
from services.payments.refunds.refunding import EFFECT
from services.payments.refunds.sending import INTERRUPTIONS, LONGEST_PAUSE, RefundSender, interrupted
from tests.payments.refunds.test_sending_refunds import Till, effect, hurry, provider, send, till

__all__ = ["provider", "till"]


def stripe_of(hub: Any) -> StripeProvider:
    """Stripe as this process calls it."""
    found = hub.settings.providers["stripe"]
    assert isinstance(found, StripeProvider)
    return found


async def _perform(till: Till) -> None:
    """Stripe makes the refund; nobody records it."""
    (row,) = await till.cashdesk.desk.fetch("SELECT payload FROM msg.effect")
    wish = json.loads(row["payload"])
    sender = RefundSender(till.cashdesk.hub)
    await sender.perform(Effect(wish["refund_id"], EFFECT, wish, 1))
    assert len(till.api.refunds) == 1


async def _die_in_flight(till: Till) -> None:
    """A worker takes the effect, Stripe makes the refund, the process dies before it records the answer."""
    await till.ask()
    await till.cashdesk.desk.fetch(
        """UPDATE msg.effect SET state = 'in_flight', attempts = 1, owner = gen_random_uuid(),
               lease_until = now() - interval '1 s' RETURNING key"""
    )
    await _perform(till)


def _forget_the_keys(till: Till) -> None:
    """More than a day goes by: Stripe has pruned the idempotency keys."""
    till.api._answers.clear()


async def test_stripe_is_queried_first_after_a_death(till: Till) -> None:
    await _die_in_flight(till)
    _forget_the_keys(till)
    for _ in range(2):
        await send(till.cashdesk)
        await hurry(till.cashdesk)
    assert len(till.api.refunds) == 1


async def test_stripe_is_queried_first_at_an_ordinary_retry(till: Till) -> None:
    """Holds today: keep it."""
    await till.ask()
    await _perform(till)
    _forget_the_keys(till)
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET attempts = 1 RETURNING key")
    await send(till.cashdesk)
    assert len(till.api.refunds) == 1


async def test_an_unforeseen_error_makes_no_storm(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, calls = till.cashdesk.hub, []
    await till.ask()
    sender = RefundSender(hub)

    async def fail(*_: Any) -> None:
        calls.append(time.monotonic())
        raise RuntimeError("unforeseen")

    stripe = stripe_of(hub)
    monkeypatch.setattr(stripe, "refund", fail)
    monkeypatch.setattr(stripe, "find_refund", fail)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not await sender.effects.run(hub):
            await asyncio.sleep(0.05)
    assert len(calls) <= 3


async def test_a_refused_look_up_is_not_the_refunds_end(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """The POST had succeeded; at the next try the API key has been replaced and the look-up answers 401."""
    await _die_in_flight(till)
    await till.cashdesk.desk.fetch(
        """UPDATE msg.effect SET state = 'planned', next_at = now(), owner = NULL, lease_until = NULL
           RETURNING key"""
    )
    sender = RefundSender(till.cashdesk.hub)
    client = stripe_of(till.cashdesk.hub).client
    real = client._http.request

    async def request(method: str, path: str, **more: Any) -> httpx2.Response:
        if method == "GET":
            refused = {"error": {"message": "Expired API Key provided"}}
            return httpx2.Response(401, json=refused, request=httpx2.Request(method, "http://stripe.test/"))
        return await real(method, path, **more)

    monkeypatch.setattr(client._http, "request", request)
    while await sender.effects.run(till.cashdesk.hub):
        pass
    assert await effect(till.cashdesk) != "failed"


async def test_a_refund_is_found_among_more_than_a_page(till: Till) -> None:
    await _die_in_flight(till)
    _forget_the_keys(till)
    for number in range(230):
        newer = refund_made(till.intent, 1, {"metadata[comptoir_refund_id]": f"another-{number}"})
        till.api.refunds[newer["id"]] = newer
    for _ in range(2):
        await send(till.cashdesk)
        await hurry(till.cashdesk)
    assert (till.api.requests, await effect(till.cashdesk)) == (1, "done")


@pytest.mark.parametrize(
    ("attempts", "end"),
    [(1, Retry), (INTERRUPTIONS - 1, Retry), (INTERRUPTIONS, Uncertain), (500, Uncertain)],
)
def test_interruptions_have_an_end(attempts: int, end: type[Outcome]) -> None:
    assert isinstance(interrupted(Effect("key", EFFECT, {}, attempts), "the process died"), end)


def test_pauses_after_interruptions_grow() -> None:
    ends = [interrupted(Effect("key", EFFECT, {}, n), "it raised") for n in range(1, INTERRUPTIONS)]
    pauses = [end.after for end in ends if isinstance(end, Retry) and end.after]
    assert pauses == sorted(pauses)
    assert (pauses[0].total_seconds(), pauses[-1]) == (2, LONGEST_PAUSE)


async def test_without_the_key_what_was_begun_is_uncertain(till: Till) -> None:
    """The API key left the settings while nobody knew whether Stripe had made the refund."""
    await _die_in_flight(till)
    sender = RefundSender(till.cashdesk.hub)
    stripe_of(till.cashdesk.hub)._keys.clear()
    for _ in range(2):
        sender.effects._lost_checked_at = -10.0
        await sender.effects.run(till.cashdesk.hub)
        await hurry(till.cashdesk)
    assert await effect(till.cashdesk) == "uncertain"


async def test_what_stripe_surely_does_not_have_fails_in_the_end(till: Till) -> None:
    await till.ask()
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET attempts = 120, detail = 'away' RETURNING key")
    till.api.faults.extend([500])
    await send(till.cashdesk)
    assert (till.api.requests, await effect(till.cashdesk)) == (0, "failed")


async def test_a_list_whose_next_page_cannot_be_requested_proves_nothing(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.ask()
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET attempts = 120, detail = 'away' RETURNING key")
    client = stripe_of(till.cashdesk.hub).client

    async def request(method: str, path: str, **_: Any) -> httpx2.Response:
        page = {"object": "list", "data": [{"object": "refund"}], "has_more": True}
        return httpx2.Response(200, json=page, request=httpx2.Request(method, "http://stripe.test/"))

    monkeypatch.setattr(client._http, "request", request)
    await RefundSender(till.cashdesk.hub).effects.run(till.cashdesk.hub)
    assert await effect(till.cashdesk) == "uncertain"


async def test_what_cannot_be_looked_up_to_the_end_is_uncertain(till: Till) -> None:
    await till.ask()
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET attempts = 120, detail = 'away' RETURNING key")
    sender = RefundSender(till.cashdesk.hub)
    stripe_of(till.cashdesk.hub).client = StripeClient("http://127.0.0.1:9", 0.5)
    await sender.effects.run(till.cashdesk.hub)
    assert await effect(till.cashdesk) == "uncertain"
