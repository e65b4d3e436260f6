"""Application of stored webhooks: their order is found, they are applied to its account, or wait for it.

One transaction per batch holds ledger rows, positions, published messages and the result of each webhook, so
a process killed anywhere leaves a webhook either untouched or done. A webhook that fails by itself is parked
with its error and the others go on. Money of an unknown order waits; it is found again as soon as the order
(or a session naming it) appears, and is reported when that takes too long.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from contracts.payments import PaymentUnmatched
from services.chassis.messaging.process import Process
from services.chassis.messaging.subscribers import order_key
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection, is_conflict, is_outage
from services.payments.accounts.account import Account
from services.payments.accounts.facts import Facts, Irrelevant, Parked, Reading, RefundFacts
from services.payments.accounts.unit import webhook_store
from services.payments.accounts.unit.object_store import holders_of_objects, orders_of_objects
from services.payments.accounts.unit.store import known_orders
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, AccountUnit, object_key
from services.payments.accounts.unit.webhook_store import APART, Ending
from services.payments.providers import stripe
from services.payments.providers.stripe.reading import read
from services.payments.settings import PaymentsSettings, StripeEndpoint
from services.payments.webhooks.aside_store import SET_ASIDE, read_set_aside
from services.payments.webhooks.settling import settle, settle_refunds

WORKER = "webhooks"
BATCH = 100
CONFLICT_TRIES = 3
Take = Callable[[Connection], Awaitable[list[asyncpg.Record]]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook whose order was not found."""

    webhook_id: UUID
    shop: str
    facts: Facts | RefundFacts
    received_at: datetime
    is_judged: bool = False
    """Whether a person had it applied again."""

    @property
    def order_id(self) -> UUID | None:
        """Return the order named by the storefront, when it named one of this shop."""
        return self.facts.order_id if self.facts.order_shop in (None, self.shop) else None

    @property
    def names_other_shop(self) -> bool:
        """Return whether the storefront names another shop."""
        return self.facts.order_shop not in (None, self.shop)

    @property
    def names_its_order(self) -> bool:
        """Return whether the storefront meant to name an order, even by a value that is no order's id or by
        another shop's order.
        """
        return self.order_id is not None or self.facts.names_order_badly or self.names_other_shop

    @property
    def own(self) -> list[tuple[str, str, str]]:
        """Return the names that belong to its order from now on."""
        return [(self.shop, self.facts.provider, object_id) for object_id in self.facts.own_ids]

    @property
    def payment(self) -> tuple[str, str, str]:
        return (self.shop, self.facts.provider, self.facts.object_id)

    @property
    def objects(self) -> list[tuple[str, str, str]]:
        return [(self.shop, self.facts.provider, object_id) for object_id in self.facts.ids]

    @property
    def keys(self) -> list[str]:
        """Return the keys that can bring its order: a claim of any of the payment's ids, or the opening of
        the order.
        """
        keys = [object_key(self.facts.provider, object_id) for object_id in self.facts.ids]
        return [*keys, order_key(self.order_id)] if self.order_id else keys


class WebhooksFailed(Exception):
    """A batch of webhooks could not be applied; nothing of it was. The error names which and why."""

    def __init__(self, webhook_ids: Sequence[UUID], error: Exception) -> None:
        super().__init__(f"{len(webhook_ids)} webhook(s) could not be applied: {error!r:.500}")
        self.webhook_ids = webhook_ids


async def apply_webhooks(process: Process) -> bool:
    """Apply one batch. Return True when there may be more. Raise only when the database is unavailable."""
    try:
        return await _apply(process, lambda connection: webhook_store.take(connection, BATCH)) == BATCH
    except WebhooksFailed as failed:
        log.error("webhook batch failed; retrying one by one", error=str(failed), exc_info=failed)
        ended = [await _apply_alone(process, webhook_id) for webhook_id in failed.webhook_ids]
        return any(ended)


