"""Unit: one transaction, with a service's reads and writes and the messages to send once it is committed.

Nothing is published that is not committed: `emit` only collects; `flush` writes the event log and the outbox;
the relay sends after the commit.
"""

import json
import os
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import structlog

from contracts.catalogue import CATALOGUE, Entry
from contracts.envelope import Envelope, uuid7
from contracts.message import Message
from services.chassis.messaging import effect_store, outbox_store, parked_store, timer_store
from services.chassis.messaging.erasure import store as erasure_store
from services.chassis.messaging.outgoing import Outgoing
from services.chassis.messaging.recovery.restored import NEVER, RESTORED, Restored
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writes

log = structlog.get_logger()


_chance = random.Random(os.urandom(32))
os.register_at_fork(after_in_child=_chance.seed)


class Aggregate(Protocol):
    """The subject of an event. `sequence` counts this service's events about it and is stored in its row."""

    shop: str
    id: UUID
    sequence: int


class Unit:
    """One transaction and the messages it will send. `now` is one timestamp for the whole unit (aware, UTC),
    `owner` the process it belongs to.

    Statements that only write go through `writes`, which `flush` sends as one statement; code that reads
    their rows back must send them first.
    """

    def __init__(
        self,
        connection: Connection,
        service: str,
        owner: UUID,
        lease: timedelta,
        now: datetime | None = None,
        restored: Restored = NEVER,
    ) -> None:
        self.connection = connection
        self.writes = Writes(connection)
        self.service = service
        self.now = now or datetime.now(UTC)
        self.owner = owner
        self.restored = restored
        self.has_effects = not restored.is_unfinished
        self._lease = lease
        self._events: list[tuple[Envelope, bytes]] = []
        self._outgoing: list[Outgoing] = []
        self._effects: dict[str, effect_store.EffectRow] = {}
        self._harmless: set[str] = set()
        self._timers: dict[tuple[str, str], timer_store.TimerRow] = {}
        self._cancelled: set[tuple[str, str]] = set()
        self._keys: set[str] = set()
        self._erased: dict[erasure_store.OrderKey, UUID] = {}
        self._touched: set[erasure_store.OrderKey] = set()
        self._after_commit: list[Callable[[], None]] = []
        self.woken = 0

    def emit(
        self,
        message: Message,
        *,
        about: Aggregate | None = None,
        cause: Envelope | None = None,
        shop: str | None = None,
        subject: UUID | str | None = None,
        id: UUID | None = None,
    ) -> Envelope:
        """Add an event or command of this service. It is always logged, and sent when the catalogue names a
        consumer.

        `about` gives shop, subject and the next sequence number; without it shop and subject are the
        message's own.
        """
        entry = _entry(self.service, type(message))
        if about is not None:
            about.sequence += 1
            shop, subject = about.shop, about.id
        envelope = self._envelope(
            entry,
            message,
            cause,
            shop if shop is not None else getattr(message, "shop", None),
            subject if subject is not None else getattr(message, "order_id", None),
            about.sequence if about is not None else None,
            id,
        )
        self._note(entry, envelope, message, entry.type, entry.listeners != ())
        return envelope

    def answer_storefront(
        self, message: Message, *, shop: str, module: str, cause: Envelope | None
    ) -> Envelope:
        """Add an answer to one storefront, on the public exchange. It needs no consumer."""
        entry = _entry(self.service, type(message))
        subject = getattr(message, "order_id", None) or getattr(message, "submission_id", None)
        envelope = self._envelope(entry, message, cause, shop, subject, None, None)
        self._note(entry, envelope, message, f"{shop}.{module}.{entry.type}", True)
        return envelope

    def plan(
        self,
        kind: str,
        key: str,
        payload: dict[str, Any],
        *,
        due_at: datetime | None = None,
        changes_outside: bool = True,
    ) -> None:
        """Plan an effect; the same key twice is one effect. In a replay none is planned: its effect, if it is not
        recorded yet, is `uncertain`, so that an operator may request it and no row is without its effect. So
        it is until a restore is finished, unless it changes nothing outside (a read, a drawing)."""
        row = effect_store.EffectRow(key=key, kind=kind, payload=json.dumps(payload), due=due_at or self.now)
        self._effects.setdefault(key, row)
        if not changes_outside:
            self._harmless.add(key)

    def set_timer(self, kind: str, key: str, due_at: datetime, payload: dict[str, Any]) -> None:
        """Set a timer, or move the one of the same kind and key."""
        row = timer_store.TimerRow(kind=kind, key=key, due_at=due_at, payload=json.dumps(payload))
        self._timers[kind, key] = row

    def cancel_timer(self, kind: str, key: str) -> None:
        """Remove a timer if it still exists."""
        self._timers.pop((kind, key), None)
        self._cancelled.add((kind, key))

    def wake(self, *keys: str) -> None:
        """Retry the messages that wait for these keys right after the commit."""
        self._keys.update(keys)

    def erase(self, erasure_id: UUID, orders: Sequence[erasure_store.OrderKey]) -> None:
        """Mark orders as erased by an erasure; one that is already marked keeps its mark."""
        self._erased |= dict.fromkeys(orders, erasure_id)

    def touch_order(self, shop: str, order_id: UUID) -> None:
        """Note that data about an order came in: if the order was erased, its erasure is repeated after the commit."""
        self._touched.add((shop, order_id))

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run a function in this process after the commit. It must not fail, and the service must work if it
        never runs."""
        self._after_commit.append(call)

    @property
    def why_without_effects(self) -> str:
        """Return the note on effects that are uncertain since the unit has none."""
        return RESTORED if self.restored.is_unfinished else effect_store.REPLAYED

    @property
    def emitted(self) -> list[tuple[Envelope, bytes]]:
        """Return the messages emitted so far: envelopes and bodies."""
        return self._events

    @property
    def outgoing(self) -> list[Outgoing]:
        """Return the messages that the relay has to send after the commit."""
        return self._outgoing

    @property
    def effect_kinds(self) -> set[str]:
        """Return the kinds of effect planned in this unit."""
        return {effect.kind for effect in self._effects.values()}

    async def flush(self) -> None:
        """Write everything collected, in one round trip where the statements allow it."""
        if self._events:
            await outbox_store.log_events(self.writes, self._events)
        if self._outgoing:
            await outbox_store.queue_dispatches(self.writes, self._outgoing, self.owner, self._lease)
        if self._effects:
            await self._plan_effects()
        if self._cancelled:
            await timer_store.cancel_timers(self.writes, sorted(self._cancelled))
        if self._touched:
            await erasure_store.repeat(self.writes, self._touched, self.now)
        for erasure_id in dict.fromkeys(self._erased.values()):
            keys = sorted(key for key, by in self._erased.items() if by == erasure_id)
            await erasure_store.mark(self.writes, erasure_id, keys, self.now)
        if self._timers:
            await timer_store.set_timers(self.writes, [self._timers[key] for key in sorted(self._timers)])
        if self._keys:
            await parked_store.wake(self.writes, sorted(self._keys))
        status = await self.writes.send()
        self.woken = int(status.rpartition(" ")[2]) if self._keys else 0

    async def _plan_effects(self) -> None:
        go = {key for key in self._effects if self.has_effects or self._goes_in_a_restore(key)}
        if planned := [self._effects[key] for key in self._effects if key in go]:
            await effect_store.plan_effects(self.writes, planned, self.now)
        if noted := [self._effects[key] for key in self._effects if key not in go]:
            await effect_store.note_effects(
                self.writes, noted, "uncertain", self.why_without_effects, self.now
            )

    def _goes_in_a_restore(self, key: str) -> bool:
        return key in self._harmless and self.restored.is_unfinished

    def committed(self) -> None:
        """Run the functions that waited for the commit. One that fails is logged: the commit is not affected."""
        for call in self._after_commit:
            try:
                call()
            except Exception as error:
                log.error("failed after a commit", exc_info=error)

    def _envelope(
        self,
        entry: Entry,
        message: Message,
        cause: Envelope | None,
        shop: str | None,
        subject: UUID | str | None,
        sequence: int | None,
        id: UUID | None,
    ) -> Envelope:
        text = str(subject) if subject is not None else None
        return Envelope(
            id=id or uuid7(),
            source=f"/{self.service}",
            type=entry.type,
            time=self.now,
            shop=shop,
            subject=text,
            sequence=sequence,
            correlation_id=(cause.correlation_id if cause else None) or text,
            causation_id=cause.id if cause else None,
            traceparent=_continue_trace(cause),
        )

    def _note(
        self, entry: Entry, envelope: Envelope, message: Message, routing_key: str, goes_out: bool
    ) -> None:
        body = message.__pydantic_serializer__.to_json(message, exclude_none=True)
        self._events.append((envelope, body))
        if goes_out:
            self._outgoing.append(
                Outgoing(uuid7(), envelope, body, entry.exchange, routing_key, mandatory=not entry.public)
            )


@cache
def _entry(service: str, message: type[Message]) -> Entry:
    try:
        return CATALOGUE[f"{service}.{message.wire_name}"]
    except KeyError:
        raise LookupError(
            f"{service} may not send {message.__name__}: contracts/catalogue.py has no {service}.{message.wire_name}"
        ) from None


def _continue_trace(cause: Envelope | None) -> str:
    """Return a W3C traceparent with a span of our own in the cause's trace. All that follows from a message without a
    trace is in one, whose id is the message's; what follows from none begins a trace."""
    parts = (cause.traceparent or "").split("-") if cause else []
    if len(parts) == 4 and len(parts[1]) == 32:
        trace = parts[1]
    else:
        trace = cause.id.hex if cause else f"{_chance.getrandbits(128) or 1:032x}"
    return f"00-{trace}-{_chance.getrandbits(64) or 1:016x}-01"
