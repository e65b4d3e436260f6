"""A refund that would cancel the order credits all that is still due; what its units cost never exceeds that."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import uuid7
from contracts.fulfillment.position import FulfilmentPosition, LinePosition, StockStanding
from contracts.fulfillment.stock import StockRestocked
from contracts.message import LineUnits
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import RefundCause, RefundMarked, RefundMode, RefundOrder
from contracts.sale import LineKind
from services.chassis.testing import Desk
from services.orders.api.actions import action
from services.orders.api.actions.refund_rules import faults_of_amount, units_refunded
from services.orders.backoffice.order.refundable import units_left, worth_of
from services.orders.listing.documents import OrderResponse
from tests.backoffice.ledger_messages import receive, refunded
from tests.conftest import Desks
from tests.orders.rest_client import TOKENS, client, key, place, sent

ALL: list[dict[str, Any]] = [{"line": 1, "quantity": 3}, {"line": 2, "quantity": 1}]


def refund_request(amount_minor: int, lines: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A request to give money back."""
    return {"mode": "recorded", "amount_minor": amount_minor, "currency": "EUR", "lines": lines, **more}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait a tenth of a second for an outcome."""
    monkeypatch.setattr(action, "WAIT_SECONDS", 0.1)


async def paid(desk: Desk) -> OrderPlaced:
    """A paid order of 84.00 EUR: three candles, a lesson and their delivery."""
    placed = await place(desk)
    await receive(desk, placed)
    return placed


async def shown(desk: Desk, placed: OrderPlaced) -> OrderResponse:
    """The order as the API tells it."""
    async with client(desk) as http:
        answer = await http.get(f"/v1/orders/{placed.code}")
    return OrderResponse.model_validate(answer.json())


@pytest.mark.usefixtures("impatient")
async def test_a_refund_that_cancels_the_order_credits_all_that_is_due(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await paid(desk)
    path = f"/v1/orders/{placed.code}/refunds"
    async with client(desk) as http:
        for amount in (1, 500, 8399):
            refused = await http.post(path, headers=key(), json=refund_request(amount, ALL))
            (error,) = refused.json()["errors"]
            assert (refused.status_code, error["code"]) == (422, "refund_keeps_money")
            assert "84.00 EUR is still due" in error["message"]
        for fine in (
            refund_request(500, []),
            refund_request(500, ALL, cause="overpaid"),
            refund_request(500, ALL[:1]),
        ):
            assert (await http.post(path, headers=key(), json=fine)).status_code == 202
        once = key()
        assert (await http.post(path, headers=once, json=refund_request(8400, ALL))).status_code == 202
        assert len(await sent(desk)) == 4
        await _cancelled_by_refund(desk, placed)
        assert (await http.post(path, headers=once, json=refund_request(8400, ALL))).status_code == 202, (
            "a repeat"
        )
    assert len(await sent(desk)) == 4


async def test_only_the_last_wanted_units_bind_the_amount(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    _check_amounts(await shown(desk, await paid(desk)))


def _check_amounts(placed: OrderResponse) -> None:
    @given(
        amount=st.integers(1, 20_000), cancelled=st.integers(0, 3), shipped=st.integers(0, 3), units=st.data()
    )
    def check(amount: int, cancelled: int, shipped: int, units: st.DataObject) -> None:
        _check_amount(placed.model_copy(deep=True), amount, cancelled, shipped, units)

    check()


def _check_amount(
    order: OrderResponse, amount: int, cancelled: int, shipped: int, units: st.DataObject
) -> None:
    shipped = min(shipped, 3 - cancelled)
    position = LinePosition(
        line=1, kind=LineKind.SHIP, ordered=3, cancelled=cancelled, packed=shipped, shipped=shipped
    )
    order.lines[0] = order.lines[0].model_copy(update={"position": position})
    chosen = {1: units.draw(st.integers(0, 3)), 2: units.draw(st.integers(0, 1))}
    left = units_left(order)
    assert left == {1: 3 - cancelled, 2: 1}
    effect = units_refunded(order, chosen, RefundCause.CREDIT)
    stoppable = 3 - cancelled - shipped
    assert effect.cancelled.get(1, 0) == min(chosen[1], stoppable)
    assert effect.cancels_order is (shipped == 0 and chosen[1] >= stoppable and chosen[2] == 1)
    faults = faults_of_amount(order, amount, chosen, RefundCause.CREDIT)
    assert bool(faults) is (effect.cancels_order and amount < 8400)
    assert 0 <= worth_of(order, chosen) <= 8400


async def test_units_that_are_cancelled_are_not_refunded_again(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await paid(desk)
    await _cancelled_by_refund(desk, placed, refunded_units=2, cancelled=2)
    assert units_left(await shown(desk, placed)) == {1: 1, 2: 1}
    await _cancelled_by_refund(desk, placed, refunded_units=0, cancelled=3)
    assert units_left(await shown(desk, placed)) == {1: 0, 2: 1}


async def _cancelled_by_refund(
    desk: Desk, placed: OrderPlaced, *, refunded_units: int = 3, cancelled: int = 3
) -> None:
    refund_id = uuid7()
    units = [LineUnits(line=1, quantity=refunded_units)] if refunded_units else []
    if units:
        values = {"refund_id": refund_id, "lines": [one.model_dump() for one in units]}
        word = refunded(placed.code, RefundMarked, **values)(uuid7(), _command(placed, refund_id))
        await desk.deliver(word)
    position = LinePosition(line=1, kind=LineKind.SHIP, ordered=3, cancelled=cancelled)
    other = LinePosition(line=2, kind=LineKind.SERVICE, ordered=1)
    await desk.deliver(
        StockRestocked(
            shop=placed.shop,
            order_id=placed.order_id,
            code=placed.code,
            cause_id=refund_id,
            cancelled=units,
            actor="camille",
            position=FulfilmentPosition(
                version=1 + cancelled, stock=StockStanding.RESERVED, lines=[position, other]
            ),
        )
    )


def _command(placed: OrderPlaced, refund_id: UUID) -> RefundOrder:
    return RefundOrder(
        shop=placed.shop,
        order_id=placed.order_id,
        refund_id=refund_id,
        mode=RefundMode.RECORDED,
        amount_minor=3000,
        currency="EUR",
        actor="camille",
    )
