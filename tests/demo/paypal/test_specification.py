"""Every answer of the stand-in has the shape that PayPal's own OpenAPI documents give it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import jsonschema

from deploy.demo.standins.paypal.disputes import escalate, open_dispute, resolve
from deploy.demo.standins.paypal.shapes import v1_capture, v1_refund
from deploy.demo.standins.paypal.standin import PayPal
from tests.demo.paypal.test_calls import EUR_10, refund

DOCUMENTS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "specification" / "paypal.json").read_text(encoding="utf-8")
)


def must_be(document: str, schema: str, content: Any, *, may_have: tuple[str, ...] = ()) -> None:
    """Check a value against a schema, and that it has no field that the schema has not."""
    known = {name: value for name, value in content.items() if name not in may_have}
    jsonschema.Draft202012Validator(
        {
            "$ref": f"#/components/schemas/{schema}",
            "components": DOCUMENTS[document]["components"],
            "unevaluatedProperties": False,
        }
    ).validate(known)


async def test_payments_have_the_published_shapes(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    account = paypal.account
    capture = account.pay("25.00", "EUR", custom_id="attempt-1", invoice_id="R-1")
    account.pay("25.00", "EUR", status="PENDING", reason="ECHECK")
    account.authorize_order(account.approve("30.00", "EUR", intent="AUTHORIZE")["id"])
    made = (await refund(http, capture["id"], {**EUR_10, "note_to_payer": "Sorry"})).json()
    for each in account.captures.values():
        must_be("payments_payment_v2", "capture-2", (await http.get(_self(each))).json())
    for each in account.authorizations.values():
        must_be("payments_payment_v2", "authorization-2", (await http.get(_self(each))).json())
    for each in account.orders.values():
        must_be("checkout_orders_v2", "order", (await http.get(_self(each))).json())
    must_be("payments_payment_v2", "refund", (await http.get(_self(made))).json())
    must_be("payments_payment_v1", "capture", v1_capture(capture), may_have=("custom",))
    must_be("payments_payment_v1", "refund", v1_refund(made, capture))


async def test_refusals_have_the_published_shapes(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    capture = paypal.account.pay("5.00", "EUR")
    too_much, unknown = await refund(http, capture["id"], EUR_10), await refund(http, "UNKNOWN", EUR_10)
    bad = await refund(http, capture["id"], {"amount": {"currency_code": "EUR"}})
    must_be("payments_payment_v2", "error_422", too_much.json())
    jsonschema.validate(
        too_much.json(), DOCUMENTS["payments_payment_v2"]["components"]["schemas"]["captures.refund-422"]
    )
    must_be("payments_payment_v2", "error_404", unknown.json())
    must_be("payments_payment_v2", "error_400", bad.json())


async def test_disputes_have_the_published_shapes(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    account = paypal.account
    dispute = open_dispute(account, account.pay("25.00", "EUR", custom_id="c", invoice_id="R-1")["id"])
    must_be("customer_disputes_v1", "dispute", (await http.get(_self(dispute))).json())
    escalate(account, dispute["dispute_id"])
    must_be("customer_disputes_v1", "dispute_search", (await http.get("/v1/customer/disputes")).json())
    resolve(account, dispute["dispute_id"], "RESOLVED_BUYER_FAVOUR")
    must_be("customer_disputes_v1", "dispute", (await http.get(_self(dispute))).json())


async def test_webhooks_have_the_published_shapes(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    paypal.account.pay("25.00", "EUR")
    events = (await http.get("/v1/notifications/webhooks-events?page_size=1")).json()
    must_be("notifications_webhooks_v1", "EventList", events)
    for each in events["events"]:
        must_be("notifications_webhooks_v1", "event", each)
    webhooks = (await http.get("/v1/notifications/webhooks")).json()
    must_be("notifications_webhooks_v1", "WebhookList", webhooks)
    path = f"/v1/notifications/webhooks/{webhooks['webhooks'][0]['id']}/event-types"
    must_be("notifications_webhooks_v1", "EventTypeList", (await http.get(path)).json())


async def test_reports_have_the_published_shape(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    capture = paypal.account.pay("25.00", "EUR", custom_id="c", invoice_id="R-1")
    await refund(http, capture["id"], EUR_10)
    now = datetime.now(UTC)
    query = {"start_date": (now - timedelta(days=1)).isoformat(), "end_date": now.isoformat()}
    answer = await http.get("/v1/reporting/transactions", params=query)
    # PayPal's samples write the zone of reports as +0000, which its own pattern does not take.
    assert "+0000" in answer.text
    shown = json.loads(answer.text.replace("+0000", "Z"))
    must_be("reporting_transactions_v1", "search_response", shown)


def _self(shown: dict[str, Any]) -> str:
    return str(next(each["href"] for each in shown["links"] if each["rel"] == "self"))
