"""A life's messages in any sequence, each three times, end in the same rows."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.envelope import Envelope, uuid7
from contracts.message import Message
from contracts.notifier.mails import MailFailed, MailUncertain
from contracts.payments.accounts import PaymentUnmatched
from contracts.service import CommandDone, MessageParked
from contracts.storefront import CheckoutOpened
from services.chassis.testing import Desk, envelope_for
from tests.builders.submissions import NOW, SHOP, a_checkout, a_line, a_sale, as_sale, dropped, paid_by
from tests.conftest import Desks
from tests.orders.builders import Life, money_for
from tests.orders.projections.test_outcomes import PACK, rejected
from tests.orders.tables import equal_after_shuffle

Enveloped = tuple[Envelope, Message, str | None]
BATCH = 7
SHUFFLES = range(12)
LOGIN = "storefront.maison.shop"
COMMANDS = [uuid7() for _ in range(6)]
"""Of each life: a payment to record, a parcel to pack, one that is refused."""


def enveloped(message: Message, causation: Any = None, sender: str | None = None) -> Enveloped:
    """A message in its envelope."""
    envelope = envelope_for("orders", message, causation_id=causation, sender=sender)
    return envelope, message, LOGIN if envelope.type.startswith("storefront") else None


def a_whole_life(sale_lines: list[dict[str, Any]], commands: list[UUID], by_hand: bool) -> list[Enveloped]:
    """An order placed, paid in two receipts, packed, shipped, delivered, with its mails and commands."""
    sale = a_sale(*sale_lines, payment=paid_by("cheque" if by_hand else "card"))
    submitted = enveloped(sale)
    life = Life(submitted[0].id, "K7F3-QD9M", sale.totals.total_minor, [line.quantity for line in sale.lines])
    hand = {"received_by_hand_minor": life.total} if by_hand else {}
    recap = life.report("recap")
    failed = recap.model_copy(update={"detail": "550 no", "at": NOW.replace(hour=8)})
    return [
        submitted,
        enveloped(life.balance(1)),
        enveloped(life.balance(2, received=100)),
        enveloped(life.balance(3, received=life.total, **hand)),
        enveloped(life.settled(100), causation=commands[0]),
        enveloped(life.settled(life.total - 100, entry_id=uuid7(), recorded_by="api:erp")),
        enveloped(life.reserved()),
        enveloped(life.packed(), causation=commands[1]),
        enveloped(life.dispatched()),
        enveloped(life.delivered()),
        enveloped(life.mailed("new_order", "dispatched")),
        enveloped(MailUncertain(mails=[recap])),
        enveloped(MailFailed(mails=[failed])),
        enveloped(rejected(life, commands[2]), causation=commands[2], sender="fulfillment"),
    ]


def checkouts() -> list[Enveloped]:
    """One that became an order, one abandoned, one come back to, and one paid for that nobody submitted."""
    placed, given_up, resumed, paid = (a_checkout(source_reference=name) for name in "abcd")
    later = {"opened_at": placed.opened_at + timedelta(minutes=9)}
    return [
        *map(enveloped, (placed, placed.model_copy(update=later), dropped(placed, placed.opened_at))),
        enveloped(as_sale(placed)),
        *map(enveloped, (given_up, dropped(given_up, given_up.opened_at + timedelta(minutes=1)))),
        *map(enveloped, (resumed, dropped(resumed, resumed.opened_at))),
        enveloped(CheckoutOpened.model_validate({**resumed.model_dump(), "opened_at": later["opened_at"]})),
        *map(enveloped, (paid, dropped(paid, paid.opened_at + timedelta(minutes=2)), money_for(paid))),
    ]


def everything() -> list[Enveloped]:
    """Two lives, a refused sale, a payment of nobody, and a command parked before it was done."""
    parked = MessageParked(
        shop=SHOP,
        message_id=COMMANDS[1],
        message_type=PACK,
        queue="fulfillment.orders",
        reason="error",
        fingerprint="f",
    )
    unmatched = PaymentUnmatched(
        shop=SHOP,
        provider="stripe",
        provider_reference="pi_9",
        amount_minor=1,
        currency="EUR",
        received_at=NOW,
        reason="order_unknown",
    )
    done = CommandDone(shop=SHOP, command_id=uuid7(), command_type=PACK)
    return [
        *a_whole_life([a_line(), a_line(sku="THEIERE", quantity=3)], COMMANDS[:3], by_hand=False),
        *a_whole_life([a_line(discount_minor=100)], COMMANDS[3:], by_hand=True),
        enveloped(a_sale(payment=None)),
        *checkouts(),
        enveloped(parked, causation=COMMANDS[1], sender="fulfillment"),
        enveloped(unmatched),
        enveloped(done, sender="fulfillment"),
    ]


async def prepare(desk: Desk) -> None:
    """The commands that some of the messages are outcomes of."""
    types = ["orders.payment.record.v1", PACK, PACK] * 2
    await desk.hub.pool.executemany(
        """INSERT INTO command (command_id, shop, type, actor, requested_at)
           VALUES ($1, $2, $3, 'api:erp', now())""",
        [(command_id, SHOP, name) for command_id, name in zip(COMMANDS, types, strict=True)],
    )


async def live(desk: Desk, messages: list[Enveloped]) -> dict[str, list[tuple[Any, ...]]]:
    """Deliver in batches, let what waits find its order, and give all rows that must be equal."""
    await prepare(desk)
    for start in range(0, len(messages), BATCH):
        await desk.deliver_all(messages[start : start + BATCH])
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM msg.parked WHERE state <> 'resolved'") == 0
    return {
        table: [tuple(row) for row in await desk.fetch(query)]
        for table, query in equal_after_shuffle().items()
    }


@pytest.mark.timeout(240)
async def test_every_shuffle_ends_in_the_same_rows(desks: Desks) -> None:
    messages = everything()
    expected = await live(await desks("orders"), messages)
    assert [row[14] for row in expected["orders"]] == [
        "completed",
        "completed",
        "awaiting_payment",
        "abandoned",
        "in_checkout",
        "awaiting_payment",
    ]
    for seed in SHUFFLES:
        shuffled = messages * 3
        random.Random(seed).shuffle(shuffled)
        rows = await live(await desks("orders"), shuffled)
        for table, those in expected.items():
            assert rows[table] == those, f"seed {seed}, table {table}"
