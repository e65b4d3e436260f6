"""A change whose question was given up comes to an end, and its order can be changed again."""

import json
from typing import Any
from uuid import UUID

import pytest

from contracts.orders.changes import OrderEdited
from contracts.service import MessageDiscarded, MessageParked
from tests.conftest import Desks
from tests.orders.changing_orders import Merchant, a_merchant

QUEUE = "fulfillment.orders"
FINGERPRINT = "0123456789abcdef"
REASON = "l’entrepôt ne connaît pas cette commande"


async def _question(merchant: Merchant) -> Any:
    """The last question, by its id and type."""
    sql = "SELECT id, type FROM msg.event_log WHERE type LIKE 'orders.lines.%' ORDER BY id DESC LIMIT 1"
    (row,) = await merchant.desk.fetch(sql)
    return row


async def _give_up_the_question(merchant: Merchant) -> None:
    """Fulfillment parks the question, and a person discards it."""
    row = await _question(merchant)
    about = {
        "shop": merchant.order.shop,
        "message_id": row["id"],
        "message_type": row["type"],
        "queue": QUEUE,
        "fingerprint": FINGERPRINT,
        "reason": "error",
    }
    await merchant.desk.deliver(MessageParked(**about), sender="fulfillment")
    discarded = MessageDiscarded(**{**about, "reason": REASON}, actor="staff:zoe")
    await merchant.desk.deliver(discarded, sender="fulfillment")


async def test_a_discarded_question_ends_its_change(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    command_id: UUID = await merchant.edit(lines=[{"line": 1, "quantity": 1}], reason="Deux de trop")
    await _give_up_the_question(merchant)
    command = await merchant.command(command_id)
    assert command["state"] == "rejected"
    assert REASON in json.loads(command["outcome"])["reasons"][0]["message"]


async def test_its_order_can_be_changed_again(desks: Desks) -> None:
    """Also by cancelling and deleting, which wait for the same answer."""
    merchant = await a_merchant(await desks("orders"))
    await merchant.edit(lines=[{"line": 1, "quantity": 1}], reason="Deux de trop")
    await _give_up_the_question(merchant)
    await merchant.edit(lines=[{"line": 1, "quantity": 2}])


@pytest.mark.parametrize("change", ["cancel", "delete"])
async def test_a_discarded_cancellation_leaves_the_order_as_it_was(desks: Desks, change: str) -> None:
    merchant = await a_merchant(await desks("orders"))
    command_id = await (merchant.cancel() if change == "cancel" else merchant.delete(force=True))
    await _give_up_the_question(merchant)
    assert (await merchant.command(command_id))["state"] == "rejected"
    assert merchant.messages_of(OrderEdited) == []
    await merchant.cancel()


async def test_the_command_shows_that_its_question_is_parked_and_ends_when_it_is_answered(
    desks: Desks,
) -> None:
    merchant = await a_merchant(await desks("orders"))
    command_id = await merchant.edit(lines=[{"line": 1, "quantity": 1}])
    row = await _question(merchant)
    parked = MessageParked(
        shop=merchant.order.shop,
        message_id=row["id"],
        message_type=row["type"],
        queue=QUEUE,
        reason="error",
        fingerprint=FINGERPRINT,
    )
    await merchant.desk.deliver(parked, sender="fulfillment")
    assert (await merchant.command(command_id))["state"] == "parked"
    await merchant.desk.deliver(await merchant.stopped())
    assert (await merchant.command(command_id))["state"] == "done"


async def test_an_edit_whose_addition_is_given_up_keeps_what_was_stopped(desks: Desks) -> None:
    """Fulfillment stopped two candles; the lesson that was to come instead never does."""
    merchant = await a_merchant(await desks("orders"))
    lines = [{"line": 1, "quantity": 1}, {"line": 2, "quantity": 2}]
    command_id = await merchant.edit(lines=lines)
    await merchant.desk.deliver(await merchant.stopped())
    await _give_up_the_question(merchant)
    (edited,) = merchant.messages_of(OrderEdited)
    assert [(line.line, line.quantity) for line in edited.lines] == [(1, 1), (2, 1)]
    assert (await merchant.command(command_id))["state"] == "done"
    await merchant.edit(lines=[{"line": 2, "quantity": 2}])


async def test_what_was_answered_is_not_ended_by_a_late_word(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    command_id = await merchant.edit(lines=[{"line": 1, "quantity": 1}])
    await merchant.desk.deliver(await merchant.stopped())
    await _give_up_the_question(merchant)
    assert (await merchant.command(command_id))["state"] == "done"
