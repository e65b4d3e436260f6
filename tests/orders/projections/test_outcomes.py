"""A command sent from here ends in exactly one outcome."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockLevelChanged
from contracts.message import Message, Reason
from contracts.notifier.mails import MailSent
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked
from services.chassis.testing import Desk
from services.orders.order.unit.needs import SETTLES
from services.orders.order.unit.waiting import waiting
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import Life, a_life

PACK = "orders.parcel.pack.v1"
SHORT = Reason(
    code="quantity_not_left", message="1 is left, 2 were asked; pack 1.", field="lines[0].quantity"
)


async def sent_command(desk: Desk, type: str = PACK, order_id: UUID | None = None) -> UUID:
    """A command as the REST API would have sent it."""
    command_id = uuid7()
    await desk.hub.pool.execute(
        """INSERT INTO command (command_id, shop, order_id, type, actor, requested_at)
           VALUES ($1, $2, $3, $4, 'api:erp', now())""",
        command_id,
        SHOP,
        order_id,
        type,
    )
    return command_id


async def outcome_of(desk: Desk, command_id: UUID) -> tuple[str, dict[str, Any] | None]:
    """State and outcome of a command."""
    (row,) = await desk.fetch("SELECT state, outcome FROM command WHERE command_id = $1", command_id)
    return row["state"], json.loads(row["outcome"]) if row["outcome"] else None


def rejected(life: Life, command_id: UUID) -> CommandRejected:
    """Fulfillment's refusal."""
    return CommandRejected(
        shop=SHOP, order_id=life.order_id, command_id=command_id, command_type=PACK, reasons=[SHORT]
    )


