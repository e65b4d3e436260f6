"""Commands whose message or answer was lost: a person ends them, and what comes after all still counts."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk
from services.orders.api.actions.unanswered import (
    LONGEST_REASON,
    CommandNotUnanswered,
    EndWithoutReason,
    end,
    list_unanswered,
)
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import a_life
from tests.orders.projections.test_outcomes import PACK, outcome_of, rejected, sent_command


async def waited(desk: Desk, command_id: UUID, minutes: float = 15.1) -> UUID:
    """Have a command wait for so long."""
    await desk.fetch(
        "UPDATE command SET requested_at = now() - $2::interval WHERE command_id = $1 RETURNING 1",
        *(command_id, timedelta(minutes=minutes)),
    )
    return command_id


async def ended(desk: Desk, command_id: UUID, reason: str = "the queue was purged", shop: str = SHOP) -> None:
    """A person ends a command."""
    async with desk.unit() as unit:
        await end(unit, shop, command_id, reason, "staff:tom")


async def listed(desk: Desk) -> list[UUID]:
    """The commands of the list."""
    async with desk.hub.acquire() as connection:
        return [row["command_id"] for row in await list_unanswered(connection, SHOP, datetime.now(UTC), 100)]


async def kinds(desk: Desk) -> list[str]:
    """What the activity says of commands."""
    rows = await desk.fetch("SELECT kind FROM activity WHERE kind LIKE 'command%' ORDER BY kind")
    return [row["kind"] for row in rows]


async def test_an_ended_command_is_rejected_with_the_persons_reason(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    command_id = await waited(desk, await sent_command(desk, order_id=life.order_id))
    assert await listed(desk) == [command_id]
    await ended(desk, command_id)
    state, outcome = await outcome_of(desk, command_id)
    text = "staff:tom ended the command, which got no answer: the queue was purged"
    assert outcome is not None
    assert (state, outcome["reasons"]) == ("rejected", [{"code": "command_ended", "message": text}])
    (note,) = await desk.fetch("SELECT actor, data FROM activity WHERE kind = 'command_ended'")
    assert (note["actor"], json.loads(note["data"])["asked_by"]) == ("staff:tom", "api:erp")
    assert await listed(desk) == []
    with pytest.raises(CommandNotUnanswered):
        await ended(desk, command_id)


async def test_a_late_answer_counts_and_is_noted_and_the_command_stays_ended(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    command_id = await waited(desk, await sent_command(desk, order_id=life.order_id))
    await ended(desk, command_id)
    for _ in range(2):
        assert (await desk.deliver(life.packed(), causation_id=command_id)).result == "handled"
    assert await desk.fetchval("SELECT count(*) FROM parcel") == 1
    assert await kinds(desk) == ["command_done_late", "command_ended"]
    done = CommandDone(shop=SHOP, order_id=life.order_id, command_id=command_id, command_type=PACK)
    await desk.deliver(done, causation_id=command_id, sender="fulfillment")
    assert (await outcome_of(desk, command_id))[0] == "rejected"


async def test_a_late_refusal_is_noted_as_one(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    command_id = await waited(desk, await sent_command(desk, order_id=life.order_id))
    await ended(desk, command_id)
    outcome = await desk.deliver(rejected(life, command_id), sender="fulfillment")
    assert (outcome.result, outcome.messages_of(CommandRejected)) == ("handled", [])
    assert await kinds(desk) == ["command_ended", "command_rejected"]
    (_, stands) = await outcome_of(desk, command_id)
    assert stands is not None
    assert stands["reasons"][0]["code"] == "command_ended"


@pytest.mark.parametrize(
    ("minutes", "kind", "state"),
    [
        (14, PACK, "pending"),
        (1440, "orders.order.cancel", "pending"),
        (1440, PACK, "parked"),
        (1440, PACK, "done"),
    ],
    ids=["asked a moment ago", "a change of orders' own", "parked", "done"],
)
async def test_others_are_not_ended(desks: Desks, minutes: int, kind: str, state: str) -> None:
    desk = await desks("orders")
    command_id = await waited(desk, await sent_command(desk, kind), minutes)
    await desk.fetch("UPDATE command SET state = $1 RETURNING 1", state)
    assert await listed(desk) == []
    with pytest.raises(CommandNotUnanswered):
        await ended(desk, command_id)


async def test_it_takes_a_reason_and_the_right_shop(desks: Desks) -> None:
    desk = await desks("orders")
    command_id = await waited(desk, await sent_command(desk))
    for reason in ("", "x" * (LONGEST_REASON + 1)):
        with pytest.raises(EndWithoutReason):
            await ended(desk, command_id, reason)
    with pytest.raises(CommandNotUnanswered):
        await ended(desk, command_id, shop="ailleurs")
    await ended(desk, command_id, "x" * LONGEST_REASON)
    assert (await outcome_of(desk, command_id))[0] == "rejected"
