"""Who writes to a thread: the customer, also from an address that staff recognised as theirs, and two at once."""

import pytest

from contracts.message import Reason
from contracts.notifier.conversation import ParticipantAdded, ParticipantRemoved
from contracts.orders.lifecycle import Buyer
from contracts.service import CommandDone, CommandRejected
from tests.builders.orders import deleted
from tests.conftest import Desks
from tests.notifier.conversation.builders import a_filing, a_participant, a_removal, reply_address
from tests.notifier.conversation.receiving import a_receiver, a_receiving_desk, an_answer, hand_over, read_all
from tests.notifier.conversation.test_receiving import an_open_thread, ends, messages
from tests.notifier.test_api import a_client

pytestmark = pytest.mark.rows("B17", "C23")
PARTNER = "paul@partner.example"


async def test_an_address_that_staff_recognised_writes_as_the_customer_in_its_thread_only(
    desks: Desks,
) -> None:
    desk = await a_receiving_desk(desks)
    order, other = await an_open_thread(desk), await an_open_thread(desk)
    ours = await desk.fetchval(
        "SELECT message_id FROM mail WHERE template = 'message_posted' AND order_id = $1", order.order_id
    )
    async with a_receiver(desk) as port:
        for one in (order, other):
            await hand_over(port, an_answer("C’est moi", From=f"Paul <{PARTNER}>"), reply_address(one))
        await read_all(desk)
        command = a_participant(order.order_id, "Paul@Partner.example")
        (added,) = (await desk.deliver(command)).messages_of(ParticipantAdded)
        assert (added.address, added.added_by, added.code) == (PARTNER, "lea", order.code)
        again = await desk.deliver(a_participant(order.order_id, PARTNER, actor="paul"))
        assert (again.messages_of(ParticipantAdded), len(again.messages_of(CommandDone))) == ([], 1)
        for one in (order, other):
            await hand_over(port, an_answer("Encore moi", From=PARTNER), reply_address(one))
        reference = an_answer("Sans jeton", From=PARTNER, **{"In-Reply-To": ours})
        await hand_over(port, reference, "bonjour@atelier.example")
        await read_all(desk)
    assert await messages(desk, order) == [
        ("other", "C’est moi", False),
        ("customer", "Encore moi", False),
        ("customer", "Sans jeton", False),
    ]
    assert [role for role, _, _ in await messages(desk, other)] == ["other", "other"]
    async with a_client(desk) as client:
        shown = (await client.get(f"/internal/threads/{order.shop}/{order.order_id}")).json()["messages"]
    first, second = [one for one in shown if one["address"] == PARTNER][:2]
    assert (first["recognised"]["by"], second["author"]) == ("lea", "Zoé Lefèvre")
    assert await desk.fetchval("SELECT email FROM addressee WHERE order_id = $1", order.order_id) == (
        "zoe@clients.example"
    )


