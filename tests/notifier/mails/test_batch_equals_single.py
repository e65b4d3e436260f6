"""Random messages about two orders end in the same mails, threads and answers, one by one or in one batch.

Deletions are in `test_deleted_orders.py`: mails planned in the batch that deletes their order are never written.
"""

import random
from collections.abc import Callable
from typing import Any

from contracts.message import Message
from contracts.orders.lifecycle import Buyer, OrderPlaced
from services.chassis.testing import Desk
from tests.builders.envelopes import answers, deliver, enveloped
from tests.conftest import Desks
from tests.notifier.builders import (
    a_cancelled_shipment,
    a_correction,
    a_lost_parcel,
    a_shipment,
    a_status,
    an_edit,
    an_order,
)
from tests.notifier.conversation.builders import a_change, a_message
from tests.notifier.tables import EQUAL_COLUMNS

SEEDS = range(30)
NOTIFICATIONS: tuple[Callable[..., Message], ...] = (
    a_shipment,
    a_correction,
    a_cancelled_shipment,
    a_lost_parcel,
    a_status,
)
THREADS = "SELECT order_id, version, state, unread, assignee FROM thread ORDER BY order_id"


def _story(seed: int) -> list[Message]:
    """Two orders, each placed somewhere among what is said about them."""
    chance = random.Random(seed)
    orders = [an_order(locale=chance.choice(["fr", "en"])) for _ in range(2)]
    revisions = {order.order_id: 2 for order in orders}

    def about(order: OrderPlaced) -> Message:
        is_notified = chance.random() < 0.7
        kind = chance.randrange(8)
        if kind == 0:
            revisions[order.order_id] += 1
            who = Buyer(name="Zoé", email=chance.choice([None, "zoe@ailleurs.example"]))
            return an_edit(order, revision=revisions[order.order_id], customer=who)
        if kind < 6:
            make = NOTIFICATIONS[kind - 1]
            return make(order.order_id, notify_customer=is_notified)
        return (
            a_message(order.order_id)
            if kind == 6
            else a_change(order.order_id, chance.choice(["close", "reopen", "read"]))
        )

    story = [about(chance.choice(orders)) for _ in range(chance.randint(3, 14))]
    for order in orders:
        story.insert(chance.randint(0, len(story)), order)
    return story


async def _rows(desk: Desk) -> list[list[tuple[Any, ...]]]:
    queries = [f"SELECT {', '.join(columns)} FROM {table}" for table, columns in EQUAL_COLUMNS.items()]  # noqa: S608
    return [sorted(map(tuple, await desk.fetch(query)), key=repr) for query in (*queries, THREADS)]


async def test_a_batch_is_as_one_by_one(desks: Desks) -> None:
    one, other = await desks("notifier"), await desks("notifier")
    different = []
    for seed in SEEDS:
        batch = enveloped("notifier", _story(seed))
        alone = answers(await deliver(one, batch, together=False))
        together = answers(await deliver(other, batch, together=True))
        for desk in (one, other):
            await desk.retry()
        if alone != together or await _rows(one) != await _rows(other):
            different.append(seed)
    assert different == []
