"""Invalid commands are refused at once with a remedy; nothing changes, and nothing is lost."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from contracts.envelope import uuid7
from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop, delivery, parcel, payment, receipts, shipment

TRANSFER = PaymentMethod.TRANSFER
CASH = PaymentMethod.CASH
KEY = {"Idempotency-Key": "a-strangers"}


async def test_an_order_nobody_has_is_not_found(shop: Shop) -> None:
    for path, content in (
        ("payments", payment(TRANSFER, 100)),
        ("parcels", parcel({1: 1})),
        ("shipments", shipment([str(uuid4())])),
        (f"shipments/{uuid4()}/delivery", delivery()),
    ):
        answer = await shop.ask(f"/orders/{uuid7()}/{path}", content)
        assert _problem(answer) == (404, "order_unknown")
    assert _problem(await shop.http.get("/v1/orders/K7F3-QD9M")) == (404, "order_unknown")


async def test_money_of_another_currency_is_refused(shop: Shop) -> None:
    [order] = await shop.order(a_sale(method=TRANSFER))
    answer = await shop.ask(f"/orders/{order}/payments", payment(TRANSFER, 2500, currency="GBP"))
    assert answer.status_code == 422
    [reason] = answer.json()["errors"]
    assert (reason["code"], reason["field"]) == ("currency_differs", "currency")
    assert "in EUR, not GBP" in reason["message"]
    await _is_untouched(shop, order)


@pytest.mark.parametrize("amount", [0, -100, "2500", 12.5, 2**53])
async def test_an_amount_is_a_positive_number_of_cents(shop: Shop, amount: object) -> None:
    [order] = await shop.order(a_sale(method=TRANSFER))
    answer = await shop.ask(f"/orders/{order}/payments", {**payment(TRANSFER, 1), "amount_minor": amount})
    assert _problem(answer) == (422, "request_invalid")
    assert [reason["field"] for reason in answer.json()["errors"]] == ["amount_minor"]
    await _is_untouched(shop, order)


async def test_what_stripe_settles_is_not_entered_by_hand(shop: Shop) -> None:
    [order] = await shop.order(a_sale(method=TRANSFER))
    answer = await shop.ask(f"/orders/{order}/payments", payment(PaymentMethod.CARD, 2500))
    assert _problem(answer) == (422, "command_rejected")
    [reason] = answer.json()["errors"]
    assert reason["code"] == "automatic_method"
    assert "choose cheque, transfer, cash or other" in reason["message"]
    await _is_untouched(shop, order)


async def test_more_than_is_left_is_refused_with_both_numbers(shop: Shop) -> None:
    [order] = await shop.order(a_sale(notebooks(3), method=CASH))
    await shop.pack(order, {1: 1})
    answer = await shop.ask(f"/orders/{order}/parcels", parcel({1: 3}))
    assert _problem(answer) == (422, "command_rejected")
    [reason] = answer.json()["errors"]
    assert reason["code"] == "quantity_above_left"
    assert "3 to pack, 2 left to pack" in reason["message"]
    assert (await shop.until_order(order, units_to_pack=2))["fulfilment_status"] == "partially_packed"


async def test_a_line_the_order_does_not_have(shop: Shop) -> None:
    [order] = await shop.order(a_sale(notebooks(1), method=CASH))
    answer = await shop.ask(f"/orders/{order}/parcels", parcel({2: 1, 7: 1}))
    assert _problem(answer) == (422, "request_impossible")
    fields = {reason["field"] for reason in answer.json()["errors"]}
    assert fields == {"lines[0].line", "lines[1].line"}


async def test_a_parcel_leaves_once(shop: Shop) -> None:
    [order] = await shop.order(a_sale(notebooks(1), method=CASH))
    packed = await shop.pack(order, {1: 1})
    await shop.ship(order, [packed])
    answer = await shop.ask(f"/orders/{order}/shipments", shipment([packed]))
    assert _problem(answer) == (422, "command_rejected")
    assert [reason["code"] for reason in answer.json()["errors"]] == ["parcel_already_shipped"]


async def test_a_shipment_sent_before_its_parcel_is_packed_leaves_with_it(shop: Shop) -> None:
    """When a parcel is packed and shipped in one click, the second message may arrive first: it waits up to a
    minute.
    """
    [order] = await shop.order(a_sale(notebooks(1), method=CASH))
    parcel_id, shipment_id = str(uuid4()), str(uuid4())
    early = await shop.ask(
        f"/orders/{order}/shipments", shipment([parcel_id], shipment_id=shipment_id, notify_customer=False)
    )
    too_early = await shop.ask(f"/orders/{order}/shipments/{shipment_id}/delivery", delivery())
    for answer in (early, too_early):
        assert answer.status_code == 202
        assert answer.headers["Retry-After"]
        assert answer.json()["state"] == "pending"
    assert (await shop.shown(order))["shipments"] == []

    await shop.do(f"/orders/{order}/parcels", parcel({1: 1}, parcel_id=parcel_id))

    assert [(await shop.settled(answer))["state"] for answer in (early, too_early)] == ["done", "done"]
    await shop.until_order(order, fulfilment_status="delivered")


async def test_a_misspelt_field_is_not_silently_lost(shop: Shop) -> None:
    [order] = await shop.order(a_sale(notebooks(1), method=CASH))
    answer = await shop.ask(f"/orders/{order}/shipments", shipment([str(uuid4())], traking_number="6A1"))
    assert _problem(answer) == (422, "request_invalid")
    assert [reason["field"] for reason in answer.json()["errors"]] == ["traking_number"]


async def test_a_command_without_a_key_is_refused(shop: Shop) -> None:
    [order] = await shop.order(a_sale(method=TRANSFER))
    answer = await shop.http.post(f"/v1/orders/{order}/payments", json=payment(TRANSFER, 2500))
    assert _problem(answer) == (400, "idempotency_key_needed")
    assert "Idempotency-Key" in answer.json()["detail"]
    await _is_untouched(shop, order)


@pytest.mark.parametrize("token", [None, "wrong", "the operators'"])
async def test_without_a_known_token_nobody_sees_or_does_anything(shop: Shop, token: str | None) -> None:
    [order] = await shop.order(a_sale(method=TRANSFER))
    shown = shop.system.secrets.internal_token if token == "the operators'" else token
    headers = {"Authorization": f"Bearer {shown}"} if shown else {}
    async with httpx2.AsyncClient(
        base_url=shop.system.url("orders"), headers=headers, trust_env=False
    ) as stranger:
        post = stranger.post(f"/v1/orders/{order}/payments", json=payment(TRANSFER, 2500), headers=KEY)
        for answer in (
            await stranger.get("/v1/orders"),
            await stranger.get(f"/v1/orders/{order}"),
            await post,
        ):
            assert _problem(answer) == (401, "token_unknown")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    await _is_untouched(shop, order)


async def test_a_merchants_token_opens_no_operators_route(shop: Shop) -> None:
    for path in ("/internal/parked", "/internal/mails"):
        service = "notifier" if "mails" in path else "orders"
        async with shop.client(service, shop.system.secrets.api_tokens[shop.name]) as merchant:
            assert (await merchant.get(path)).status_code == httpx2.codes.UNAUTHORIZED


async def _is_untouched(shop: Shop, order: str) -> None:
    shown: dict[str, Any] = await shop.shown(order)
    assert (receipts(shown), shown["balance_minor"]) == ([], shown["total_minor"])


def _problem(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"]
    return answer.status_code, problem["code"]
