"""Random messages about two checkouts end in the same orders and answers, one by one or in one batch."""

import random
from datetime import UTC, datetime, timedelta

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.orders.lifecycle import CheckoutAbandoned, OrderStateChanged
from tests.builders.envelopes import answers, deliver, enveloped
from tests.builders.submissions import a_checkout, a_line, as_sale, dropped
from tests.conftest import Desks

SEEDS = range(40)
FOLDED = (CheckoutAbandoned, OrderStateChanged)
"""A batch tells the last of several states of a checkout."""
ORDERS = """
    SELECT idempotency_key, state, stage, total_minor,
           (SELECT count(*) FROM order_line l WHERE l.order_id = o.order_id) AS lines
    FROM orders o WHERE idempotency_key LIKE $1 ORDER BY 1, 2, 3, 4, 5
"""


def _story(seed: int) -> list[Message]:
    """Two checkouts, each opened three times with other lines; dropped, submitted, and submitted again."""
    chance, now = random.Random(seed), datetime.now(UTC)
    checkouts = []
    for number in range(2):
        names = {"checkout_id": uuid7(), "idempotency_key": f"key-{seed}-{number}"}
        opened_at = [now - timedelta(minutes=minutes) for minutes in (50, 40, 30)]
        checkouts.append(
            [a_checkout(a_line(quantity=chance.randint(1, 3)), opened_at=at, **names) for at in opened_at]
        )
    story: list[Message] = []
    for _ in range(chance.randint(3, 12)):
        openings = chance.choice(checkouts)
        opened, kind = chance.choice(openings), chance.random()
        if kind < 0.35:
            story.append(opened)
        elif kind < 0.55:
            story.append(dropped(opened, now - timedelta(minutes=chance.randint(1, 60))))
        elif kind < 0.8:
            story.append(as_sale(opened))
        elif kind < 0.9:
            story.append(as_sale(opened, checkout_id=None))
        else:
            other = chance.choice(checkouts)[0]
            story.append(as_sale(other, idempotency_key=opened.idempotency_key))
    return story


async def test_a_batch_is_as_one_by_one(desks: Desks) -> None:
    one, other = await desks("orders"), await desks("orders")
    different = []
    for seed in SEEDS:
        batch = enveloped("orders", _story(seed))
        alone = answers(await deliver(one, batch, together=False), but=FOLDED)
        together = answers(await deliver(other, batch, together=True), but=FOLDED)
        rows = [[tuple(row) for row in await desk.fetch(ORDERS, f"key-{seed}-%")] for desk in (one, other)]
        if alone != together or rows[0] != rows[1]:
            different.append(seed)
    assert different == []
