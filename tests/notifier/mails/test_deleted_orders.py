"""The notifier keeps nothing about the customer of a deleted order, in any order of its messages."""

import itertools
import json
from typing import Any

import pytest

from contracts.message import Message
from services.chassis.testing import Desk, envelope_for
from tests.builders.orders import deleted
from tests.conftest import Desks
from tests.notifier.builders import a_correction, a_shipment, a_status, an_edit, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.replaying import replay
from tests.notifier.sending.test_sending import a_desk, send_until, settled

ALL_OF = "SELECT to_json(t)::text AS r FROM {} t"
PERSONAL = ("zoe", "lefèvre", "tilleuls", "toulouse", "@clients.example", "suivi.example")


async def kept(desk: Desk) -> str:
    """All that the notifier's own tables hold, in one text."""
    rows: list[Any] = []
    for table in ("addressee", "mail", "resend"):
        rows += [row["r"] for row in await desk.fetch(ALL_OF.format(table))]
    return json.dumps([json.loads(row) for row in rows], ensure_ascii=False).lower()


def names(text: str) -> list[str]:
    return [word for word in PERSONAL if word in text]


async def test_a_mail_that_went_stays_as_a_fact_without_its_reader(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    placed, shipment = envelope_for("notifier", order), a_shipment(order.order_id)
    await desk.deliver(order, envelope=placed)
    await desk.deliver(shipment)
    await send_until(desk, sender, settled)
    assert names(await kept(desk))
    await desk.deliver(deleted(order))
    assert names(await kept(desk)) == []
    rows = await desk.fetch("SELECT template, state FROM mail_with_state ORDER BY template")
    assert {row["state"] for row in rows} == {"done"}
    assert len(rows) == 3
    assert str(shipment.shipment_id) in await kept(desk)
    await replay(desk, order, placed)
    await desk.deliver(deleted(order))
    assert names(await kept(desk)) == []
    assert await desk.fetchval("SELECT count(*) FROM mail") == 3


async def test_a_replay_of_the_deletion_erases_the_customer(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    written = len(mail_server.journal)
    await replay(desk, deleted(order))
    for _ in range(3):
        await sender.effects.run(desk.hub)
    assert names(await kept(desk)) == []
    assert len(mail_server.journal) == written


async def test_a_mail_that_is_still_to_go_never_goes(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(deleted(order))
    for _ in range(3):
        await sender.effects.run(desk.hub)
    assert mail_server.journal == []
    assert {row["state"] for row in await desk.fetch("SELECT state FROM mail_with_state")} == {"discarded"}


@pytest.mark.parametrize("sequence", list(itertools.permutations(range(4))))
async def test_any_sequence_ends_the_same(desks: Desks, sequence: tuple[int, ...]) -> None:
    desk = await desks("notifier")
    order = an_order()
    messages: list[Message] = [
        order,
        an_edit(order),
        a_correction(order.order_id),
        deleted(order),
    ]
    for index in sequence:
        await desk.deliver(messages[index])
    await desk.retry()
    await desk.deliver(a_status(order.order_id, notify_customer=True))
    assert names(await kept(desk)) == []
    assert await desk.fetchval("SELECT count(*) FROM msg.effect WHERE state = 'planned'") == 0
    assert await desk.fetchval("SELECT count(*) FROM msg.parked WHERE state IN ('waiting', 'dead')") == 0


async def test_one_batch_is_like_one_by_one(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    late = a_correction(order.order_id)
    messages: list[Message] = [order, a_shipment(order.order_id), deleted(order), late]
    await desk.deliver_all([(envelope_for("notifier", one), one, None) for one in messages])
    await desk.retry()
    assert names(await kept(desk)) == []
    assert await desk.fetchval("SELECT count(*) FROM msg.effect WHERE state = 'planned'") == 0