async def _apply_alone(process: Process, webhook_id: UUID) -> bool:
    """Apply one webhook by itself, or park it. Return False when a lock or time-out prevented it: it stays
    for another try.
    """
    try:
        await _apply(process, lambda connection: webhook_store.take_one(connection, webhook_id))
    except WebhooksFailed as failed:
        if _others_were_in_the_way(failed.__cause__):
            return False
        async with process.unit() as unit:
            rows = await webhook_store.take_one(unit.connection, webhook_id)
            parked = [Ending(row["id"], "parked", "failed", str(failed)) for row in rows]
            await webhook_store.end(unit.connection, parked, unit.now)
    return True


def _others_were_in_the_way(error: BaseException | None) -> bool:
    """Return whether the error is a lock or a time-out, which pass; a row that exists already does not."""
    passes = error is not None and is_conflict(error)
    return passes and not isinstance(error, asyncpg.UniqueViolationError)


async def _apply(process: Process, take: Take) -> int:
    """Apply the webhooks that `take` locks, in one transaction; return how many. Conflicting transactions are
    retried.
    """
    assert isinstance(process.settings, PaymentsSettings)
    for attempts_left in reversed(range(CONFLICT_TRIES)):
        rows: list[asyncpg.Record] = []
        try:
            async with process.unit() as unit:
                rows = await take(unit.connection)
                if rows:
                    await Application(unit, process.settings).run(rows)
            break
        except Exception as error:
            if is_outage(error):
                raise
            if not is_conflict(error) or not attempts_left:
                raise WebhooksFailed([row["id"] for row in rows], error) from error
    return len(rows)


