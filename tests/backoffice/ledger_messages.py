"""For tests of pages about money: an order's books as payments tells them, and payments' word on a refund."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import BalanceChanged, LedgerEntry, Position
from contracts.payments.refunds import (
    Refund,
    RefundFailed,
    RefundMarked,
    RefundOrder,
    RefundSent,
    RefundUncertain,
)
from services.chassis.testing import Desk

BY_CARD: dict[str, Any] = {"method": "card", "provider": "stripe", "provider_reference": "pi_1"}
BY_CHEQUE: dict[str, Any] = {"method": "cheque", "reference": "CHQ 7", "actor": "camille@maison.example"}


def entry(number: int, kind: str, minor: int, balance: int, **more: Any) -> LedgerEntry:
    """An entry of the ledger."""
    return LedgerEntry(
        entry_id=uuid7(),
        number=number,
        kind=kind,
        amount_minor=minor,
        occurred_at=datetime.now(UTC),
        balance_after_minor=balance,
        **{"actor": "orders", **more},
    )


async def receive(desk: Desk, placed: OrderPlaced, minor: int = 8400, **by: Any) -> UUID:
    """Money comes in for an order of 84.00 EUR; the entry's id."""
    balance = 8400 - minor
    entries = [
        entry(1, "order_total", 8400, 8400),
        entry(2, "payment_received", minor, balance, **(by or BY_CARD)),
    ]
    position = Position(
        version=2, currency="EUR", due_minor=8400, received_minor=minor, balance_minor=balance
    )
    about = {"shop": placed.shop, "order_id": placed.order_id, "code": placed.code}
    await desk.deliver(BalanceChanged(**about, position=position, entries=entries))
    return entries[1].entry_id


def refunded(
    code: str, kind: type[RefundMarked | RefundSent | RefundFailed | RefundUncertain], **more: Any
) -> Callable[[UUID, RefundOrder], Any]:
    """Payments' word on the refund that a command asks for."""
    states: dict[type[Message], str] = {RefundMarked: "marked", RefundSent: "sent", RefundFailed: "failed"}
    state = states.get(kind, "uncertain")

    def answer(_: UUID, request: RefundOrder) -> Any:
        about = request.model_dump(
            include={"refund_id", "mode", "amount_minor", "currency", "lines", "cause", "reason", "actor"}
        )
        fields = {"version": 3, "state": state, "asked_at": datetime.now(UTC), "provider": "stripe", **more}
        return kind(
            shop=request.shop,
            order_id=request.order_id,
            code=code,
            refund=Refund.model_validate({**about, **fields}),
        )

    return answer