async def test_a_recognised_address_that_is_taken_back_is_another_sender_again(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order, other = await an_open_thread(desk), await an_open_thread(desk)
    ours = await desk.fetchval(
        "SELECT message_id FROM mail WHERE template = 'message_posted' AND order_id = $1", order.order_id
    )
    async with a_receiver(desk) as port:
        for one in (order, other):
            await hand_over(port, an_answer("C’est moi", From=f"Paul <{PARTNER}>"), reply_address(one))
            await read_all(desk)
            await desk.deliver(a_participant(one.order_id, PARTNER))
        await hand_over(port, an_answer("Je confirme", From=PARTNER), reply_address(order))
        await read_all(desk)
        removal = a_removal(order.order_id, "Paul@Partner.example", actor="malik")
        (removed,) = (await desk.deliver(removal)).messages_of(ParticipantRemoved)
        assert (removed.address, removed.removed_by, removed.code) == (PARTNER, "malik", order.code)
        own = await desk.deliver(a_removal(order.order_id, "Zoe@Clients.example"))
        (refused,) = own.messages_of(CommandRejected)
        assert [Reason.model_validate(one).code for one in refused.reasons] == ["address_of_order"]
        again = await desk.deliver(a_removal(order.order_id, PARTNER))
        assert (again.messages_of(ParticipantRemoved), len(again.messages_of(CommandDone))) == ([], 1)
        for one in (order, other):
            await hand_over(port, an_answer("Encore moi", From=PARTNER), reply_address(one))
        reference = an_answer("Sans jeton", From=PARTNER, **{"In-Reply-To": ours})
        await hand_over(port, reference, "bonjour@atelier.example")
        await read_all(desk)
        assert await messages(desk, order) == [
            ("other", "C’est moi", False),
            ("customer", "Je confirme", False),
            ("other", "Encore moi", False),
        ]
        assert [role for role, _, _ in await messages(desk, other)] == ["other", "customer"]
        assert ("to_file", "sender_unknown") in await ends(desk), (
            "a reference alone proves nothing of a stranger"
        )
        async with a_client(desk) as client:
            shown = (await client.get(f"/internal/threads/{order.shop}/{order.order_id}")).json()["messages"]
        assert [one["recognised"] for one in shown if one["address"] == PARTNER] == [None] * 3
        (added,) = (await desk.deliver(a_participant(order.order_id, PARTNER))).messages_of(ParticipantAdded)
        assert added.address == PARTNER
        await hand_over(port, an_answer("De nouveau", From=PARTNER), reply_address(order))
        await read_all(desk)
    assert (await messages(desk, order))[-1] == ("customer", "De nouveau", False)


async def test_only_an_address_that_wrote_to_the_thread_is_recognised(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order, other = await an_open_thread(desk), await an_open_thread(desk)
    async with a_receiver(desk) as port:
        await hand_over(port, an_answer("C’est moi", From=PARTNER), reply_address(other))
        await read_all(desk)
    for address in (PARTNER, "zoe@clients.example", "x@y"):
        (rejected,) = (await desk.deliver(a_participant(order.order_id, address))).messages_of(
            CommandRejected
        )
        assert [Reason.model_validate(one).code for one in rejected.reasons] == ["address_unknown"]
    await desk.deliver(a_participant(other.order_id, PARTNER))
    await desk.deliver(deleted(other))
    assert await desk.fetchval("SELECT count(*) FROM customer_address") == 0
    for command in (a_participant(other.order_id, PARTNER), a_removal(other.order_id, PARTNER)):
        (rejected,) = (await desk.deliver(command)).messages_of(CommandRejected)
        assert [Reason.model_validate(one).code for one in rejected.reasons] == ["order_deleted"]


async def test_two_customers_who_answer_the_same_mail_write_each_to_their_own_thread(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    one = await an_open_thread(desk)
    other = await an_open_thread(desk, customer=Buyer(name="Ana", email="ana@clients.example"))
    ours = await desk.fetchval(
        "SELECT message_id FROM mail WHERE template = 'message_posted' AND order_id = $1", one.order_id
    )
    async with a_receiver(desk) as port:
        same = {"In-Reply-To": ours, "References": ours}
        await hand_over(port, an_answer("La 42.", **same), reply_address(one))
        await hand_over(
            port,
            an_answer("La 44.", From="Ana <ana@clients.example>", **same),
            reply_address(other),
            sender="ana@clients.example",
        )
        await read_all(desk)
    assert await ends(desk) == [("posted", None), ("posted", None)]
    assert await messages(desk, one) == [("customer", "La 42.", False)]
    assert await messages(desk, other) == [("customer", "La 44.", False)]


async def test_the_list_of_mails_to_be_filed_has_the_beginning_of_what_they_contain(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    text = "Bonjour,\n\n> ce que vous aviez écrit\n\nmon colis   est abîmé. " + "Voyez. " * 80
    async with a_receiver(desk) as port:
        await hand_over(port, an_answer(text, From="x@y.example"), "bonjour@atelier.example")
        await hand_over(port, an_answer("La 42."), reply_address(order))
        await read_all(desk)
    async with a_client(desk) as client:
        listed = (await client.get("/internal/inbound", params={"shop": order.shop})).json()["mails"]
    excerpts = {one["outcome"]: one["excerpt"] for one in listed}
    assert excerpts["posted"] == ""
    assert excerpts["to_file"].startswith("Bonjour, mon colis est abîmé. Voyez.")
    assert (len(excerpts["to_file"]), excerpts["to_file"][-1]) == (300, "…")
    (mail,) = [one["id"] for one in listed if one["outcome"] == "to_file"]
    await desk.deliver(a_filing(mail, order_id=order.order_id))
    await read_all(desk)
    assert [role for role, _, _ in await messages(desk, order)] == ["other", "customer"]
