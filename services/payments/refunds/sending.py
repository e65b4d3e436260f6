"""Sending of refunds to the provider: planned, in flight, and then the provider's answer.

The provider's idempotency key is the refund's id, so an uncertain request is repeated: after a time-out, a
5xx or the death of this process. Before every attempt but the first, the provider is asked whether it has the
refund, for providers keep keys for a limited time. Failed means that the provider refuses to make it, or shows
after `ATTEMPTS` attempts that it does not have it: the amount is free to be refunded again. When the provider does
not show that, or can't be asked, the refund is uncertain, its amount stays reserved, and staff decide.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from services.chassis.background.effects import (
    UNLIMITED,
    Done,
    Effect,
    EffectWorker,
    Failed,
    Outcome,
    Retry,
    Uncertain,
)
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.payments.accounts.ledger import Origin
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.endpoints.loading import look_again
from services.payments.providers.port import (
    AnswerUnreadable,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    RefundAbsent,
    RefundFound,
    RefundInstruction,
    RefundRepeatable,
)
from services.payments.refunds.refunding import EFFECT
from services.payments.settings import PaymentsSettings

ATTEMPTS = 120
"""The number of attempts, with pauses that grow to a quarter of an hour: more than a day, after which no
provider repeats an old 5xx of its own under the same key.
"""
INTERRUPTIONS = 12
"""The number of attempts after which a refund whose process dies, or that raises, is left to staff: about an
hour.
"""
LONGEST_PAUSE = timedelta(minutes=15)
CONCURRENCY = 4
log = structlog.get_logger()


class RefundSender:
    """The sender of refunds of this process's shops, which also records their outcomes."""

    def __init__(self, process: Process) -> None:
        assert isinstance(process.settings, PaymentsSettings)
        self._process = process
        self._providers = process.settings.providers
        self.effects = EffectWorker(
            EFFECT, self.perform, self.record, CONCURRENCY, UNLIMITED, interrupted=interrupted
        )

    def worker(self) -> Worker:
        """Return the worker that sends the refunds that are due."""
        return Worker(EFFECT, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Request one refund. Raises nothing that could leave its outcome uncertain."""
        wish, provider = _wish(effect), self._providers[_provider_of(effect)]
        if not provider.can_refund(wish.shop):
            await look_again(self._process)
            provider = self._providers[_provider_of(effect)]
        if not provider.can_refund(wish.shop):
            where = f"{provider.setting} or in the back office"
            text = f"no {provider.credential} of shop {wish.shop} in {where}; add it and request the refund again"
            return Failed(text) if effect.is_first_try else Uncertain(text)
        try:
            found = RefundAbsent() if effect.is_first_try else await provider.find_refund(wish)
        except ProviderRefused as refused:
            return Uncertain(f"{provider.title} does not report whether it has the refund: {refused}")
        except ProviderUnavailable as away:
            return _again(effect, provider, str(away))
        if isinstance(found, RefundFound):
            return Done(found.answer.decode())
        if effect.attempts > ATTEMPTS:
            return _given_up(effect, provider, found)
        return await self._ask(provider, wish)

    async def _ask(self, provider: Provider, wish: RefundInstruction) -> Outcome:
        try:
            return Done((await provider.refund(wish)).decode())
        except ProviderRefused as refused:
            return Failed(str(refused))
        except ProviderUnavailable as away:
            return Retry(str(away))

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Record the provider's answer. Runs in the transaction that settles the effects."""
        final = [(effect, outcome) for effect, outcome in results if not isinstance(outcome, Retry)]
        if not final:
            return
        work = AccountUnit(unit)
        await work.load_accounts((e.payload["shop"], UUID(e.payload["order_id"])) for e, _ in final)
        for effect, outcome in final:
            _enter(work, self._providers[_provider_of(effect)], _wish(effect), outcome)
        await work.save()


def interrupted(effect: Effect, why: str) -> Outcome:
    """Return the next step of a refund whose process died, or that raised: look it up at its provider, a while
    later.
    """
    if effect.is_restored:
        return Uncertain(why)
    if effect.attempts >= INTERRUPTIONS:
        return Uncertain(f"interrupted {effect.attempts} times: {why}")
    return Retry(why, min(timedelta(seconds=2.0**effect.attempts), LONGEST_PAUSE))


def _given_up(effect: Effect, provider: Provider, answer: RefundAbsent | RefundRepeatable) -> Outcome:
    """Return the end of a refund that no attempt made: failed only if the provider shows that it has none."""
    if isinstance(answer, RefundAbsent):
        return Failed(f"given up after {effect.attempts} attempts; {provider.title} has no such refund")
    return Uncertain(
        f"no answer in {effect.attempts} attempts, and {provider.title} does not show whether it has the refund"
    )


def _again(effect: Effect, provider: Provider, why: str) -> Outcome:
    return (
        Retry(why)
        if effect.attempts <= ATTEMPTS
        else Uncertain(f"{provider.title} could not be asked: {why}")
    )


def _enter(work: AccountUnit, provider: Provider, wish: RefundInstruction, outcome: Outcome) -> None:
    account = work.find(wish.shop, wish.order_id)
    if account is None or wish.refund_id not in account.refunds.requested:
        log.error("refund sent without a request", refund_id=str(wish.refund_id))
        return
    account.origin = Origin("answer", wish.refund_id, work.unit.now, provider.name)
    if isinstance(outcome, Failed):
        account.fill_refund(wish.refund_id, refusal=outcome.detail)
        return
    if isinstance(outcome, Uncertain):
        doubts = account.refunds.requested[wish.refund_id].doubts + 1
        account.fill_refund(wish.refund_id, doubts=doubts, doubt=outcome.detail[:2000])
        return
    account.fill_refund(wish.refund_id, is_sent=True)
    try:
        facts = provider.refund_facts((outcome.detail or "{}").encode(), work.unit.now)
    except AnswerUnreadable as unusable:
        log.error(
            "refund answer unreadable; waiting for its webhook",
            refund_id=str(wish.refund_id),
            why=str(unusable),
        )
        return
    account.learn_refund(facts.made[0])
    work.link(account, provider.name, facts.made[0].object_id)


def _provider_of(effect: Effect) -> str:
    """Return the provider of a refund; those planned by an earlier version name none and are Stripe's."""
    return str(effect.payload.get("provider") or "stripe")


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
        asked_at=datetime.fromisoformat(payload["asked_at"]) if "asked_at" in payload else None,
    )
