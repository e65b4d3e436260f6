"""A life's facts in any sequence, each three times, end in the same rows."""

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from contracts.envelope import Envelope
from contracts.message import Message
from contracts.orders.changes import ChangeCause, OrderEdited
from contracts.orders.lifecycle import OrderPlaced
from services.chassis.testing import envelope_for
from tests.builders.orders import edited
from tests.payments.builders import (
    capturable,
    charge,
    dispute,
    event,
    intent,
    names,
    placed,
    record,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks

ORDERS = [UUID(int=0x01939D6E7A007000_8000000000000000 + n) for n in range(3)]
SHUFFLES = range(12)


def edits(order: OrderPlaced) -> list[Message]:
    """Raised, cancelled for more than is due, reinstated, and lowered."""
    steps = [
        (500, ChangeCause.EDITED),
        (-9000, ChangeCause.CANCELLED),
        (9000, ChangeCause.REINSTATED),
        (0, ChangeCause.EDITED),
        (-700, ChangeCause.EDITED),
    ]
    events: list[OrderEdited] = []
    for change, cause in steps:
        previous = events[-1].edit_id if events else None
        events.append(edited(order, change, cause, previous_edit_id=previous))
    return [*events]


def messages() -> list[tuple[Envelope, Message]]:
    """Three orders: one by card, one by card without reference and a cheque, one by cheque that is paid twice."""
    by_card = placed(5000, order_id=ORDERS[0], reference="pi_first")
    named = placed(7000, order_id=ORDERS[1])
    by_cheque = placed(3000, order_id=ORDERS[2])
    events: list[Message] = [
        by_card,
        named,
        by_cheque,
        record(named, 1000),
        record(by_cheque, 3000),
        record(by_cheque, 500),
        record(by_card, 10, currency="USD"),
        *edits(named),
        *edits(by_cheque),
    ]
    return [(envelope_for("payments", commands), commands) for commands in events]


def webhooks() -> list[dict[str, Any]]:
    """What Stripe says of them: a declined and repeated attempt, an authorisation captured in part, a foreign one."""
    second = {**names(placed(order_id=ORDERS[1]))}
    return [
        event("payment_intent.created", intent("pi_first"), 0),
        event("payment_intent.payment_failed", intent("pi_first"), 2),
        event("payment_intent.processing", intent("pi_first"), 3),
        succeeded("pi_first", at=8),
        event("charge.succeeded", {"id": "ch_1", "payment_intent": "pi_first"}, 8),
        capturable("pi_second", 7000, at=4, amount_capturable=7000, **second),
        succeeded("pi_second", 6000, at=9, **second),
        succeeded("pi_foreign", 100, "usd", at=5, **second),
        succeeded("pi_of_nobody", 400, at=5),
        event("refund.created", {"id": "re_1", "object": "refund"}, 9),
        event("charge.dispute.created", dispute("du_1", "pi_first", "needs_response"), 10),
        event("charge.dispute.closed", dispute("du_1", "pi_first", "won"), 12),
        event("charge.dispute.created", dispute("du_2", "pi_second", "warning_needs_response"), 12),
        event("charge.refunded", charge("ch_1", "pi_first", amount_refunded=300), 12),
    ]


@pytest.mark.timeout(240)
async def test_every_shuffle_ends_in_the_same_rows(cashdesks: CashDesks) -> None:
    commands, posted = messages(), webhooks()
    expected = await live(await cashdesks(), commands, posted, None)
    assert expected["webhook_wait"] == [("atelier", "stripe:pi_of_nobody")]
    for seed in SHUFFLES:
        assert await live(await cashdesks(), commands, posted, random.Random(seed)) == expected, (
            f"seed {seed}"
        )


async def live(
    cashdesk: CashDesk,
    emitted: list[tuple[Envelope, Message]],
    posted: list[dict[str, Any]],
    shuffle: random.Random | None,
) -> dict[str, Any]:
    """Live through it, each fact three times, applying webhooks now and then; the rows at the end."""
    steps: list[Callable[[], Awaitable[Any]]] = [
        *(partial(cashdesk.desk.deliver, commands, envelope=envelope) for envelope, commands in emitted * 3),
        *(partial(cashdesk.post, one) for one in posted * 3),
    ]
    if shuffle is not None:
        shuffle.shuffle(steps)
    for step in steps:
        await step()
        if shuffle is None or shuffle.random() < 0.3:
            await cashdesk.apply()
    await cashdesk.desk.retry()
    await cashdesk.apply()
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.parked WHERE state = 'waiting'") == 0
    return await cashdesk.tables()
