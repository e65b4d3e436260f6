"""The calls of PayPal's API answer from one account with real state, and refuse in PayPal's words."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from deploy.demo.standins.paypal.disputes import escalate, open_dispute, resolve
from deploy.demo.standins.paypal.refunds import reverse
from deploy.demo.standins.paypal.standin import PayPal
from deploy.demo.standins.serving import InjectedFault
from tests.demo.paypal.conftest import a_token

EUR_10 = {"amount": {"currency_code": "EUR", "value": "10.00"}}


async def refund(
    http: httpx2.AsyncClient, capture_id: str, wanted: Any, key: str = "refund-1"
) -> httpx2.Response:
    """Ask for a refund."""
    headers = {"PayPal-Request-Id": key, "Prefer": "return=representation"}
    return await http.post(f"/v2/payments/captures/{capture_id}/refund", json=wanted, headers=headers)


def issue(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status and the issue of a refusal."""
    return answer.status_code, answer.json()["details"][0]["issue"]


async def test_a_call_needs_a_token_that_has_not_expired(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    capture = paypal.account.pay("25.00", "EUR")
    path = f"/v2/payments/captures/{capture['id']}"
    assert (await http.get(path)).json()["amount"] == {"currency_code": "EUR", "value": "25.00"}
    paypal.api.expire_tokens()
    expired = await http.get(path)
    assert (expired.status_code, expired.json()["error"]) == (401, "invalid_token")
    with pytest.raises(httpx2.HTTPStatusError):
        await a_token(http, "another secret")


async def test_an_order_shows_its_payments(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    capture = paypal.account.pay("25.00", "EUR", custom_id="attempt-1", invoice_id="R-1")
    made = (await refund(http, capture["id"], EUR_10)).json()
    order_id = capture["supplementary_data"]["related_ids"]["order_id"]
    order = (await http.get(f"/v2/checkout/orders/{order_id}")).json()
    (unit,) = order["purchase_units"]
    assert (order["status"], unit["custom_id"], unit["invoice_id"]) == ("COMPLETED", "attempt-1", "R-1")
    assert [each["id"] for each in unit["payments"]["captures"]] == [capture["id"]]
    assert unit["payments"]["captures"][0]["status"] == "PARTIALLY_REFUNDED"
    assert [each["id"] for each in unit["payments"]["refunds"]] == [made["id"]]


async def test_authorizations_are_captured_in_parts_and_voided(
    paypal: PayPal, http: httpx2.AsyncClient
) -> None:
    account = paypal.account
    first = account.authorize_order(account.approve("30.00", "EUR", intent="AUTHORIZE")["id"])
    part = account.capture_authorization(first["id"], "12.00", is_final=False)
    account.capture_authorization(first["id"], "18.00")
    second = account.authorize_order(account.approve("5.00", "EUR", intent="AUTHORIZE")["id"])
    account.void(second["id"])
    shown = [(await http.get(f"/v2/payments/authorizations/{each['id']}")).json() for each in (first, second)]
    assert [each["status"] for each in shown] == ["CAPTURED", "VOIDED"]
    up = [each["href"] for each in part["links"] if each["rel"] == "up"]
    assert up == [f"{paypal.url}/v2/payments/authorizations/{first['id']}"]


async def test_one_request_id_makes_one_refund_whatever_its_body(
    paypal: PayPal, http: httpx2.AsyncClient
) -> None:
    capture = paypal.account.pay("25.00", "EUR")
    first = await refund(http, capture["id"], EUR_10)
    again = await refund(http, capture["id"], {"amount": {"currency_code": "EUR", "value": "3.00"}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["seller_payable_breakdown"]["total_refunded_amount"]["value"] == "10.00"
    assert (await http.get(f"/v2/payments/refunds/{first.json()['id']}")).json() == first.json()
    other = paypal.account.pay("9.00", "EUR")
    assert issue(await refund(http, other["id"], EUR_10)) == (422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED")


async def test_a_simultaneous_twin_is_a_conflict(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    capture = paypal.account.pay("25.00", "EUR")
    paypal.api.refund_seconds = 0.5
    answers = await asyncio.gather(*(refund(http, capture["id"], EUR_10) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (conflict,) = (answer for answer in answers if answer.status_code == 409)
    assert (conflict.json()["name"], *issue(conflict)[1:]) == (
        "RESOURCE_CONFLICT",
        "PREVIOUS_REQUEST_IN_PROGRESS",
    )
    assert len(paypal.account.refunds) == 1


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [
        ({"currency_code": "EUR", "value": "25.01"}, 422, "REFUND_AMOUNT_EXCEEDED"),
        ({"currency_code": "USD", "value": "1.00"}, 422, "REFUND_CAPTURE_CURRENCY_MISMATCH"),
        ({"currency_code": "EUR", "value": "0.00"}, 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"currency_code": "EUR", "value": "1.005"}, 422, "DECIMAL_PRECISION"),
        ({"currency_code": "EUR", "value": "ten"}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"currency_code": "EUR"}, 400, "MISSING_REQUIRED_PARAMETER"),
    ],
)
async def test_an_unusable_amount_is_refused(
    paypal: PayPal, http: httpx2.AsyncClient, amount: Any, status: int, code: str
) -> None:
    capture = paypal.account.pay("25.00", "EUR")
    assert issue(await refund(http, capture["id"], {"amount": amount})) == (status, code)
    assert paypal.account.refunds == {}


async def test_what_can_not_be_refunded_is_refused_for_good(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    account = paypal.account
    pending = account.pay("25.00", "EUR", status="PENDING", reason="ECHECK")
    declined = account.pay("25.00", "EUR", status="DECLINED")
    refunded, disputed = account.pay("10.00", "EUR"), account.pay("25.00", "EUR")
    await refund(http, refunded["id"], {}, "refund-whole")
    open_dispute(account, disputed["id"])
    captures = {"a": pending, "b": declined, "c": refunded, "d": disputed, "e": {"id": "UNKNOWN"}}
    answers = [issue(await refund(http, each["id"], EUR_10, key)) for key, each in captures.items()]
    assert answers == [
        (422, "PENDING_CAPTURE"),
        (422, "REFUND_NOT_ALLOWED"),
        (422, "CAPTURE_FULLY_REFUNDED"),
        (422, "TRANSACTION_DISPUTED"),
        (404, "INVALID_RESOURCE_ID"),
    ]


async def test_troubles_come_before_or_after_the_effect(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    capture = paypal.account.pay("25.00", "EUR")
    nonsense = InjectedFault(content=b"<html>gateway</html>", status=200)
    paypal.api.faults.extend([429, InjectedFault(status=500, after=True), nonsense])
    answers = [await refund(http, capture["id"], EUR_10) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 500, 200, 200]
    assert answers[2].text == "<html>gateway</html>"
    assert [answers[3].json()["id"]] == list(paypal.account.refunds)


async def test_a_lost_dispute_reverses_the_capture_and_a_won_one_gives_the_hold_back(
    paypal: PayPal, http: httpx2.AsyncClient
) -> None:
    account = paypal.account
    lost = open_dispute(account, account.pay("25.00", "EUR")["id"], "20.00")
    won = open_dispute(account, account.pay("40.00", "EUR")["id"], stage="CHARGEBACK")
    escalate(account, lost["dispute_id"])
    resolve(account, lost["dispute_id"], "RESOLVED_BUYER_FAVOUR")
    resolve(account, won["dispute_id"], "RESOLVED_SELLER_FAVOUR")
    shown = [(await http.get(f"/v1/customer/disputes/{each['dispute_id']}")).json() for each in (lost, won)]
    moves = [
        [(each["type"], each["reason"], each["amount"]["value"]) for each in one["money_movements"]]
        for one in shown
    ]
    assert moves == [
        [("DEBIT", "DISPUTE_SETTLEMENT", "20.00"), ("DEBIT", "DISPUTE_FEE", "16.00")],
        [("DEBIT", "DISPUTE_SETTLEMENT", "40.00"), ("CREDIT", "DISPUTE_SETTLEMENT", "40.00")],
    ]
    balance = sum(each.value for each in account.movements)
    assert balance == 25 + 40 - 20 - 16
    assert [each["status"] for each in account.captures.values()] == ["PARTIALLY_REFUNDED", "COMPLETED"]
    assert [one.type for one in paypal.log.happened][-3:] == [
        "PAYMENT.CAPTURE.REVERSED",
        "CUSTOMER.DISPUTE.RESOLVED",
        "CUSTOMER.DISPUTE.RESOLVED",
    ]


async def test_disputes_are_listed_page_by_page(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    captures = [paypal.account.pay("5.00", "EUR") for _ in range(5)]
    opened = [open_dispute(paypal.account, each["id"])["dispute_id"] for each in captures]
    resolve(paypal.account, opened[0], "CANCELED_BY_BUYER")
    listed: list[str] = []
    url: str | None = "/v1/customer/disputes?page_size=2&dispute_state=OPEN_INQUIRIES"
    while url:
        page = (await http.get(url)).json()
        listed += [each["dispute_id"] for each in page["items"]]
        url = next((each["href"] for each in page["links"] if each["rel"] == "next"), None)
    assert sorted(listed) == sorted(opened[1:])
    of_one = await http.get("/v1/customer/disputes", params={"disputed_transaction_id": captures[2]["id"]})
    assert [each["dispute_id"] for each in of_one.json()["items"]] == [opened[2]]


async def test_events_are_listed_page_by_page_the_newest_first(
    paypal: PayPal, http: httpx2.AsyncClient
) -> None:
    for _ in range(4):
        paypal.account.pay("5.00", "EUR")
    listed: list[str] = []
    url: str | None = "/v1/notifications/webhooks-events?page_size=5"
    while url:
        page = (await http.get(url)).json()
        listed += [each["id"] for each in page["events"]]
        url = next((each["href"] for each in page["links"] if each["rel"] == "next"), None)
    assert listed == [one.id for one in reversed(paypal.log.happened)]
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    none = await http.get("/v1/notifications/webhooks-events", params={"end_time": before})
    assert none.json()["events"] == []


async def test_the_webhook_lists_the_types_it_subscribes_to(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    paypal.webhook.subscribed.discard("PAYMENT.CAPTURE.REFUNDED")
    (webhook,) = (await http.get("/v1/notifications/webhooks")).json()["webhooks"]
    path = f"/v1/notifications/webhooks/{webhook['id']}/event-types"
    names = {each["name"] for each in (await http.get(path)).json()["event_types"]}
    assert "PAYMENT.CAPTURE.COMPLETED" in names
    assert "PAYMENT.CAPTURE.REFUNDED" not in names
    capture = paypal.account.pay("5.00", "EUR")
    await refund(http, capture["id"], {})
    assert "PAYMENT.CAPTURE.REFUNDED" not in [one.type for one in paypal.log.happened]


async def test_reports_show_every_movement_with_negative_fees(
    paypal: PayPal, http: httpx2.AsyncClient
) -> None:
    account = paypal.account
    capture = account.pay("100.00", "EUR", custom_id="attempt-1")
    await refund(http, capture["id"], EUR_10)
    reverse(account, capture["id"], "5.00")
    found = [
        each for number in (1, 2) for each in (await report(http, page=str(number)))["transaction_details"]
    ]
    shown = [each["transaction_info"] for each in found]
    assert [
        (each["transaction_event_code"], each["transaction_amount"]["value"], each.get("paypal_reference_id"))
        for each in shown
    ] == [("T0006", "100.00", None), ("T1107", "-10.00", capture["id"]), ("T1106", "-5.00", capture["id"])]
    assert shown[0]["fee_amount"]["value"] == "-3.25"
    assert {each["custom_field"] for each in shown} == {"attempt-1"}
    paypal.api.report_lag = timedelta(hours=3)
    assert (await report(http))["total_items"] == 0


async def test_reports_of_more_than_31_days_are_refused(http: httpx2.AsyncClient) -> None:
    now = datetime.now(UTC)
    query = {"start_date": (now - timedelta(days=32)).isoformat(), "end_date": now.isoformat()}
    answer = await http.get("/v1/reporting/transactions", params=query)
    assert issue(answer) == (400, "Date range is greater than 31 days")


async def report(http: httpx2.AsyncClient, **more: str) -> dict[str, Any]:
    """Return a page of two of the last day's transactions."""
    now = datetime.now(UTC)
    times = {"start_date": (now - timedelta(days=1)).isoformat(), "end_date": now.isoformat()}
    answer = await http.get("/v1/reporting/transactions", params={**times, "page_size": "2", **more})
    page: dict[str, Any] = answer.raise_for_status().json()
    return page
