"""Payments at a desk: messages delivered, webhooks posted over HTTP and applied, on a real PostgreSQL."""

from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx2

from contracts.envelope import Envelope
from contracts.message import Message
from services.chassis.http import edge
from services.chassis.testing import Desk
from services.payments import api
from services.payments.invoices.rendering.process import Renderer
from services.payments.settings import PaymentsSettings
from services.payments.webhooks.applying import apply_webhooks
from services.payments.webhooks.receiving import Receiver
from services.payments.webhooks.refusals import Refusals
from tests.payments.builders import SLUG, as_body, signature
from tests.payments.tables import equal_after_shuffle

M = TypeVar("M", bound=Message)


class CashDesk:
    """One process of payments without broker and without loops: each step is taken when the test says so."""

    def __init__(self, desk: Desk) -> None:
        assert isinstance(desk.hub.settings, PaymentsSettings)
        self.desk = desk
        self.hub = desk.hub
        self.providers = desk.hub.settings.providers
        self.refusals = Refusals()
        self.renderer = Renderer()
        self.nudges: list[str] = []
        self.receiver = Receiver(
            desk.hub, desk.hub.settings, self.refusals, lambda: self.nudges.append("stored")
        )
        self._emitted: list[tuple[Envelope, Message]] = []
        self._stack = AsyncExitStack()

    async def open(self) -> "CashDesk":
        """Open the HTTP side."""
        transport = httpx2.ASGITransport(
            app=edge.application(self.hub.settings, [], api.build(self.hub, self.receiver, self.renderer))
        )
        self.client = await self._stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url="http://payments.test")
        )
        return self

    async def close(self) -> None:
        """Close the HTTP side."""
        await self._stack.aclose()
        await self.renderer.close()
        await self.providers.close()

    async def post(self, event: dict[str, Any] | bytes, slug: str = SLUG, **headers: str) -> int:
        """Post a signed webhook; the answer's status. Header names are given with underscores."""
        body = event if isinstance(event, bytes) else as_body(event)
        given = {"content-type": "application/json", "stripe-signature": signature(body)}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        answer = await self.client.post(f"/webhooks/stripe/{slug}", content=body, headers=given)
        assert answer.content == b""
        return int(answer.status_code)

    async def apply(self) -> list[tuple[Envelope, Message]]:
        """Apply all stored webhooks; what was said."""
        self.desk._units.clear()
        while await self.desk.fetchval("SELECT count(*) FROM webhook WHERE state = 'received'"):
            await apply_webhooks(self.hub)
        return self.desk.emitted()

    async def pay(self, *events: dict[str, Any]) -> list[tuple[Envelope, Message]]:
        """Post webhooks and apply them."""
        for event in events:
            assert await self.post(event) == 200
        return await self.apply()

    async def ends(self) -> dict[str, tuple[str, str | None]]:
        """How each webhook ended: state and reason by event id."""
        rows = await self.desk.fetch("SELECT event_id, state, reason FROM webhook")
        return {row["event_id"]: (row["state"], row["reason"]) for row in rows}

    async def end_of(self, event: dict[str, Any]) -> tuple[str, str | None]:
        """How one webhook ended."""
        return (await self.ends())[event["id"]]

    async def account(self, order: Any) -> dict[str, Any]:
        """The account's row."""
        rows = await self.desk.fetch(
            "SELECT * FROM account WHERE shop = $1 AND order_id = $2", order.shop, order.order_id
        )
        assert len(rows) == 1
        return dict(rows[0])

    async def entries(self, order: Any) -> list[tuple[str, int]]:
        """The ledger: kind and amount, in its sequence."""
        rows = await self.desk.fetch(
            "SELECT kind, amount_minor FROM ledger_entry WHERE shop = $1 AND order_id = $2 ORDER BY number",
            order.shop,
            order.order_id,
        )
        return [(row["kind"], row["amount_minor"]) for row in rows]

    async def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that must not depend on the sequence of messages."""
        return {
            table: [tuple(row.values()) for row in await self.desk.fetch(query)]
            for table, query in equal_after_shuffle().items()
        }

    async def check_ledger(self) -> None:
        """What holds after every test: positions are what the ledger adds up to; webhooks received = their ends."""
        wrong = await self.desk.fetch(
            """SELECT a.order_id, a.balance_minor, a.received_minor, s.* FROM account a CROSS JOIN LATERAL (
                   SELECT coalesce(sum(amount_minor * CASE
                              WHEN kind IN ('order_total', 'due_increased', 'credit_reversed', 'payment_reversed',
                                  'refund_paid', 'refund_marked', 'transfer_out') THEN 1
                              WHEN kind IN ('credit_granted', 'payment_received', 'refund_failed',
                                  'refund_mark_reversed', 'transfer_in') THEN -1 ELSE 0 END), 0) AS balance,
                          count(*) AS entries, max(number) AS last_number
                   FROM ledger_entry e WHERE (e.shop, e.order_id) = (a.shop, a.order_id)) AS s
               WHERE s.balance <> a.balance_minor OR s.entries <> s.last_number"""
        )
        assert wrong == []
        tally = await self.desk.fetch("SELECT * FROM webhook_tally")
        for row in tally:
            ends = [row[end] for end in ("applied", "duplicate", "irrelevant", "waiting", "parked", "unread")]
            assert row["received"] == sum(ends)
