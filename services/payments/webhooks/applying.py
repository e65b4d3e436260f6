"""Application of stored webhooks: their order is found, they are applied to its account, or wait for it.

One transaction per batch holds ledger rows, positions, published messages and the result of each webhook, so
a process killed anywhere leaves a webhook either untouched or done. A webhook that fails by itself is parked
with its error and the others go on. Money of an unknown order waits; it is found again as soon as the order
(or a session naming it) appears, and is reported when that takes too long.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import prometheus_client
import structlog

from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection, is_conflict, is_outage
from services.payments.accounts.account import Account
from services.payments.accounts.facts import Facts, Irrelevant, Parked, Reading, RefundFacts
from services.payments.accounts.unit import webhook_store
from services.payments.accounts.unit.store import known_orders
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, AccountUnit
from services.payments.accounts.unit.webhook_store import Ending, holders_of_objects, orders_of_objects
from services.payments.endpoints.loading import refresh
from services.payments.providers.port import ObjectNamed, Provider
from services.payments.settings import PaymentsSettings
from services.payments.webhooks import store
from services.payments.webhooks.aside_store import read_set_aside
from services.payments.webhooks.reading import OBJECT_UNREAD, plan_reading
from services.payments.webhooks.settling import settle, settle_refunds
from services.payments.webhooks.store import APART
from services.payments.webhooks.waiting_webhooks import (
    Waiting,
    ending_of_other,
    ending_without_order,
    orders_of,
)

BATCH = 100
CONFLICT_TRIES = 3
SOURCES = {"push": "webhook", "reconcile": "reconcile"}
"""The source of an entry, by how its webhook came in."""
Take = Callable[[Connection], Awaitable[list[asyncpg.Record]]]
ENDED = prometheus_client.Counter(
    "comptoir_webhooks_ended_total",
    "Webhooks by how they ended, each time they were read.",
    ["provider", "state"],
)
log = structlog.get_logger()


class WebhooksFailed(Exception):
    """A batch of webhooks could not be applied; nothing of it was. The error names which and why."""

    def __init__(self, webhook_ids: Sequence[UUID], error: Exception) -> None:
        super().__init__(f"{len(webhook_ids)} webhook(s) could not be applied: {error!r:.500}")
        self.webhook_ids = webhook_ids


async def apply_webhooks(process: Process) -> bool:
    """Apply one batch. Return True when there may be more. Raise only when the database is unavailable."""
    try:
        return await _apply(process, lambda connection: store.take(connection, BATCH)) == BATCH
    except WebhooksFailed as failed:
        log.error("webhook batch failed; retrying one by one", error=str(failed), exc_info=failed)
        ended = [await _apply_one(process, webhook_id) for webhook_id in failed.webhook_ids]
        return any(ended)


async def _apply_one(process: Process, webhook_id: UUID) -> bool:
    """Apply one webhook by itself, or park it. Return False when a lock or time-out prevented it: it stays
    for another attempt.
    """
    try:
        await _apply(process, lambda connection: store.take_one(connection, webhook_id))
    except WebhooksFailed as failed:
        if _is_temporary_conflict(failed.__cause__):
            return False
        async with process.unit() as unit:
            rows = await store.take_one(unit.connection, webhook_id)
            parked = [Ending(row["id"], "parked", "failed", str(failed)) for row in rows]
            await webhook_store.end(unit.connection, parked, unit.now)
            _count_after_commit(unit, rows, parked)
    return True


def _count_after_commit(unit: Unit, rows: Sequence[asyncpg.Record], endings: Sequence[Ending]) -> None:
    """Count in the metrics how these webhooks ended, once that is committed."""
    providers = {row["id"]: row["provider"] for row in rows}

    def count() -> None:
        for ending in endings:
            ENDED.labels(providers[ending.webhook_id], ending.state).inc()

    unit.after_commit(count)


def _is_temporary_conflict(error: BaseException | None) -> bool:
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
                    await _know_endpoints(process.settings, unit.connection, rows)
                    await Application(unit, process.settings).run(rows)
            break
        except Exception as error:
            if is_outage(error):
                raise
            if not is_conflict(error) or not attempts_left:
                raise WebhooksFailed([row["id"] for row in rows], error) from error
    return len(rows)


async def _know_endpoints(
    settings: PaymentsSettings, connection: Connection, rows: Sequence[asyncpg.Record]
) -> None:
    """Read the stored endpoints if one is unknown: another process may have received for it since."""
    if not all(settings.providers.knows(row["provider"], row["endpoint"]) for row in rows):
        await refresh(settings, connection)


class Application:
    """One batch of webhooks in one transaction."""

    def __init__(self, unit: Unit, settings: PaymentsSettings) -> None:
        self._unit = unit
        self._work = AccountUnit(unit)
        self._providers = settings.providers
        self._shops = {endpoint.shop for _, endpoint in settings.endpoints}
        self._patience = timedelta(hours=settings.unmatched_after_hours)
        self._patience_when_named = timedelta(seconds=settings.unmatched_named_after_seconds)
        self._endings: list[Ending] = []

    async def run(self, rows: Sequence[asyncpg.Record]) -> None:
        """Apply the locked rows."""
        unmatched = await self._settle(await self._readings(rows))
        self._work.hold((webhook.shop, key) for webhook in unmatched for key in webhook.keys)
        await self._work.save()
        if unmatched:
            await self._unit.writes.send()
            await self._leave_waiting(unmatched)
        await webhook_store.end(self._unit.writes, self._endings, self._unit.now)
        self._note_orders({row["id"]: row["shop"] for row in rows})
        _count_after_commit(self._unit, rows, self._endings)

    def _note_orders(self, shops: dict[UUID, str]) -> None:
        """Note which orders the webhooks are about: the content of one about an erased order is deleted
        immediately.
        """
        for ending in self._endings:
            if ending.order_id is not None:
                self._unit.touch_order(shops[ending.webhook_id], ending.order_id)

    async def _readings(self, rows: Sequence[asyncpg.Record]) -> list[Waiting]:
        """Return the webhooks about a payment; the others end here."""
        apart = [row for row in rows if APART in row["event_id"] and row["judged_by"] is None]
        first = await store.read_first(self._unit.connection, apart) if apart else {}
        found = []
        for row in rows:
            provider = self._providers.get(row["provider"])
            reading = _reading(provider, row["endpoint"], row["body"])
            if row["id"] in first:
                body, order_id = first[row["id"]]
                is_same = reading == _reading(provider, row["endpoint"], body)
                self._endings.append(ending_of_other(row, reading, order_id, is_same=is_same))
                continue
            match self._read_object(row, reading) if isinstance(reading, ObjectNamed) else reading:
                case Facts() | RefundFacts() as facts:
                    is_judged = row["judged_by"] is not None
                    source = SOURCES[row["source"]]
                    found.append(
                        Waiting(row["id"], row["shop"], facts, row["received_at"], is_judged, source)
                    )
                case Irrelevant() as irrelevant:
                    self._endings.append(Ending(row["id"], "irrelevant", irrelevant.reason))
                case Parked() as parked:
                    self._endings.append(Ending(row["id"], "parked", parked.reason, parked.detail))
        return found

    def _read_object(self, row: asyncpg.Record, named: ObjectNamed) -> Reading | None:
        """Return the facts in the object that a webhook names; None if it has to be read first."""
        provider = self._providers[row["provider"]]
        if row["answer"] is not None and provider.reader is not None:
            return provider.reader.read_answer(row["endpoint"], named, row["answer"])
        plan_reading(self._unit, row, named)
        detail = f"{named.kind} {named.object_id} is being read from {provider.title}'s API"
        self._endings.append(Ending(row["id"], "waiting", OBJECT_UNREAD, detail))
        return None

    async def _settle(self, webhooks: Sequence[Waiting]) -> list[Waiting]:
        """Apply the webhooks whose order is found; return the others."""
        if not webhooks:
            return []
        known = await orders_of_objects(
            self._unit.connection, sorted({key for webhook in webhooks for key in webhook.objects})
        )
        holders = await self._holders(webhooks)
        candidates = {(w.shop, order_id) for w in webhooks for order_id in orders_of(w, known, holders)}
        await self._work.load_accounts(candidates)
        unmatched = []
        for webhook in webhooks:
            orders = orders_of(webhook, known, holders)
            account = next((a for o in orders if (a := self._work.find(webhook.shop, o))), None)
            if account is None:
                unmatched.append(webhook)
                continue
            ending = self._settle_at(account, webhook)
            if ending is None:
                self._unit.after_commit(AccountUnit.on_woken)
                continue
            for key in webhook.own:
                if key not in known:
                    known[key] = account.id
                    self._work.link(account, key[1], key[2])
            self._endings.append(ending)
        return unmatched

    def _settle_at(self, account: Account, webhook: Waiting) -> Ending | None:
        """Apply a webhook; None leaves it to be applied again."""
        if isinstance(webhook.facts, RefundFacts):
            return settle_refunds(account, webhook.facts, webhook.webhook_id, webhook.source)
        return settle(self._work, account, webhook.facts, webhook.webhook_id, webhook.source)

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
            ending = ending_without_order(webhook, aside.get(webhook.payment), is_elsewhere=is_elsewhere)
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


def _reading(provider: Provider | None, slug: str, body: bytes) -> Reading | ObjectNamed:
    if provider is None or slug not in provider.endpoints:
        setting = provider.setting if provider else "the settings"
        return Parked("endpoint_unknown", f"{slug} is no longer in {setting}; add it again, then look again")
    return provider.read(slug, body)
