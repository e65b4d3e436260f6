"""A receiver that listens, a mail server that hands mails to it, and the reader that posts them."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

from services.chassis.testing import Desk, wait_until
from services.notifier.conversation.filing.reading import Reader
from services.notifier.conversation.receiving.receiver import Receiver
from services.notifier.sending.bounces.ending import end_bounce
from services.notifier.sending.bounces.receiving import find_bounced
from tests.notifier.conversation.builders import DOMAIN


@asynccontextmanager
async def a_receiver(desk: Desk) -> AsyncIterator[int]:
    """The port of a receiver of this desk."""
    receiver = Receiver(desk.hub, find_bounced)
    serving = asyncio.create_task(receiver.serve(desk.hub))
    await wait_until(lambda: receiver.port is not None)
    assert receiver.port
    yield receiver.port
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def an_answer(text: str = "Oui", **headers: Any) -> bytes:
    """A mail of the customer."""
    message = EmailMessage()
    values = {"From": "Zoé Lefèvre <zoe@clients.example>", "Subject": "Re: Votre commande", **headers}
    for name, value in values.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _hand_over(
    port: int, sender: str, recipients: Sequence[str], content: bytes, size: int | None
) -> list[int]:
    with smtplib.LMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo("tests")
        code, _ = client.mail(sender, [f"size={size or len(content)}"])
        if code != 250:
            return [code]
        codes = [client.rcpt(one)[0] for one in recipients]
        accepted = [code for code in codes if code == 250]
        if not accepted:
            return codes
        first, _ = client.data(content)
        return [*codes, first, *(client.getreply()[0] for _ in accepted[1:])]


async def hand_over(
    port: int, content: bytes, *recipients: str, sender: str = "zoe@clients.example", size: int | None = None
) -> list[int]:
    """Hand a mail to the receiver as a mail server does; return the codes: of each recipient, then of the mail."""
    return await asyncio.to_thread(_hand_over, port, sender, recipients, content, size)


async def read_all(desk: Desk) -> None:
    """Let the reader read until nothing is left."""
    reader = Reader(desk.hub, end_bounce)

    async def is_done() -> bool:
        await reader.effects.run(desk.hub)
        left = "SELECT count(*) FROM msg.effect WHERE kind = 'inbound' AND state IN ('planned', 'in_flight')"
        return await desk.fetchval(left) == 0

    await wait_until(is_done)


async def a_receiving_desk(desks: Any, **settings: Any) -> Desk:
    """A desk whose mails have reply addresses."""
    desk: Desk = await desks("notifier", inbound_domain=DOMAIN, inbound_port=0, **settings)
    return desk
