"""A cash desk beside the stand-in for PayPal: what the stand-in logs is posted when the test says so."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contracts.envelope import Envelope
from contracts.message import Message
from contracts.orders.lifecycle import OrderPlaced
from contracts.sale import PaymentChoice, PaymentMethod
from deploy.demo.standins.delivering import Journal
from deploy.demo.standins.paypal.certificates import Authority
from deploy.demo.standins.paypal.events import Happened
from deploy.demo.standins.paypal.standin import PayPal, Setup
from deploy.local.ports import free_ports
from services.payments.refunds.sending import RefundSender
from services.payments.webhooks.reading import WebhookReader
from tests.builders.orders import SHOP
from tests.payments.builders import placed
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks

SLUG = "paypal-of-the-tests"
TIMEOUT_SECONDS = 6.0
"""How long payments waits for an answer of PayPal."""
CLIENT_ID, CLIENT_SECRET = "client-of-the-tests", "secret-of-the-tests"
WEBHOOK_ID = "1JE4291016473214C"


def endpoint(**changes: Any) -> dict[str, Any]:
    """The endpoint of the tests, as the settings have it."""
    values = {
        "slug": SLUG,
        "shop": SHOP,
        "webhook_id": WEBHOOK_ID,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "livemode": False,
    }
    return {**values, **changes}


def settings_for(paypal: PayPal, **changes: Any) -> dict[str, Any]:
    """The settings of a service beside the stand-in."""
    return {
        "paypal_endpoints": (endpoint(**changes),),
        "paypal_api_url": paypal.url,
        "paypal_standin_host": f"127.0.0.1:{paypal.setup.https_port}",
        "paypal_standin_root_file": paypal.root_file,
        "paypal_timeout_seconds": TIMEOUT_SECONDS,
    }


@dataclass
class Till:
    """A cash desk, the stand-in, and how many of its events were posted."""

    paypal: PayPal
    cashdesk: CashDesk
    posted: int = 0
    emitted: list[tuple[Envelope, Message]] = field(default_factory=list)

    async def post(self, body: bytes, headers: Mapping[str, str], slug: str = SLUG) -> int:
        """Post a body with headers; the answer's status."""
        answer = await self.cashdesk.client.post(
            f"/webhooks/paypal/{slug}", content=body, headers=dict(headers)
        )
        assert answer.content == b""
        return int(answer.status_code)

    async def deliver(self, *events: Happened) -> None:
        """Post events, signed now; without any, those that happened since the last time."""
        log = self.paypal.log.happened
        for event in events or log[self.posted :]:
            assert await self.post(*self.paypal.signed(event.webhook())) == 200
        self.posted = len(log)

    async def work(self) -> list[tuple[Envelope, Message]]:
        """Apply webhooks, read their objects and send refunds, until nothing is due; what was emitted."""
        cashdesk, hub = self.cashdesk, self.cashdesk.hub
        emitted = await cashdesk.apply()
        reader, sender = WebhookReader(hub), RefundSender(hub)
        while await reader.effects.run(hub) or await sender.effects.run(hub):
            emitted += cashdesk.desk.emitted()
            emitted += await cashdesk.apply()
        return emitted

    async def settle(self) -> list[tuple[Envelope, Message]]:
        """Post what happened, and work."""
        await self.deliver()
        return await self.work()

    async def hurry(self) -> None:
        """What waits for its next try is due now."""
        await self.cashdesk.desk.fetch(
            "UPDATE msg.effect SET next_at = now() WHERE state = 'planned' RETURNING key"
        )

    async def order(self, total_minor: int = 5000, **changes: Any) -> tuple[OrderPlaced, str]:
        """An order that is to be paid by PayPal, and PayPal's id of it."""
        reference = f"PPO{self.paypal.account.chance.randrange(10**13):014d}"
        given = placed(total_minor, **changes)
        choice = PaymentChoice(method=PaymentMethod.PAYPAL, provider="paypal", provider_reference=reference)
        order = given.model_copy(update={"payment": choice})
        await self.cashdesk.desk.deliver(order)
        return order, reference

    async def paid(self, total_minor: int = 5000, **more: Any) -> tuple[OrderPlaced, dict[str, Any]]:
        """An order that was paid, and its capture."""
        order, reference = await self.order(total_minor)
        value = f"{total_minor // 100}.{total_minor % 100:02d}"
        capture = self.paypal.account.pay(value, "EUR", order_id=reference, **more)
        await self.settle()
        return order, capture

    async def webhooks(self) -> list[tuple[str, str, str | None, str | None]]:
        """Type, state, reason and detail of each webhook, the oldest first."""
        rows = await self.cashdesk.desk.fetch(
            "SELECT event_type, state, reason, detail FROM webhook ORDER BY id"
        )
        return [tuple(row.values()) for row in rows]

    async def end_of(self, event_type: str) -> tuple[str, str | None]:
        """How the last webhook of a type ended."""
        found = [(state, reason) for kind, state, reason, _ in await self.webhooks() if kind == event_type]
        return found[-1]


@pytest.fixture
async def paypal(tmp_path: Path, authority: Authority) -> AsyncIterator[PayPal]:
    """The stand-in on free ports, whose events are only logged."""
    http_port, https_port = free_ports(2)
    setup = Setup(http_port, https_port, tmp_path, CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, authority=authority)
    async with PayPal(setup, Journal(tmp_path / "webhooks.jsonl"), Random(1)) as standin:
        yield standin


@pytest.fixture
async def till(paypal: PayPal, cashdesks: CashDesks) -> Till:
    """A till of a shop that is paid by PayPal."""
    return Till(paypal, await cashdesks(**settings_for(paypal)))
