"""Errors of requests name the header or parameter that is wrong; amounts have the limit of a sale."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.money import LARGEST_AMOUNT_MINOR
from contracts.payments.accounts import PaymentUnmatched
from services.chassis.faults.schema_faults import sentence_of_request
from tests.conftest import Desks
from tests.orders.rest_client import PAYMENT, TOKENS, client, key, place, sent

LARGEST_WIRE = 2**53 - 1
REFUND = {"mode": "recorded", "amount_minor": 100, "currency": "EUR"}
CREDIT = {"amount_minor": 100, "currency": "EUR", "reason": "Geste"}
FORM = "The header Idempotency-Key must be 1 to 255 printable ASCII characters without spaces."


@pytest.mark.parametrize(
    ("sent_key", "sentence"),
    [
        (None, "The header Idempotency-Key is missing: send it."),
        ("", FORM),
        ("x" * 256, FORM),
        ("a b", FORM),
    ],
)
async def test_a_missing_or_unusable_header_is_named(
    desks: Desks, sent_key: str | None, sentence: str
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    headers = {} if sent_key is None else {"Idempotency-Key": sent_key}
    async with client(desk) as http:
        answer = await http.post("/v1/orders/K7F3-QD9M/payments", json=PAYMENT, headers=headers)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["message"], error["field"]) == (sentence, "Idempotency-Key")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"limit": "many"}, "limit must be a whole number, such as 20."),
        ({"limit": "2.5"}, "limit must be a whole number, such as 20, not 2.5."),
    ],
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/payments"])
async def test_a_number_in_the_query_is_named_without_json(
    desks: Desks, path: str, query: dict[str, str], sentence: str
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        answer = await http.get(path, params=query)
    assert answer.status_code == 422
    assert [error["message"] for error in answer.json()["errors"]] == [sentence]


async def test_an_invalid_path_is_named(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        answer = await http.post(
            "/v1/orders/K7F3-QD9M/payments/7/reversal", json={"reason": "x"}, headers=key()
        )
    assert [error["message"] for error in answer.json()["errors"]] == [
        "entry_id must be a UUID, such as 0192f0c1-7a5e-7c3b-9d1e-2f6a8b4c5d7e, not a text."
    ]


def test_a_nul_character_in_a_parameter_is_named() -> None:
    fault = {"type": "string_pattern_mismatch", "loc": ("query", "sku"), "input": "a\0b"}
    sentence = sentence_of_request({**fault, "ctx": {"pattern": r"^[^\x00]*$"}})
    assert sentence == "sku must not contain the NUL character: remove it."


@pytest.mark.parametrize("amount", [LARGEST_AMOUNT_MINOR + 1, LARGEST_WIRE])
@pytest.mark.parametrize(("path", "body"), [("payments", PAYMENT), ("refunds", REFUND), ("credits", CREDIT)])
async def test_an_amount_beyond_the_limit_of_a_sale_is_refused(
    desks: Desks, path: str, body: dict[str, Any], amount: int
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        url = f"/v1/orders/{placed.code}/{path}"
        answer = await http.post(url, json={**body, "amount_minor": amount}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "request_impossible")
    [error] = answer.json()["errors"]
    assert (error["code"], error["field"]) == ("amount_too_large", "amount_minor")
    assert "beyond 10000000000000 minor units" in error["message"]
    assert await sent(desk, 0) == []


async def test_unmatched_money_beyond_the_limit_is_given_to_no_order(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    await desk.deliver(
        PaymentUnmatched(
            shop="maison",
            provider="stripe",
            provider_reference="pi_1",
            amount_minor=LARGEST_WIRE,
            currency="EUR",
            received_at=datetime.now(UTC),
            reason="order_unknown",
        )
    )
    async with client(desk) as http:
        body = {"provider": "stripe", "provider_reference": "pi_1"}
        answer = await http.post(f"/v1/orders/{placed.code}/reassignments", json=body, headers=key())
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["amount_too_large"]
    assert await sent(desk, 0) == []


async def test_the_largest_amount_is_sent_and_a_program_may_send_while_another_command_is_pending(
    desks: Desks,
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        for amount in (LARGEST_AMOUNT_MINOR, 100):
            body = {**PAYMENT, "amount_minor": amount}
            answer = await http.post(f"/v1/orders/{placed.code}/payments", json=body, headers=key())
            assert answer.status_code == 202
    assert len(await sent(desk)) == 2
