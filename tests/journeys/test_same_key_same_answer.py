"""Idempotency keys: a repeat gets the first answer, other content under the same key is refused."""

import asyncio
import secrets
from dataclasses import replace
from typing import Any

from contracts.envelope import uuid7
from contracts.sale import PaymentMethod
from contracts.storefront import OrderAccepted, OrderRefused
from deploy.demo.sales.sale import Sale
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop, payment, receipts


async def test_a_sale_sent_again_is_the_same_order(shop: Shop) -> None:
    sale = a_sale()
    again = replace(sale, event_id=uuid7())
    [order] = await shop.order(sale)
    await shop.submit(again, sale)
    answer = await shop.answer(again)
    assert isinstance(answer, OrderAccepted)
    assert str(answer.order_id) == order
    assert answer.code == (await shop.shown(order))["code"]


async def test_two_sends_at_once_are_one_order(shop: Shop) -> None:
    first = a_sale()
    twins = [first, *(replace(first, event_id=uuid7()) for _ in range(5))]
    await asyncio.gather(*(shop.submit(twin) for twin in twins))
    answers = [await shop.answer(twin) for twin in twins]
    assert len({answer.order_id for answer in answers if isinstance(answer, OrderAccepted)}) == 1


async def test_another_sale_under_the_same_key_is_refused(shop: Shop) -> None:
    sale = a_sale(notebooks(2))
    [order] = await shop.order(sale)
    other = _changed(sale, note="Emballage cadeau, merci.")
    await shop.submit(other)
    answer = await shop.answer(other)
    assert isinstance(answer, OrderRefused)
    assert [reason.code for reason in answer.reasons] == ["idempotency_conflict"]
    assert order in answer.reasons[0].message
    assert (await shop.shown(order))["note"] is None


async def test_a_refused_sale_sent_again_is_refused_for_the_same_reasons(shop: Shop) -> None:
    sale = a_sale(method=None)
    again = replace(sale, event_id=uuid7())
    await shop.submit(sale, again)
    first, second = await shop.answer(sale), await shop.answer(again)
    assert isinstance(first, OrderRefused)
    assert isinstance(second, OrderRefused)
    assert first.reasons == second.reasons


async def test_a_command_sent_again_is_done_once(shop: Shop) -> None:
    [order] = await shop.order(a_sale(method=PaymentMethod.TRANSFER))
    path, key = f"/orders/{order}/payments", secrets.token_hex(8)
    received = payment(PaymentMethod.TRANSFER, 1000, reference="VIR-1")
    commands = [await shop.do(path, received, key) for _ in range(3)]
    assert len({command["command_id"] for command in commands}) == 1
    assert len(receipts(await shop.until_order(order, balance_minor=1500))) == 1

    other = await shop.ask(path, {**received, "amount_minor": 1500}, key)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_conflict"
    assert (await shop.shown(order))["balance_minor"] == 1500


def _changed(sale: Sale, **changes: Any) -> Sale:
    return replace(sale, event_id=uuid7(), submission=sale.submission.model_copy(update=changes))
