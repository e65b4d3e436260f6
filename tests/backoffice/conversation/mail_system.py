"""The back office with the real notifier behind it: read over HTTP, commanded through its own pipeline.

Only the broker and the mail server are left out: `do` carries a message to the notifier and what it says to orders.
"""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from contracts.catalogue import CATALOGUE
from contracts.envelope import uuid7
from contracts.message import Message
from contracts.notifier.conversation import AuthorRole, Channel, InboundOutcome, MailReceived
from contracts.orders.lifecycle import OrderPlaced
from deploy.local.ports import free_ports
from services.chassis.testing import Desk
from services.notifier.api import build_app
from services.notifier.conversation.needs import ConversationNeeds
from services.notifier.conversation.posting import post
from services.notifier.conversation.thread import Message as Posted
from services.notifier.conversation.thread import written
from services.notifier.conversation.unit import ConversationUnit
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice, Browser, Shown
from tests.notifier.builders import SHOP
from tests.orders.rest_client import patiently, place, sale, sent
from tests.serving import serving

PATIENCE_SECONDS = 30.0
"""Both sides share one busy loop here: an answer that takes its time is no absence."""


class MailSystem:
    """Orders with its back office, and the notifier with its HTTP."""

    def __init__(self, backoffice: Backoffice, notifier: Desk) -> None:
        self.backoffice, self.notifier = backoffice, notifier

    async def order(self, **changes: Any) -> OrderPlaced:
        """A sale that is placed, of which the notifier has heard."""
        order = await place(self.backoffice.desk, sale(SHOP, **changes))
        await self.notifier.deliver(order)
        return order

    async def signed_in(self, role: Role = Role.OWNER, language: str = "en") -> Browser:
        """A browser of a person of the shop."""
        return await self.backoffice.signed_in(role, SHOP, language)

    async def do(self, message: Message, **more: Any) -> None:
        """Have the notifier hear a message, and orders what the notifier says about it."""
        await self._carry((await self.notifier.deliver(message, **more)).emitted)

    async def carry_out(self, request: Coroutine[Any, Any, Shown]) -> Shown:
        """Send a form, have the notifier do what it asks, and give the page that comes then."""
        before = await self.backoffice.desk.fetchval("select count(*) from command")
        waiting = patiently(request)
        command_id, command = (await sent(self.backoffice.desk, before + 1))[-1]
        await self.do(command, id=command_id)
        return await waiting

    async def carry_out_all(self) -> None:
        """Have the notifier do what was asked while nobody waited."""
        for command_id, command in await sent(self.backoffice.desk, 0):
            await self.do(command, id=command_id)

    async def customer_writes(self, order: OrderPlaced, text: str, **changes: Any) -> UUID:
        """The customer, or another author of `author_role`, writes to the thread; the message's id."""
        values = {
            "message_id": uuid7(),
            "author_role": AuthorRole.CUSTOMER,
            "author": "Zoé Lefèvre",
            "via": Channel.PAGE,
            "posted_at": datetime.now(UTC),
            "segments": written(text),
        }
        message = Posted(**{**values, **changes})
        self.notifier._units.clear()
        async with self.notifier.unit() as unit:
            work = ConversationUnit(unit)
            await work.load(ConversationNeeds(threads={(order.shop, order.order_id)}))
            recipient = work.recipient(order.shop, order.order_id)
            assert recipient is not None
            post(work, recipient, message)
            await work.save()
        await self._carry(self.notifier.emitted())
        return message.message_id

    async def receives(self, raw: bytes, outcome: str = "to_file", **values: Any) -> UUID:
        """A mail arrives and ends; its id."""
        inbound_id, now = uuid7(), datetime.now(UTC)
        row = {
            "sender": "Zoé <zoe@client.example>",
            "subject": "Ma commande",
            "shop": SHOP,
            "envelope_from": "",
            "order_id": None,
            **values,
        }
        await self.notifier.hub.pool.execute(
            """INSERT INTO inbound_mail (inbound_id, shop, received_at, envelope_to, digest, size, raw,
                   sender, subject, outcome, envelope_from, order_id, ended_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $3)""",
            *(inbound_id, row["shop"], now, str(inbound_id), sha256(raw).digest(), len(raw), raw),
            *(row["sender"], row["subject"], outcome, row["envelope_from"], row["order_id"]),
        )
        ended = MailReceived(
            shop=row["shop"],
            inbound_id=inbound_id,
            outcome=InboundOutcome(outcome),
            received_at=now,
            order_id=row["order_id"],
        )
        await self.backoffice.desk.deliver(ended)
        return inbound_id

    async def _carry(self, emitted: list[Any]) -> None:
        for envelope, event in emitted:
            if "orders" in CATALOGUE[envelope.type].listeners:
                await self.backoffice.desk.deliver(event, envelope=envelope)


@asynccontextmanager
async def a_mail_system(backoffices: Any, desks: Any) -> AsyncIterator[MailSystem]:
    """A back office that reads from a notifier of its own."""
    (port,) = free_ports(1)
    notifier = await desks("notifier")
    backoffice = await backoffices(notifier_url=f"http://127.0.0.1:{port}")
    backoffice.app_state.clients.seconds = PATIENCE_SECONDS
    async with serving(build_app(notifier.hub), port):
        yield MailSystem(backoffice, notifier)
