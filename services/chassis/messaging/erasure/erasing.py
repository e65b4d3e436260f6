"""Erasure of a customer's data in one service: every table with rows about orders, and every stored message.

One transaction per pass, begun by a timer, so that it is taken up again after a failure and a service that
was down catches up. A pass changes nothing that an earlier one erased. Data may arrive later (a redelivered
message, a mail that was under way), so a message about an erased order triggers another pass immediately, and
the pass is repeated in any case until no message can be waiting anywhere.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.orders.erasure import CustomerErased, ErasureDone
from services.chassis.messaging.erasure import store
from services.chassis.messaging.erasure.redacting import Person, redact, texts_in
from services.chassis.messaging.subscribers import GIVE_UP_AFTER, B, ReceivedMessage
from services.chassis.messaging.unit import Unit

PAUSES = (timedelta(hours=1), timedelta(days=1), GIVE_UP_AFTER + timedelta(days=1))
"""Pauses after the first passes. The last exceeds the time for which a message waits for its order."""


@dataclass
class Erasure:
    """One pass: whose orders, their customer's texts, and the number of changed rows by table."""

    shop: str
    orders: Sequence[UUID]
    person: Person = field(default_factory=Person)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def changed(self) -> dict[str, int]:
        """Return the number of changed rows by table, without those of which none changed."""
        return {table: rows for table, rows in sorted(self.counts.items()) if rows}


Eraser = Callable[[Unit, Erasure], Awaitable[None]]
"""What a service erases beside its tables with rows about orders. Runs after them, in the same transaction."""


@dataclass(frozen=True)
class Eraseable:
    """What a service erases.

    `first` is the table whose rows are locked before all others; `kept` are tables that stay as they are, or that
    `rest` erases; `texts` returns documents about the orders that name their customer; `rest` erases what has no
    column `order_id`.
    """

    first: str
    kept: Collection[str] = ()
    texts: Callable[[Unit, Erasure], Awaitable[Sequence[Any]]] | None = None
    rest: Eraser | None = None


def begin(work: B, received: ReceivedMessage[CustomerErased]) -> None:
    """Have the erasure carried out right after the commit. A repeat begins another pass."""
    erasure = received.message
    plan(work.unit, erasure.erasure_id, erasure.shop, erasure.order_ids)


def plan(unit: Unit, erasure_id: UUID, shop: str, orders: Sequence[UUID]) -> None:
    """Mark the orders as erased and set the timer of the first pass."""
    unit.erase(erasure_id, [(shop, order_id) for order_id in orders])
    unit.set_timer(store.TIMER, str(erasure_id), unit.now, {"shop": shop, "pauses": 0})


async def emit_report(unit: Unit, erasure_id: UUID, pass_: Erasure) -> None:
    """Emit what a pass did. It names no order."""
    done = ErasureDone(erasure_id=erasure_id, shop=pass_.shop, counts=pass_.changed, done_at=unit.now)
    unit.emit(done, subject=erasure_id)


def timer(
    erased: Eraseable, report: Callable[[Unit, UUID, Erasure], Awaitable[None]] = emit_report
) -> Callable[[Unit, str, dict[str, Any]], Awaitable[None]]:
    """Return the handler of the timer of erasures; `report` is called after each pass."""

    async def fire(unit: Unit, key: str, payload: dict[str, Any]) -> None:
        erasure_id, pauses = UUID(key), payload["pauses"]
        pass_ = Erasure(payload["shop"], await store.orders_of(unit.connection, erasure_id))
        await erase(unit, pass_, erased)
        await report(unit, erasure_id, pass_)
        if pauses < len(PAUSES):
            again = {"shop": pass_.shop, "pauses": pauses + 1}
            unit.set_timer(store.TIMER, key, unit.now + PAUSES[pauses], again)

    return fire


async def erase(unit: Unit, pass_: Erasure, erased: Eraseable) -> None:
    """Erase the orders' customer in all tables and messages of the service."""
    found = await store.tables_about_orders(unit.connection)
    tables = [erased.first, *(one for one in found if one != erased.first)]
    rows = {one: await store.read_rows(unit.connection, one, pass_.shop, pass_.orders) for one in tables}
    documents: list[Any] = [row for each in rows.values() for row in each]
    if erased.texts is not None:
        documents += await erased.texts(unit, pass_)
    bodies = await store.read_bodies(unit.connection, pass_.shop, pass_.orders)
    pass_.person = Person({*texts_in(documents), *texts_in([_parsed(body) for _, body in bodies])})
    for table in (one for one in tables if one not in erased.kept):
        pass_.counts[table] += await store.redact_rows(unit.connection, table, rows[table], pass_.person)
    bodies += await _bodies_named(unit, pass_, {one for one, _ in bodies})
    await _erase_messages(unit, pass_, bodies)
    if erased.rest is not None:
        await erased.rest(unit, pass_)


async def _bodies_named(unit: Unit, pass_: Erasure, known: Collection[UUID]) -> list[tuple[UUID, bytes]]:
    """Return the logged messages about no order that contain one of the person's addresses, in any
    spelling.
    """
    person = pass_.person
    if not person.addresses:
        return []
    named = await store.read_named(unit.connection, pass_.shop, person.addresses)
    return [
        (one, body)
        for one, body in named
        if one not in known and person.is_addressed_in(body.decode("utf-8", "replace"))
    ]


async def _erase_messages(unit: Unit, pass_: Erasure, bodies: Sequence[tuple[UUID, bytes]]) -> None:
    ids = {str(order_id) for order_id in pass_.orders}
    changed = [(one, new) for one, body in bodies if (new := redact_body(body, pass_.person, ids)) != body]
    await store.write_bodies(unit.connection, changed)
    unsent = await store.read_unsent(unit.connection, pass_.orders)
    held = [(one, new) for one, body in unsent if (new := redact_body(body, pass_.person, ids)) != body]
    await store.write_unsent(unit.connection, held)
    parked = await store.read_parked(unit.connection, pass_.shop, pass_.orders, pass_.person.texts)
    cleared = [left for row in parked if (left := _parked(row, pass_.person)) != row]
    await store.write_parked(unit.connection, cleared)
    pass_.counts.update({"event_log": len(changed), "dispatch": len(held), "parked": len(cleared)})


def _parked(row: store.ParkedTexts, person: Person) -> store.ParkedTexts:
    note = person.without(row.note) if row.note is not None else None
    body = redact_body(row.body, person)
    return row._replace(body=body, detail=person.without(row.detail), note=note)


def redact_body(body: bytes, person: Person, orders: Collection[str] | None = None) -> bytes:
    """Return a body without personal data; one that is not JSON becomes an empty object."""
    document = _parsed(body)
    if document is None:
        return b"{}"
    redacted = redact(document, person, orders)
    if redacted == document:
        return body
    return json.dumps(redacted, ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