async def test_the_owners_event_is_the_outcome(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    command_id = await sent_command(desk)
    result = await desk.deliver(life.packed(), causation_id=command_id)
    state, outcome = await outcome_of(desk, command_id)
    assert outcome is not None
    assert (state, outcome["type"]) == ("done", "fulfillment.parcel.packed.v1")
    assert outcome["event_id"] == str(result.envelope.id)
    assert outcome["parcel_id"] == str(life.parcel_id)
    assert "position" not in outcome


async def test_who_waits_is_woken(desks: Desks) -> None:
    desk = await desks("orders")
    life, command_id = await a_life(desk), await sent_command(desk)

    async def nobody_settled(_: Any) -> list[UUID]:
        return []

    waiter = asyncio.create_task(waiting.wait(command_id, 10, nobody_settled))
    await asyncio.sleep(0)
    await desk.deliver(life.packed(), causation_id=command_id)
    assert await waiter is True


@pytest.mark.parametrize("sender", ["payments", "fulfillment", "notifier"])
async def test_a_refusal_is_the_outcome_and_shown_on_the_order(desks: Desks, sender: str) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    command_id = await sent_command(desk)
    await desk.deliver(rejected(life, command_id), sender=sender, causation_id=command_id)
    state, outcome = await outcome_of(desk, command_id)
    if sender != "fulfillment":
        assert (state, outcome) == ("pending", None)
        return
    assert outcome is not None
    assert (state, outcome["reasons"][0]["code"]) == ("rejected", "quantity_not_left")
    (note,) = await desk.fetch("SELECT actor, item, data FROM activity WHERE kind = 'command_rejected'")
    assert (note["actor"], note["item"]) == ("api:erp", command_id)
    assert json.loads(note["data"])["reasons"] == [SHORT.model_dump()]


async def test_nothing_to_change_is_an_outcome(desks: Desks) -> None:
    desk = await desks("orders")
    command_id = await sent_command(desk)
    done = CommandDone(shop=SHOP, command_id=command_id, command_type=PACK)
    await desk.deliver(done, sender="fulfillment", causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "done"


async def test_stock_set_is_an_outcome(desks: Desks) -> None:
    desk = await desks("orders")
    command_id = await sent_command(desk, "orders.stock.set.v1")
    await desk.deliver(StockLevelChanged(shop=SHOP, levels=[]), causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "done"


async def test_an_event_that_is_no_outcome_of_the_command_settles_nothing(desks: Desks) -> None:
    desk = await desks("orders")
    life, command_id = await a_life(desk), await sent_command(desk, "orders.payment.record.v1")
    await desk.deliver(life.packed(), causation_id=command_id)
    await desk.deliver(life.balance(2, received=1), causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "pending"


def parked(command_id: UUID) -> MessageParked:
    """Fulfillment could not handle the command."""
    return MessageParked(
        shop=SHOP,
        message_id=command_id,
        message_type=PACK,
        queue="fulfillment.orders",
        reason="error",
        fingerprint="f",
    )


@pytest.mark.parametrize("first", ["parked", "final"])
async def test_a_parked_command_may_still_end_and_an_end_is_final(desks: Desks, first: str) -> None:
    desk = await desks("orders")
    life, command_id = await a_life(desk), await sent_command(desk)
    pairs: list[tuple[Message, str]] = [(parked(command_id), "parked"), (life.packed(), "done")]
    for message, _ in pairs if first == "parked" else reversed(pairs):
        await desk.deliver(message, sender="fulfillment", causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "done"
    await desk.deliver(rejected(life, command_id), sender="fulfillment", causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "done"


async def test_a_parked_command_is_seen_so(desks: Desks) -> None:
    desk = await desks("orders")
    command_id = await sent_command(desk)
    await desk.deliver(parked(command_id), sender="fulfillment", causation_id=command_id)
    state, outcome = await outcome_of(desk, command_id)
    assert outcome is not None
    assert (state, outcome["reason"]) == ("parked", "error")


def test_every_outcome_of_the_catalogue_settles_its_commands() -> None:
    assert SETTLES["payments.payment.settled.v1"] == {"orders.payment.record.v1"}
    assert SETTLES["fulfillment.stock.level_changed.v1"] == {
        "orders.stock.set.v1",
        "orders.stock.adjust.v1",
    }
    assert "payments.balance.changed.v1" not in SETTLES


async def test_a_parked_command_that_staff_discard_is_rejected_with_their_reason(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    command_id = await sent_command(desk, order_id=life.order_id)
    parked = MessageParked(
        shop=SHOP,
        message_id=command_id,
        message_type=PACK,
        queue="fulfillment.orders",
        reason="error",
        fingerprint="f",
    )
    discarded = MessageDiscarded(
        message_id=command_id,
        message_type=PACK,
        queue="fulfillment.orders",
        actor="tom",
        reason="packed by hand",
    )
    for message in (parked, discarded, parked, discarded):
        await desk.deliver(message, sender="fulfillment")
    state, outcome = await outcome_of(desk, command_id)
    assert outcome is not None
    assert (state, outcome["type"]) == ("rejected", "fulfillment.message.discarded.v1")
    assert outcome["reasons"] == [
        {"code": "command_discarded", "message": "tom set the command aside: packed by hand"}
    ]
    (note,) = await desk.fetch("SELECT actor, data FROM activity WHERE kind = 'command_discarded'")
    assert (note["actor"], json.loads(note["data"])["asked_by"]) == ("tom", "api:erp")
    await desk.deliver(life.packed(), causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "rejected"


async def test_a_discarded_message_that_was_not_a_command_is_ignored(desks: Desks) -> None:
    desk = await desks("orders")
    for message_id in (None, uuid7()):
        message = MessageDiscarded(message_id=message_id, queue="payments.orders", actor="tom", reason="x")
        assert (await desk.deliver(message, sender="payments")).result == "handled"
    assert await desk.fetchval("SELECT count(*) FROM activity") == 0


async def test_a_mail_sent_again_ends_its_command_and_shows_beside_the_first(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    mail = life.report("recap")
    await desk.deliver(MailSent(mails=[mail]))
    command_id = await sent_command(desk, "orders.mail.resend.v1", life.order_id)
    await desk.deliver(MailSent(mails=[mail]), causation_id=command_id)
    assert (await outcome_of(desk, command_id))[0] == "done"
    items = await desk.fetch("SELECT item FROM activity WHERE kind = 'mail_sent'")
    assert {row["item"] for row in items} == {mail.mail_id, command_id}