class Application:
    """One batch of webhooks in one transaction."""

    def __init__(self, unit: Unit, settings: PaymentsSettings) -> None:
        self._unit = unit
        self._book = AccountUnit(unit)
        self._endpoints = {endpoint.slug: endpoint for endpoint in settings.stripe_endpoints}
        self._shops = {endpoint.shop for endpoint in settings.stripe_endpoints}
        self._patience = timedelta(hours=settings.unmatched_after_hours)
        self._patience_when_named = timedelta(seconds=settings.unmatched_named_after_seconds)
        self._endings: list[Ending] = []

    async def run(self, rows: Sequence[asyncpg.Record]) -> None:
        """Apply the locked rows."""
        homeless = await self._settle(await self._readings(rows))
        self._book.hold((webhook.shop, key) for webhook in homeless for key in webhook.keys)
        await self._book.save()
        if homeless:
            await self._unit.writes.send()
            await self._leave_waiting(homeless)
        await webhook_store.end(self._unit.writes, self._endings, self._unit.now)

    async def _readings(self, rows: Sequence[asyncpg.Record]) -> list[Waiting]:
        """Return the webhooks about a payment; the others end here."""
        apart = [row for row in rows if APART in row["event_id"] and row["judged_by"] is None]
        first = await webhook_store.read_first_bodies(self._unit.connection, apart) if apart else {}
        found = []
        for row in rows:
            endpoint = self._endpoints.get(row["endpoint"])
            reading = _reading(row["provider"], row["endpoint"], row["body"], endpoint)
            if row["id"] in first:
                known = _reading(row["provider"], row["endpoint"], first[row["id"]], endpoint)
                self._endings.append(_ending_of_other(row, reading, is_same=reading == known))
                continue
            match reading:
                case Facts() | RefundFacts():
                    is_judged = row["judged_by"] is not None
                    found.append(Waiting(row["id"], row["shop"], reading, row["received_at"], is_judged))
                case Irrelevant():
                    self._endings.append(Ending(row["id"], "irrelevant", reading.reason))
                case Parked():
                    self._endings.append(Ending(row["id"], "parked", reading.reason, reading.detail))
        return found

    async def _settle(self, webhooks: Sequence[Waiting]) -> list[Waiting]:
        """Apply the webhooks whose order is found; return the others."""
        if not webhooks:
            return []
        known = await orders_of_objects(
            self._unit.connection, sorted({key for webhook in webhooks for key in webhook.objects})
        )
        holders = await self._holders(webhooks)
        candidates = {(w.shop, order_id) for w in webhooks for order_id in _orders_of(w, known, holders)}
        await self._book.load_accounts(candidates)
        homeless = []
        for webhook in webhooks:
            orders = _orders_of(webhook, known, holders)
            account = next((a for o in orders if (a := self._book.find(webhook.shop, o))), None)
            if account is None:
                homeless.append(webhook)
                continue
            ending = self._settle_at(account, webhook)
            if ending is None:
                self._unit.after_commit(AccountUnit.on_woken)
                continue
            for key in webhook.own:
                if key not in known:
                    known[key] = account.id
                    self._book.link(account, key[1], key[2])
            self._endings.append(ending)
        return homeless

    def _settle_at(self, account: Account, webhook: Waiting) -> Ending | None:
        """Apply a webhook; None leaves it to be applied again."""
        if isinstance(webhook.facts, RefundFacts):
            return settle_refunds(account, webhook.facts, webhook.webhook_id)
        return settle(self._book, account, webhook.facts, webhook.webhook_id)

    async def _holders(self, webhooks: Sequence[Waiting]) -> dict[tuple[str, str, str], UUID]:
        """Return which orders have the money now of which payments, for webhooks about refunds."""
        payments = {
            (w.shop, w.facts.provider, w.facts.object_id)
            for w in webhooks
            if isinstance(w.facts, RefundFacts)
        }
        return await holders_of_objects(self._unit.connection, sorted(payments)) if payments else {}

    async def _leave_waiting(self, webhooks: Sequence[Waiting]) -> None:
        """Let webhooks wait for their keys, which are locked now; one whose order arrived meanwhile stays to
        be applied.
        """
        connection = self._unit.connection
        known = await orders_of_objects(connection, sorted({key for w in webhooks for key in w.objects}))
        named = sorted({(w.shop, w.order_id) for w in webhooks if w.order_id})
        opened = await known_orders(connection, named) if named else set()
        aside = await read_set_aside(connection, sorted({w.payment for w in webhooks}))
        waits: list[webhook_store.WaitRow] = []
        for webhook in webhooks:
            if any(key in known for key in webhook.objects) or (webhook.shop, webhook.order_id) in opened:
                self._unit.after_commit(AccountUnit.on_woken)
                continue
            waits += [webhook_store.WaitRow(webhook.shop, key, webhook.webhook_id) for key in webhook.keys]
            is_elsewhere = webhook.facts.order_shop in self._shops and not webhook.is_judged
            ending = _ending_without_order(webhook, aside.get(webhook.payment), is_elsewhere=is_elsewhere)
            self._endings.append(ending)
            if ending.state == "waiting":
                self._remind(webhook)
        if waits:
            await webhook_store.wait_for(self._unit.writes, waits)

    def _remind(self, webhook: Waiting) -> None:
        """Schedule the report after the waiting time, and an earlier one for money whose order is named."""
        facts, over_at = webhook.facts, webhook.received_at + self._patience
        payload = {
            "shop": webhook.shop,
            "provider": facts.provider,
            "provider_reference": facts.object_id,
            "amount_minor": facts.received_minor,
            "currency": facts.currency,
            "received_at": facts.occurred_at.isoformat(),
            "reason": "order_unknown",
        }
        due_at = over_at
        if webhook.names_its_order and facts.received_minor > 0:
            named = {"order_id": str(webhook.order_id)} if webhook.order_id else {}
            payload |= {**named, "over_at": over_at.isoformat()}
            due_at = min(over_at, webhook.received_at + self._patience_when_named)
        self._unit.set_timer(UNMATCHED_TIMER, str(webhook.webhook_id), due_at, payload)


