"""The copies of conversations: the highest version counts, whatever arrives first."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.notifier.conversation import (
    MailFiled,
    MailReceived,
    MessagePosted,
    ParticipantAdded,
    ParticipantRemoved,
    ThreadChanged,
    ThreadSummary,
)
from services.chassis.testing import Desk, envelope_for
from tests.builders.submissions import NOW, SHOP
from tests.conftest import Desks
from tests.orders.builders import Life, a_life

pytestmark = pytest.mark.rows("B17")


def a_summary(version: int, **changes: Any) -> ThreadSummary:
    values = {"version": version, "state": "waiting_staff", "unread": version, "last_at": NOW}
    return ThreadSummary.model_validate({**values, **changes})


def a_post(life: Life, version: int, **changes: Any) -> MessagePosted:
    values = {
        "shop": life.shop,
        "order_id": life.order_id,
        "code": life.code,
        "message_id": uuid7(),
        "author_role": "customer",
        "author": "Zoé",
        "via": "mail",
        "excerpt": f"mot {version}",
        "thread": a_summary(version),
        "posted_at": NOW,
    }
    return MessagePosted.model_validate({**values, **changes})


def a_closing(life: Life, version: int) -> ThreadChanged:
    values = {
        "shop": life.shop,
        "order_id": life.order_id,
        "code": life.code,
        "change": "close",
        "thread": a_summary(version, state="closed", unread=0, assignee="lea"),
        "changed_by": "lea",
        "changed_at": NOW + timedelta(minutes=1),
    }
    return ThreadChanged.model_validate(values)


async def row(desk: Desk, life: Life) -> tuple[Any, ...]:
    (found,) = await desk.fetch(
        """SELECT version, state, unread, assignee, message_version, last_author, excerpt FROM thread
           WHERE order_id = $1""",
        life.order_id,
    )
    return tuple(found)


async def test_the_copy_of_a_thread_does_not_depend_on_the_order_of_arrival(desks: Desks) -> None:
    desk = await desks("orders")
    expected = (4, "closed", 0, "lea", 2, "Zoé", "mot 2")
    for together in (False, True):
        for order in itertools.permutations(range(4)):
            life = await a_life(desk)
            facts: list[Message] = [
                a_post(life, 1),
                a_post(life, 2),
                a_post(life, 3, is_automatic=True, excerpt="Absent"),
                a_closing(life, 4),
            ]
            batch = [(envelope_for("orders", facts[n]), facts[n], None) for n in order]
            for part in [batch] if together else [[one] for one in batch]:
                await desk.deliver_all(part)
            assert await row(desk, life) == expected
            kinds = await desk.fetch(
                "SELECT kind FROM activity WHERE order_id = $1 AND kind NOT LIKE 'order%' ORDER BY kind",
                life.order_id,
            )
            assert [one["kind"] for one in kinds][-4:] == [
                "automatic_mail_received",
                "message_posted",
                "message_posted",
                "thread_closed",
            ]


async def test_a_received_mail_is_one_row_with_its_end_and_its_filing(desks: Desks) -> None:
    desk = await desks("orders")
    for order in itertools.permutations(range(2)):
        life, inbound_id = await a_life(desk), uuid7()
        facts: list[Message] = [
            MailReceived.model_validate(
                {
                    "shop": SHOP,
                    "inbound_id": inbound_id,
                    "outcome": "to_file",
                    "reason": "sender_unknown",
                    "received_at": NOW,
                }
            ),
            MailFiled(shop=SHOP, inbound_id=inbound_id, order_id=life.order_id, filed_by="lea", filed_at=NOW),
        ]
        for n in (*order, *order):
            await desk.deliver(facts[n])
        (kept,) = await desk.fetch("SELECT * FROM received_mail WHERE inbound_id = $1", inbound_id)
        assert (kept["order_id"], kept["outcome"], kept["filed_by"]) == (life.order_id, "to_file", "lea")


async def test_the_activity_has_who_recognised_an_address_and_who_took_it_back(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    added = ParticipantAdded(
        shop=SHOP,
        order_id=life.order_id,
        code=life.code,
        address="paul@partner.example",
        added_by="lea",
        added_at=NOW,
    )
    await desk.deliver(added)
    (noted,) = await desk.fetch("SELECT actor, data FROM activity WHERE kind = 'participant_added'")
    assert (noted["actor"], json.loads(noted["data"])) == ("lea", {"address": "paul@partner.example"})
    removed = ParticipantRemoved(
        shop=SHOP,
        order_id=life.order_id,
        code=life.code,
        address="paul@partner.example",
        removed_by="malik",
        removed_at=NOW,
    )
    await desk.deliver(removed)
    (noted,) = await desk.fetch("SELECT actor, data FROM activity WHERE kind = 'participant_removed'")
    assert (noted["actor"], json.loads(noted["data"])) == ("malik", {"address": "paul@partner.example"})


async def test_a_message_waits_for_its_order(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(a_post(life, 1))
    assert await row(desk, life)
    unknown = Life(uuid7(), "K7F3-QD9M", 100, [1])
    assert (await desk.deliver(a_post(unknown, 1))).result == "waiting"
