"""Erasure in the notifier: nothing that was written to or by the customer is left, whatever arrives later."""

import json
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.notifier.bounces import LiftSuppression, SuppressAddress, SuppressionLifted
from contracts.notifier.conversation import MailFiled
from contracts.orders.erasure import CustomerErased, ErasureDone
from contracts.orders.lifecycle import Buyer
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.erasure.store import TIMER
from services.chassis.testing import Desk, wait_until
from services.notifier.erasing import ERASEABLE
from tests.conftest import Desks
from tests.notifier.builders import SHOP, a_shipment, an_edit, an_order
from tests.notifier.conversation.builders import a_message
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_deleted_orders import PERSONAL
from tests.notifier.sending.test_sending import a_desk, send_until, settled

TABLES = """SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ('public', 'msg') ORDER BY 1"""


async def traces(desk: Desk) -> list[str]:
    """The tables that hold a personal text; bytes are read as text."""
    found = []
    for table in [row["name"] for row in await desk.fetch(TABLES)]:
        for row in await desk.fetch(f"SELECT * FROM {table}"):  # noqa: S608
            values = [
                one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in row.values()
            ]
            text = " ".join(values).lower()
            found += [f"{table}: {word}" for word in (*PERSONAL, "sabot") if word in text]
    return found


async def fire(desk: Desk, kind: type[Message] = ErasureDone) -> list[Any]:
    """Fire the timers of erasures that are due; the messages of a kind that were published then."""
    desk._units.clear()
    for row in await desk.fetch(
        "DELETE FROM msg.timer WHERE kind = $1 AND due_at <= now() RETURNING key, payload", TIMER
    ):
        async with desk.unit() as unit:
            await erasing.timer(ERASEABLE)(unit, row["key"], json.loads(row["payload"]))
    return [one for _, one in desk.emitted() if isinstance(one, kind)]


async def receive(desk: Desk, order: Any, *, is_filed: bool, sender: str | None = None) -> UUID:
    """A mail of the customer, or another sender, as the receiver keeps it; its id."""
    address, inbound_id = sender or order.customer.email, uuid7()
    raw = f"From: {address}\\n\\nDes sabots pour Zoé Lefèvre".encode()
    await desk.hub.pool.execute(
        """INSERT INTO inbound_mail (inbound_id, shop, received_at, envelope_from, envelope_to, digest, size, raw,
                                     order_id, sender, subject, outcome)
           VALUES ($1, $2, now(), $3, gen_random_uuid()::text, $4, 1, $5, $6, $3, 'Sabots', 'to_file')""",
        *(inbound_id, SHOP, address, uuid7().bytes, raw, order.order_id if is_filed else None),
    )
    return inbound_id


async def test_mails_messages_and_received_mails_are_erased(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(a_shipment(order.order_id))
    await desk.deliver(a_message(order.order_id, text="Des sabots pour Zoé Lefèvre ?"))
    await receive(desk, order, is_filed=True)
    await receive(desk, order, is_filed=False)
    await send_until(desk, sender, settled)
    assert await traces(desk)
    await desk.deliver(CustomerErased(erasure_id=uuid7(), shop=SHOP, order_ids=[order.order_id]))
    (done,) = await fire(desk)
    assert await traces(desk) == []
    assert (done.counts["mail"], done.counts["message"], done.counts["inbound_mail"]) == (4, 2, 1)
    await desk.deliver(order)
    await desk.deliver(a_message(order.order_id, text="Des sabots pour Zoé Lefèvre ?"))
    await fire(desk)
    assert await traces(desk) == []


async def test_a_suppressed_address_stays_suppressed_and_unreadable(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order, again = an_order(), an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    await desk.hub.pool.execute(
        """INSERT INTO suppression (id, shop, address, kind, since, actor, reason)
           VALUES (gen_random_uuid(), $1, lower($2), 'manual', now(), 'lea', 'Zoé Lefèvre asked')""",
        *(SHOP, order.customer.email),
    )
    await desk.deliver(CustomerErased(erasure_id=uuid7(), shop=SHOP, order_ids=[order.order_id]))
    await fire(desk)
    assert await traces(desk) == []
    await desk.deliver(again)

    async def held() -> int:
        await sender.effects.run(desk.hub)
        found: int = await desk.fetchval("SELECT count(*) FROM mail_end WHERE state = 'suppressed'")
        return found

    assert await wait_until(held) == 1


async def test_mails_to_be_filed_are_erased_by_their_sender_and_wait_for_nobody(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    waiting = await receive(desk, order, is_filed=False)
    await receive(desk, order, is_filed=True)
    neighbour = await receive(desk, order, is_filed=False, sender=f"a{order.customer.email}")
    await desk.deliver(CustomerErased(erasure_id=uuid7(), shop=SHOP, order_ids=[order.order_id]))
    filed = await fire(desk, MailFiled)
    assert [(one.inbound_id, one.order_id, one.filed_by) for one in filed] == [(waiting, None, "notifier")]
    left = await desk.fetch(
        "SELECT inbound_id, sender, raw FROM inbound_mail ORDER BY received_at, inbound_id"
    )
    assert [(row["inbound_id"], row["sender"] is None, row["raw"] == b"") for row in left] == [
        (waiting, True, True),
        (neighbour, False, False),
    ]


async def test_an_address_that_no_order_has_any_more_is_erased_too(desks: Desks) -> None:
    desk = await desks("notifier")
    order, address = (
        an_order(customer=Buyer(name="Zoé Lefèvre", email="Zoe@clients.example")),
        "zoe@clients.example",
    )
    neighbour = f"a{address}"
    await desk.deliver(order)
    await desk.deliver(an_edit(order, customer=Buyer(name="Zoé Lefèvre", email="zoe@nouvelle.example")))
    about: dict[str, Any] = {"shop": SHOP, "actor": "lea", "reason": "on the telephone"}
    for one in ("ZOE@Clients.example", neighbour):
        await desk.deliver(SuppressAddress(**about, address=one))
        (lifted,) = (await desk.deliver(LiftSuppression(**about, address=one))).messages_of(SuppressionLifted)
        assert lifted.order_ids == []
    await desk.deliver(SuppressAddress(**about, address=address))
    await desk.deliver(CustomerErased(erasure_id=uuid7(), shop=SHOP, order_ids=[order.order_id]))
    await fire(desk)
    bodies = [bytes(row["body"]).decode() for row in await desk.fetch("SELECT body FROM msg.event_log")]
    assert [body for body in bodies if f'"{address}"' in body or "nouvelle" in body] == []
    assert len([body for body in bodies if neighbour in body]) == 2, "another person's"
    kept = [row["address"] for row in await desk.fetch("SELECT address FROM suppression ORDER BY since")]
    assert [one.startswith("erased:") for one in kept] == [True, False, True]
    (lifted,) = (await desk.deliver(LiftSuppression(**about, address=address))).messages_of(SuppressionLifted)
    assert lifted.address == kept[2], "an erased address is not published again"