async def report_unmatched(unit: Unit, key: str, payload: dict[str, Any]) -> None:
    """Report a webhook after the waiting time: money is parked and reported, other events are set aside.
    Either still joins its order.

    Money that names an order is reported at its first timer and goes on waiting: orders may have that order
    as a checkout that was never placed, and place it. It is not reported twice.
    """
    if (over_at := payload.pop("over_at", None)) is not None:
        if await webhook_store.is_waiting(unit.connection, UUID(key)):
            _say_unmatched(unit, payload)
            unit.set_timer(
                UNMATCHED_TIMER, key, datetime.fromisoformat(over_at), {**payload, "is_reported": True}
            )
        return
    has_money = payload["amount_minor"] > 0
    state, detail = ("parked", "no order claims it") if has_money else ("irrelevant", "no order, no money")
    given_up = await webhook_store.give_up(unit.connection, UUID(key), state, "order_unknown", detail)
    if given_up and has_money and not payload.get("is_reported"):
        _say_unmatched(unit, payload)


def _say_unmatched(unit: Unit, payload: dict[str, Any]) -> None:
    unit.emit(PaymentUnmatched.model_validate(payload), subject=payload["provider_reference"])


def _ending_of_other(row: asyncpg.Record, reading: Reading, *, is_same: bool) -> Ending:
    """Return the result of a webhook under an event id that has another body: a repeat if its content is
    equal, else a person decides.
    """
    if is_same:
        return Ending(row["id"], "duplicate")
    event_id = row["event_id"].partition(APART)[0]
    detail = f"event {event_id} came before with other content; compare it in Stripe, then look again or set it aside"
    money: tuple[str | None, int | None, str | None] = (None, None, None)
    if isinstance(reading, Facts | RefundFacts):
        money = (reading.object_id, reading.received_minor or None, reading.currency)
    return Ending(row["id"], "parked", "other_content", detail, None, *money)


def _ending_without_order(webhook: Waiting, aside: str | None, *, is_elsewhere: bool) -> Ending:
    """Return the result without an order: it waits, unless it names another shop that has an endpoint too
    (`is_elsewhere`), or a person set its payment aside; if an order names the payment later, it joins that
    order in any case.
    """
    facts = webhook.facts
    money = (facts.object_id, facts.received_minor or None, facts.currency)
    named = f"names shop {str(facts.order_shop)[:100]}; this endpoint is of shop {webhook.shop}"
    if webhook.names_other_shop and is_elsewhere:
        return Ending(webhook.webhook_id, "irrelevant", "names_other_shop", named, None, *money)
    if aside is not None:
        return Ending(webhook.webhook_id, "irrelevant", SET_ASIDE, aside, None, *money)
    keys = ", ".join(webhook.keys)
    detail = f"{keys}; the order it names is no order's id" if facts.names_order_badly else keys
    detail = f"{detail}; {named}" if webhook.names_other_shop else detail
    return Ending(webhook.webhook_id, "waiting", "order_unknown", detail, None, *money)


def _orders_of(
    webhook: Waiting, known: dict[tuple[str, str, str], UUID], holders: dict[tuple[str, str, str], UUID]
) -> list[UUID]:
    """Return the orders its money may belong to, the surest first: by a linked id, then by what the
    storefront wrote.
    """
    if isinstance(webhook.facts, RefundFacts):
        known = {key: known[key] for key in webhook.own if key in known} | holders
    orders = [known[key] for key in webhook.objects if key in known]
    return [*orders, webhook.order_id] if webhook.order_id else orders


def _reading(provider: str, slug: str, body: bytes, endpoint: StripeEndpoint | None) -> Reading:
    if provider != stripe.PROVIDER or endpoint is None:
        return Parked(
            "endpoint_unknown",
            f"{slug} is no longer in COMPTOIR_STRIPE_ENDPOINTS; add it again, then look again",
        )
    return read(body, is_live=endpoint.livemode, account=endpoint.account)
