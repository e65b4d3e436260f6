"""Sending of refunds to the provider: planned, in flight, and then the provider's answer.

The provider's idempotency key is the refund's id, so an uncertain request is repeated: after a time-out, a
5xx or the death of this process. Except at the very first try the provider is first asked whether it has the
refund, for it deletes keys after a day. Failed means that the provider refuses to make it, or certainly does
not have it after `ATTEMPTS` tries; when the provider can't be asked, the refund is uncertain and a person
decides.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from services.chassis.background.effects import Done, Effect, EffectWorker, Failed, Outcome, Retry, Uncertain
from services.chassis.background.working import Worker
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.payments.accounts.ledger import Origin
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.providers import stripe
from services.payments.providers.stripe.calling import (
    RefundInstruction,
    StripeClient,
    StripeRefused,
    StripeUnavailable,
)
from services.payments.providers.stripe.event import ShapeUnexpected
from services.payments.providers.stripe.giving_back import refund_facts
from services.payments.providers.stripe.money import StripeAmountUnusable
from services.payments.refunds.refunding import EFFECT
from services.payments.settings import PaymentsSettings

ATTEMPTS = 120
"""The number of tries, with pauses that grow to a quarter of an hour: more than a day, after which Stripe no
longer repeats a 5xx of its own under the same key.
"""
INTERRUPTIONS = 12
"""The number of tries after which a refund whose process dies, or that raises, is left to a person: about an
hour.
"""
LONGEST_PAUSE = timedelta(minutes=15)
CONCURRENCY = 4
_NEVER = 2**31 - 1
log = structlog.get_logger()


class RefundSender:
    """The sender of refunds of this process's shops, which also records their outcomes."""

    def __init__(self, process: Process) -> None:
        assert isinstance(process.settings, PaymentsSettings)
        self._client = StripeClient(process.settings.stripe_api_url, process.settings.stripe_timeout_seconds)
        self._keys = {
            endpoint.shop: endpoint.api_key.get_secret_value()
            for endpoint in process.settings.stripe_endpoints
            if endpoint.api_key is not None
        }
        self.effects = EffectWorker(
            EFFECT, self.perform, self.record, CONCURRENCY, _NEVER, interrupted=interrupted
        )

    def worker(self) -> Worker:
        """Return the worker that sends the refunds that are due."""
        return Worker(EFFECT, self.effects.run)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._client.close()

    async def perform(self, effect: Effect) -> Outcome:
        """Request one refund. Raises nothing that could leave its outcome uncertain."""
        wish = _wish(effect)
        key = self._keys.get(wish.shop)
        if key is None:
            text = f"no API key of shop {wish.shop} in COMPTOIR_STRIPE_ENDPOINTS; add api_key and ask anew"
            return Failed(text) if effect.is_first_try else Uncertain(text)
        try:
            found = None if effect.is_first_try else await self._client.find_refund(key, wish)
        except StripeRefused as refused:
            return Uncertain(f"Stripe does not say whether it has the refund: {refused}")
        except StripeUnavailable as away:
            return _again(effect, str(away))
        if found is None and effect.attempts > ATTEMPTS:
            return Failed(f"given up after {effect.attempts} tries; Stripe has no such refund")
        return Done(json.dumps(found)) if found is not None else await self._ask(key, wish)

    async def _ask(self, key: str, wish: RefundInstruction) -> Outcome:
        try:
            return Done(json.dumps(await self._client.refund(key, wish)))
        except StripeRefused as refused:
            return Failed(str(refused))
        except (StripeAmountUnusable, KeyError) as unusable:
            return Failed(f"the amount can't be told to Stripe: {unusable}")
        except StripeUnavailable as away:
            return Retry(str(away))

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Record the provider's answer. Runs in the transaction that settles the effects."""
        final = [(effect, outcome) for effect, outcome in results if not isinstance(outcome, Retry)]
        if not final:
            return
        work = AccountUnit(unit)
        await work.load_accounts((e.payload["shop"], UUID(e.payload["order_id"])) for e, _ in final)
        for effect, outcome in final:
            _enter(work, _wish(effect), outcome)
        await work.save()


def interrupted(effect: Effect, why: str) -> Outcome:
    """Return the next step of a refund whose process died, or that raised: look it up at Stripe, a while
    later.
    """
    if effect.attempts >= INTERRUPTIONS:
        return Uncertain(f"interrupted {effect.attempts} times: {why}")
    return Retry(why, min(timedelta(seconds=2.0**effect.attempts), LONGEST_PAUSE))


def _again(effect: Effect, why: str) -> Outcome:
    return Retry(why) if effect.attempts <= ATTEMPTS else Uncertain(f"Stripe could not be asked: {why}")


def _enter(work: AccountUnit, wish: RefundInstruction, outcome: Outcome) -> None:
    account = work.find(wish.shop, wish.order_id)
    if account is None or wish.refund_id not in account.refunds.asked:
        log.error("a refund was sent that nobody asked for", refund_id=str(wish.refund_id))
        return
    account.origin = Origin("answer", wish.refund_id, work.unit.now, stripe.PROVIDER)
    if isinstance(outcome, Failed):
        account.fill_refund(wish.refund_id, refusal=outcome.detail)
        return
    if isinstance(outcome, Uncertain):
        doubts = account.refunds.asked[wish.refund_id].doubts + 1
        account.fill_refund(wish.refund_id, doubts=doubts, doubt=outcome.detail[:2000])
        return
    account.fill_refund(wish.refund_id, is_sent=True)
    try:
        facts = refund_facts(json.loads(outcome.detail or "{}"), work.unit.now)
    except (ShapeUnexpected, StripeAmountUnusable) as unusable:
        log.error(
            "the answer can't be read; the webhook tells", refund_id=str(wish.refund_id), why=str(unusable)
        )
        return
    account.learn_refund(facts.made[0])
    work.link(account, stripe.PROVIDER, facts.made[0].object_id)


def _wish(effect: Effect) -> RefundInstruction:
    payload: dict[str, Any] = effect.payload
    return RefundInstruction(
        refund_id=UUID(payload["refund_id"]),
        shop=payload["shop"],
        order_id=UUID(payload["order_id"]),
        payment=payload["payment"],
        amount_minor=payload["amount_minor"],
        currency=payload["currency"],
        is_duplicate=payload["is_duplicate"],
    )
