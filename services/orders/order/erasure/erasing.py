"""Erasure in orders: what a storefront sent, search documents, every row and message about the orders.

The ledger's copy stays as payments has it. A staff member's texts about these orders are erased too:
comments name people.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.orders.erasure import ErasureDone
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.erasure.erasing import Eraseable, Erasure
from services.chassis.messaging.erasure.redacting import redact
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.messaging.unit import Unit
from services.orders.order.erasure import store
from services.orders.order.unit.announcements import announcements
from services.orders.order.unit.unit import OrderUnit

SERVICE = "orders"


async def _texts(unit: Unit, pass_: Erasure) -> Sequence[Any]:
    return [sale.body for sale in await store.read_sales(unit.connection, pass_.shop, pass_.orders, [])]


async def _rest(unit: Unit, pass_: Erasure) -> None:
    mails = [text.lower() for text in pass_.person.texts if "@" in text]
    for sale in await store.read_sales(unit.connection, pass_.shop, pass_.orders, mails):
        if (left := redact(sale.body, pass_.person)) != sale.body:
            pass_.counts[sale.source] += 1
            await store.write_sale(unit.connection, sale._replace(body=left))
    pass_.counts["activity"] += await store.clear_authors(unit.connection, pass_.shop, pass_.orders)
    pass_.counts["command"] += await _erase_outcomes(unit, pass_)
    pass_.counts["order_search"] += await store.clear_search(unit.connection, pass_.shop, pass_.orders)
    pass_.counts["thread"] += await store.delete_threads(unit.connection, pass_.shop, pass_.orders)
    keys = [(pass_.shop, order_id) for order_id in pass_.orders]
    unit.after_commit(lambda: announcements.note(keys))


async def _erase_outcomes(unit: Unit, pass_: Erasure) -> int:
    """Erase the person's address in the outcomes of commands about no order. Return the number of these commands."""
    person, changed = pass_.person, 0
    if not person.addresses:
        return 0
    for command_id, outcome in await store.read_outcomes(unit.connection, pass_.shop):
        if person.is_addressed_in(json.dumps(outcome, ensure_ascii=False)):
            await store.write_outcome(unit.connection, command_id, redact(outcome, person))
            changed += 1
    return changed


async def _report(unit: Unit, erasure_id: UUID, pass_: Erasure) -> None:
    await store.write_report(unit.writes, erasure_id, SERVICE, pass_.changed, unit.now)


_BY_REST = ("ledger_entry", "order_search", "thread", "received_mail", "message_draft")
ERASEABLE = Eraseable(first="orders", kept=_BY_REST, texts=_texts, rest=_rest)
fire = erasing.timer(ERASEABLE, _report)
"""Handler of the timer of erasures."""


def report(work: OrderUnit, received: ReceivedMessage[ErasureDone]) -> None:
    """Add what another service erased to the proof."""
    done, service = received.message, received.envelope.source.strip("/")

    async def write(work: OrderUnit) -> None:
        await store.write_report(work.unit.writes, done.erasure_id, service, done.counts, done.done_at)

    work.last_steps.add(write)
