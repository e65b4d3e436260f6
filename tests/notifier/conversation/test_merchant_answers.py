"""What the merchant answers by mail: to an order or a message it goes to the customer, to a warning to nobody."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import pytest

from contracts.orders.lifecycle import OrderPlaced
from services.chassis.testing import Desk
from services.notifier.mails.mail import TO_MERCHANT
from services.notifier.mails.recent import recent
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier.builders import SHOP, an_order
from tests.notifier.conversation.builders import ADDRESSES, DOMAIN, reply_address
from tests.notifier.conversation.receiving import a_receiver, an_answer, hand_over, read_all
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_alerts import disputed, low, money, overdue
from tests.notifier.sending.test_sending import a_desk, send_until, settled
from tests.notifier.texts.test_commands import setting

pytestmark = pytest.mark.rows("B17", "C23")
MERCHANT = "commandes@atelier.example"
VOUCHED = "mx.atelier.example; dmarc=pass header.from=atelier.example"
Cause = Callable[[Desk, MailServer, OrderPlaced], Awaitable[object]]


async def nothing_more(_desk: Desk, _server: MailServer, _order: OrderPlaced) -> None:
    """The order itself is the cause."""


async def customers_messages(desk: Desk, order: OrderPlaced, number: int) -> None:
    async with a_receiver(desk) as port:
        for one in range(number):
            await hand_over(port, an_answer(f"La {one}, merci."), reply_address(order))
        await read_all(desk)


async def a_damaged_text(desk: Desk, _server: MailServer, _order: OrderPlaced) -> None:
    await desk.deliver(setting("Bonjour !"))
    await desk.hub.pool.execute("UPDATE template_text SET text = '{{ gone }}'")
    await desk.deliver(an_order())


async def a_refusal(desk: Desk, server: MailServer, _order: OrderPlaced) -> None:
    server.will("RCPT", "550 5.7.1 blocked using a list")
    await desk.deliver(an_order())


ANSWERED: dict[str, Cause] = {
    "new_order": nothing_more,
    "message_received": lambda desk, _, order: customers_messages(desk, order, 1),
}
WARNINGS: dict[str, Cause] = {
    "flood": lambda desk, _, order: customers_messages(desk, order, 11),
    "text_damaged": a_damaged_text,
    "sender_refused": a_refusal,
    "stock_low": lambda desk, *_: desk.deliver(low()),
    "payment_unmatched": lambda desk, *_: desk.deliver(money()),
    "refund_mark_overdue": lambda desk, _, order: desk.deliver(overdue(order)),
    "dispute_due_soon": lambda desk, _, order: desk.deliver(disputed(order)),
}
_OF_KIND = """SELECT message_id FROM mail WHERE recipient = $1 AND
              CASE $2 WHEN 'flood' THEN context ? 'is_flood' ELSE template = $2 AND NOT context ? 'is_flood' END"""


async def a_mail(desk: Desk, sender: Sender, server: MailServer, kind: str) -> EmailMessage:
    """The mail of a kind that the merchant got."""
    for _ in range(2):
        await send_until(desk, sender, settled)
        recent.clear()
    ids = {row["message_id"] for row in await desk.fetch(_OF_KIND, MERCHANT, kind)}
    letters = [one for one in server.journal if one["Message-ID"] in ids]
    assert letters
    return letters[0]


async def answer(desk: Desk, letter: EmailMessage, to: str | None = None) -> tuple[str, str | None, int]:
    """Answer a mail as the merchant's mail program does: where the answer ended, why, and mails to customers for it."""
    headers = {"In-Reply-To": letter["Message-ID"], "References": letter["Message-ID"]}
    proof = {"From": MERCHANT, "Authentication_Results": VOUCHED}
    address = letter["Reply-To"] or letter["From"]
    place = to or address.addresses[0].addr_spec
    posted = "SELECT count(*) FROM mail WHERE template = 'message_posted'"
    before = await desk.fetchval(posted)
    async with a_receiver(desk) as port:
        content = an_answer(f"Vu, je m’en occupe. {place}", **headers, **proof)
        assert await hand_over(port, content, place, sender=MERCHANT) == [250, 250]
        await read_all(desk)
    (ended,) = await desk.fetch(
        "SELECT outcome, reason FROM inbound_mail WHERE sender = $1 AND envelope_to = $2", MERCHANT, place
    )
    return ended["outcome"], ended["reason"], await desk.fetchval(posted) - before


async def an_answering_desk(desks: Desks, server: MailServer) -> tuple[Desk, Sender]:
    return await a_desk(
        desks, server, inbound_domain=DOMAIN, inbound_port=0, inbound_authserv_id="mx.atelier.example"
    )


def test_every_kind_of_mail_to_the_merchant_is_here() -> None:
    assert {template.value for template in TO_MERCHANT} == {*ANSWERED, *WARNINGS} - {"flood"}


@pytest.mark.parametrize("kind", ANSWERED)
async def test_an_answer_to_an_order_or_a_message_goes_to_the_customer(
    desks: Desks, mail_server: MailServer, kind: str
) -> None:
    desk, sender = await an_answering_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await a_mail(desk, sender, mail_server, "new_order")
    await ANSWERED[kind](desk, mail_server, order)
    letter = await a_mail(desk, sender, mail_server, kind)
    assert letter["Reply-To"] == ADDRESSES.of_staff(SHOP, order.order_id, MERCHANT)
    assert await answer(desk, letter) == ("posted", None, 1)
    assert await desk.fetchval("SELECT count(*) FROM message WHERE author_role = 'staff'") == 1


@pytest.mark.parametrize("kind", WARNINGS)
async def test_an_answer_to_a_warning_is_to_be_filed_and_goes_to_no_customer(
    desks: Desks, mail_server: MailServer, kind: str
) -> None:
    desk, sender = await an_answering_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await a_mail(desk, sender, mail_server, "new_order")
    await WARNINGS[kind](desk, mail_server, order)
    letter = await a_mail(desk, sender, mail_server, kind)
    assert await answer(desk, letter) == ("to_file", "sender_unknown", 0)
    token = ADDRESSES.of_staff(SHOP, order.order_id, MERCHANT)
    assert await answer(desk, letter, token) == ("to_file", "warning_answered", 0), (
        "as warnings had it before"
    )
    assert await desk.fetchval("SELECT count(*) FROM message WHERE author_role = 'staff'") == 0


async def test_a_merchant_who_bought_answers_a_warning_not_as_the_customer(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await an_answering_desk(desks, mail_server)
    order = an_order(customer={"name": "Garance", "email": MERCHANT})
    await desk.deliver(order)
    await desk.deliver(overdue(order))
    letter = await a_mail(desk, sender, mail_server, "refund_mark_overdue")
    assert await answer(desk, letter) == ("to_file", "sender_unknown", 0)
    assert await desk.fetchval("SELECT count(*) FROM message") == 0
