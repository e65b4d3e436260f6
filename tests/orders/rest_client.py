"""For tests of the REST API: a shop's program with its token, and the other services' answers to its commands.

Orders arrive and outcomes come back through the real pipeline on a real PostgreSQL; requests go through the real
application. Only the wires are left out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx2
import pytest

from contracts.catalogue import CATALOGUE
from contracts.envelope import uuid7
from contracts.message import Message, Reason
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentSettled, RecordPayment
from contracts.service import CommandRejected
from contracts.storefront import OrderSubmitted
from services.chassis.testing import Desk, Outcome, wait_until
from services.orders.api.actions import action
from services.orders.api.app import build_app
from tests.builders.submissions import a_line, a_sale

TOKEN = "token-of-the-erp-0123456789"
OTHER_TOKEN = "token-of-another-shop-0123456789"
TOKENS = [
    {"name": "erp", "shop": "maison", "token": TOKEN},
    {"name": "erp", "shop": "atelier", "token": OTHER_TOKEN},
]
DEADLINE_SECONDS = 10.0
PATIENCE_SECONDS = 30.0
_USUAL_SECONDS = action.WAIT_SECONDS
UNANSWERED_SECONDS = 0.1
T = TypeVar("T")


def client(desk: Desk, token: str = TOKEN) -> httpx2.AsyncClient:
    """HTTP to the application, as the holder of a token."""
    transport = httpx2.ASGITransport(build_app(desk.hub), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(transport=transport, base_url="http://orders", headers=headers)


def key() -> dict[str, str]:
    """A new Idempotency-Key."""
    return {"Idempotency-Key": uuid4().hex}


def sale(shop: str = "maison", **changes: Any) -> OrderSubmitted:
    """A sale of three candles and a lesson for 84.00 EUR, to be paid by cheque."""
    candles = a_line(
        description="Bougie",
        sku="BOUGIE-01",
        quantity=3,
        unit_price_minor=1500,
        vat_rate=0,
        options={"parfum": "figuier"},
    )
    lesson = {"kind": "service", "description": "Leçon", "quantity": 1, "unit_price_minor": 3400}
    content: dict[str, Any] = {
        "shop": shop,
        "source_reference": None,
        "submitted_at": datetime.now(UTC),
        "locale": "fr",
        "payment": {"method": "cheque"},
        "customer": {
            "name": "Zoé Martin",
            "email": "zoe@example.org",
            "company": "Martin SARL",
            "ip_address": "192.0.2.7",
            "browser": "Mozilla/5.0 (somebody's)",
        },
        "shipping_address": {
            "name": "Zoé Martin",
            "street": "1 rue du Port",
            "postal_code": "29000",
            "city": "Quimper",
            "country": "FR",
        },
        "shipping": {"label": "Colissimo", "amount_minor": 500},
        "note": "Sonner deux fois.",
    }
    return a_sale(candles, {**lesson, "total_minor": 3400}, **{**content, **changes})


async def place(desk: Desk, sold: OrderSubmitted | None = None) -> OrderPlaced:
    """Have a sale arrive and be placed."""
    outcome: Outcome = await desk.deliver(sold or sale())
    (placed,) = outcome.messages_of(OrderPlaced)
    order: OrderPlaced = placed
    return order


async def sent(desk: Desk, count: int = 1) -> list[tuple[UUID, Any]]:
    """The commands in the event log with their ids, once there are so many. Fails after ten seconds."""
    query = "select id, type, body from msg.event_log where type = any($1::text[]) order by id"
    types = [entry.type for entry in CATALOGUE.values() if entry.is_command]

    async def logged() -> list[Any] | None:
        rows = await desk.fetch(query, types)
        return rows if len(rows) >= count else None

    rows = await wait_until(logged, DEADLINE_SECONDS) if count else await desk.fetch(query, types)
    return [(row["id"], CATALOGUE[row["type"]].message.model_validate_json(row["body"])) for row in rows]


@pytest.fixture(autouse=True)
def short_waits() -> Iterator[None]:
    """Requests wait a tenth of a second for their outcome: nobody answers them, except those sent `patiently`."""
    _wait_for(UNANSWERED_SECONDS)
    yield
    _wait_for(_USUAL_SECONDS)


def patiently(request: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Begin a request that waits for its outcome as long as a busy machine takes."""
    _wait_for(PATIENCE_SECONDS)
    task = asyncio.create_task(request)
    task.add_done_callback(lambda _: _wait_for(UNANSWERED_SECONDS))
    return task


def _wait_for(seconds: float) -> None:
    action.WAIT_SECONDS = seconds


async def answered(
    desk: Desk, request: Coroutine[Any, Any, httpx2.Response], answer: Callable[[UUID, Any], Message]
) -> httpx2.Response:
    """Let a request wait, have its command's owner answer, and give what the caller then hears."""
    before = await desk.fetchval("select count(*) from command")
    waiting = patiently(request)
    command_id, command = (await sent(desk, before + 1))[-1]
    await desk.deliver(answer(command_id, command), causation_id=command_id, sender=_owner(command))
    return await waiting


def _owner(command: Message) -> str:
    return CATALOGUE[f"orders.{command.wire_name}"].listeners[0]


def settled(code: str) -> Callable[[UUID, RecordPayment], PaymentSettled]:
    """Payments did what it was asked."""

    def answer(_: UUID, request: RecordPayment) -> PaymentSettled:
        return PaymentSettled(
            shop=request.shop,
            order_id=request.order_id,
            code=code,
            entry_id=uuid7(),
            method=request.method,
            amount_minor=request.amount_minor,
            currency=request.currency,
            reference=request.reference,
            received_on=request.received_on,
            recorded_by=request.actor,
            balance_minor=8400 - request.amount_minor,
        )

    return answer


def rejected(*reasons: Reason) -> Callable[[UUID, Any], CommandRejected]:
    """The owner refuses."""

    def answer(command_id: UUID, request: Any) -> CommandRejected:
        return CommandRejected(
            shop=request.shop,
            order_id=getattr(request, "order_id", None),
            command_id=command_id,
            command_type=f"orders.{request.wire_name}",
            reasons=list(reasons),
        )

    return answer


PAYMENT = {
    "method": "cheque",
    "amount_minor": 8400,
    "currency": "EUR",
    "reference": "0042",
    "received_on": date(2026, 11, 22).isoformat(),
}
