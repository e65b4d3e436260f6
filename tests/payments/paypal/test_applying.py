"""Money by PayPal: whatever its webhooks claim, the ledger has what its API shows."""

from decimal import Decimal
from typing import Any

import pytest

from contracts.envelope import uuid7
from contracts.payments.accounts import PaymentSettled, PaymentUnmatched
from contracts.sale import PaymentMethod
from deploy.demo.standins.paypal.disputes import open_dispute, resolve
from deploy.demo.standins.paypal.refunds import refund, reverse, settle_refund
from deploy.demo.standins.paypal.shapes import money
from deploy.demo.standins.paypal.standin import PayPal
from deploy.demo.standins.serving import InjectedFault
from services.payments.webhooks.reading import PATIENT_TRIES
from tests.payments.builders import of_kind
from tests.payments.conftest import CashDesks
from tests.payments.paypal.conftest import Till, settings_for

PAID = [("order_total", 5000), ("payment_received", 5000)]


async def sums(till: Till, order: Any) -> tuple[int, int, int, str]:
    """Received, refunded, balance, and the state of the last attempt."""
    row = await till.cashdesk.account(order)
    return row["received_minor"], row["refunded_minor"], row["balance_minor"], row["attempt"]


async def test_a_capture_is_one_receipt_regardless_of_the_event_that_reports_it(till: Till) -> None:
    """The order's completion and the capture's tell the same money; the storefront knows PayPal's order only."""
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    emitted = await till.settle()
    assert await till.cashdesk.entries(order) == PAID
    (settled,) = of_kind(emitted, PaymentSettled)
    assert settled.method is PaymentMethod.PAYPAL
    assert await till.end_of("CHECKOUT.ORDER.APPROVED") == ("irrelevant", "approved_not_captured")
    ends = {await till.end_of(f"{kind}.COMPLETED") for kind in ("CHECKOUT.ORDER", "PAYMENT.CAPTURE")}
    assert ends == {("applied", None), ("duplicate", None)}


async def test_the_same_event_id_under_two_types_is_two_webhooks(till: Till) -> None:
    till.paypal.shares_ids = True
    order, _ = await till.paid()
    events = till.paypal.log.happened
    assert events[-1].id == events[-2].id
    assert len(await till.webhooks()) == 3
    assert await till.cashdesk.entries(order) == PAID


async def test_an_order_named_by_the_storefront_is_found_without_a_reference(till: Till) -> None:
    order, _ = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", custom_id=f"{order.shop}:{order.order_id}")
    await till.settle()
    assert await till.cashdesk.entries(order) == PAID


async def test_money_of_an_unknown_order_waits_and_joins_it(till: Till) -> None:
    capture = till.paypal.account.pay("50.00", "EUR", order_id="5O190127TN364715T")
    await till.settle()
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("waiting", "order_unknown")
    order, _ = await till.order(5000, reference="not used")
    till.paypal.account.captures[capture["id"]]["amount"] = money(Decimal(99), "EUR")
    other = order.model_copy(
        update={
            "order_id": uuid7(),
            "payment": order.payment.model_copy(update={"provider_reference": "5O190127TN364715T"}),
        }
    )
    await till.cashdesk.desk.deliver(other)
    await till.work()
    assert await till.cashdesk.entries(other) == PAID


@pytest.mark.parametrize(("end", "entries"), [("COMPLETED", PAID), ("DECLINED", PAID[:1])])
async def test_a_pending_capture_ends_either_way(
    till: Till, end: str, entries: list[tuple[str, int]]
) -> None:
    order, capture = await till.paid(status="PENDING", reason="ECHECK")
    assert await sums(till, order) == (0, 0, 5000, "pending")
    till.paypal.account.settle(capture["id"], end)
    await till.settle()
    found = [entry for entry in await till.cashdesk.entries(order) if entry[0] != "pending"]
    assert found == entries
    assert (await sums(till, order))[3] == ("settled" if end == "COMPLETED" else "declined")


@pytest.mark.parametrize(("version", "is_negative"), [(2, False), (1, False), (1, True)])
async def test_each_refund_is_posted_with_its_own_amount(till: Till, version: int, is_negative: bool) -> None:
    till.paypal.version, till.paypal.has_negative_refunds = version, is_negative
    order, capture = await till.paid()
    for value in ("12.00", "8.00"):
        refund(till.paypal.account, capture["id"], {"amount": money(Decimal(value), "EUR")})
    await till.settle()
    assert (await sums(till, order))[:2] == (5000, 2000)
    refunded = [amount for kind, amount in await till.cashdesk.entries(order) if kind == "refund_paid"]
    assert refunded == [1200, 800]


async def test_a_capture_read_late_is_still_a_receipt(till: Till) -> None:
    order, reference = await till.order(5000)
    capture = till.paypal.account.pay("50.00", "EUR", order_id=reference)
    refund(till.paypal.account, capture["id"], {})
    assert till.paypal.account.captures[capture["id"]]["status"] == "REFUNDED"
    await till.settle()
    assert (await sums(till, order))[:2] == (5000, 5000)


async def test_a_partial_reversal_is_posted_in_part(till: Till) -> None:
    order, capture = await till.paid()
    reverse(till.paypal.account, capture["id"], "20.00")
    await till.settle()
    assert (await sums(till, order))[:2] == (5000, 2000)


async def test_a_refund_that_fails_is_owed_again(till: Till) -> None:
    order, capture = await till.paid()
    made = refund(till.paypal.account, capture["id"], {}, status="PENDING")
    await till.settle()
    assert (await sums(till, order))[1] == 5000
    settle_refund(till.paypal.account, made["id"], "FAILED")
    await till.settle()
    assert (await sums(till, order))[:2] == (5000, 0)


async def test_an_authorization_is_a_memo_until_its_capture(till: Till) -> None:
    order, reference = await till.order(5000)
    account = till.paypal.account
    account.approve("50.00", "EUR", order_id=reference, intent="AUTHORIZE")
    reserved = account.authorize_order(reference)
    await till.settle()
    row = await till.cashdesk.account(order)
    assert (row["authorised_minor"], row["received_minor"], row["attempt"]) == (5000, 0, "authorised")
    account.capture_authorization(reserved["id"], "30.00", is_final=True)
    await till.settle()
    row = await till.cashdesk.account(order)
    assert (row["authorised_minor"], row["received_minor"], row["attempt"]) == (0, 3000, "settled")


async def test_a_voided_authorization_is_released(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.approve("50.00", "EUR", order_id=reference)
    reserved = till.paypal.account.authorize_order(reference)
    await till.settle()
    till.paypal.account.void(reserved["id"])
    await till.settle()
    row = await till.cashdesk.account(order)
    assert (row["authorised_minor"], row["attempt"]) == (0, "cancelled")


async def test_an_approval_that_was_never_captured_is_a_failed_attempt(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.approve("50.00", "EUR", order_id=reference)
    till.paypal.account.forget_approval(reference)
    await till.settle()
    assert (await till.cashdesk.account(order))["attempt"] == "expired"


async def test_a_dispute_flags_its_order_until_it_is_won(till: Till) -> None:
    order, capture = await till.paid()
    case = open_dispute(till.paypal.account, capture["id"], stage="CHARGEBACK")
    await till.settle()
    assert "disputed" in (await till.cashdesk.account(order))["flags"]
    resolve(till.paypal.account, case["dispute_id"], "RESOLVED_SELLER_FAVOUR")
    await till.settle()
    assert (await till.cashdesk.account(order))["flags"] == []


@pytest.mark.parametrize(
    "fault",
    [
        500,
        503,
        429,
        403,
        InjectedFault(content=b"<html>down</html>"),
        InjectedFault(content=b'{"id": "ANOTHER"}'),
    ],
)
async def test_while_the_api_is_in_trouble_the_webhook_waits_with_the_reason(
    till: Till, fault: int | InjectedFault
) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    till.paypal.webhook.subscribed.discard("CHECKOUT.ORDER.COMPLETED")
    await till.deliver(till.paypal.log.happened[-1])
    till.paypal.api.faults += [fault, fault]
    await till.work()
    ((_, state, reason, detail),) = await till.webhooks()
    assert (state, reason) == ("waiting", "object_unread")
    assert detail
    assert "is being read" not in detail
    for _ in range(2):
        await till.hurry()
        await till.work()
    assert await till.cashdesk.entries(order) == PAID


async def test_a_slow_api_delays_nothing_else(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.deliver(till.paypal.log.happened[-1])
    till.paypal.api.faults += [InjectedFault(seconds=12)]
    await till.work()
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("waiting", "object_unread")
    await till.hurry()
    await till.work()
    assert await till.cashdesk.entries(order) == PAID


async def test_wrong_credentials_lose_nothing(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.deliver(till.paypal.log.happened[-1])
    till.paypal.api._client = "client-of-the-tests:another-secret"
    await till.work()
    ((_, state, reason, detail),) = await till.webhooks()
    assert (state, reason) == ("waiting", "object_unread")
    assert "COMPTOIR_PAYPAL_ENDPOINTS" in (detail or "")
    till.paypal.api._client = "client-of-the-tests:secret-of-the-tests"
    await till.hurry()
    await till.work()
    assert await till.cashdesk.entries(order) == PAID


async def test_one_token_serves_many_reads_and_is_replaced_when_it_ends(till: Till) -> None:
    for _ in range(3):
        await till.paid()
    assert till.paypal.api.requests["POST /v1/oauth2/token"] == 1
    till.paypal.api.expire_tokens()
    await till.paid()
    assert till.paypal.api.requests["POST /v1/oauth2/token"] == 2


async def _patiently(till: Till) -> None:
    for _ in range(PATIENT_TRIES + 1):
        await till.work()
        await till.hurry()


async def test_an_event_that_its_object_contradicts_is_parked_after_a_second_look(till: Till) -> None:
    order, reference = await till.order(5000)
    capture = till.paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.deliver(till.paypal.log.happened[-1])
    till.paypal.account.captures[capture["id"]]["status"] = "PENDING"
    await _patiently(till)
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("parked", "state_contradicts_type")
    assert await till.cashdesk.entries(order) == PAID[:1]
    till.paypal.account.captures[capture["id"]]["status"] = "COMPLETED"
    webhook_id = await till.cashdesk.desk.fetchval("SELECT id FROM webhook")
    headers = {"authorization": f"Bearer {till.cashdesk.hub.settings.internal_token.get_secret_value()}"}
    url = f"/internal/webhooks/{webhook_id}/redrive"
    assert (await till.cashdesk.client.post(url, json={"actor": "marie"}, headers=headers)).status_code == 202
    await till.work()
    assert await till.cashdesk.entries(order) == PAID


async def test_an_object_that_paypal_does_not_know_is_a_persons_matter(till: Till) -> None:
    capture = till.paypal.account.pay("50.00", "EUR")
    await till.deliver(till.paypal.log.happened[-1])
    del till.paypal.account.captures[capture["id"]]
    await _patiently(till)
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("parked", "object_unknown")


async def test_money_in_another_currency_is_reported_and_not_posted(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "USD", order_id=reference)
    emitted = await till.settle()
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("parked", "currency_differs")
    assert {one.currency for one in of_kind(emitted, PaymentUnmatched)} == {"USD"}
    assert await till.cashdesk.entries(order) == PAID[:1]


async def test_another_amount_of_a_posted_capture_is_parked(till: Till) -> None:
    order, capture = await till.paid()
    till.paypal.account.captures[capture["id"]]["amount"] = money(Decimal("60.00"), "EUR")
    till.paypal.log.add("PAYMENT.CAPTURE.COMPLETED", till.paypal.account.captures[capture["id"]])
    await till.settle()
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("parked", "amount_differs")
    assert await till.cashdesk.entries(order) == PAID


async def test_money_of_a_foreign_account_is_parked(paypal: PayPal, cashdesks: CashDesks) -> None:
    till = Till(paypal, await cashdesks(**settings_for(paypal, account="FOREIGN123456")))
    order, reference = await till.order(5000)
    paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.deliver(paypal.log.happened[1])
    await _patiently(till)
    assert await till.end_of("CHECKOUT.ORDER.COMPLETED") == ("parked", "account_unexpected")
    assert await till.cashdesk.entries(order) == PAID[:1]


async def test_types_of_version_one_and_unknown_ones_are_parked(till: Till) -> None:
    for kind in ("PAYMENT.SALE.COMPLETED", "BILLING.SUBSCRIPTION.CREATED", "PAYMENT.ORDER.CANCELLED"):
        till.paypal.log.add(kind, {"id": "ANY"}, version=1)
    till.paypal.log.add("VAULT.PAYMENT-TOKEN.CREATED", {"id": "ANY"})
    await till.settle()
    ends = [(state, reason) for _, state, reason, _ in await till.webhooks()]
    assert ends == [("parked", "type_unknown")] * 3 + [("irrelevant", "no_money_of_an_order")]


async def test_an_object_is_read_again_when_the_process_dies_meanwhile(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.deliver(till.paypal.log.happened[-1])
    await till.cashdesk.apply()
    await till.cashdesk.desk.fetch(
        """UPDATE msg.effect SET state = 'in_flight', attempts = 1, owner = gen_random_uuid(),
               lease_until = now() - interval '1 s' WHERE kind = 'object_read' RETURNING key"""
    )
    await till.work()
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("waiting", "object_unread")
    await till.hurry()
    await till.work()
    assert await till.cashdesk.entries(order) == PAID


async def test_a_webhook_set_aside_while_its_object_is_read_stays_so(till: Till) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.deliver(till.paypal.log.happened[-1])
    await till.cashdesk.apply()
    webhook_id = await till.cashdesk.desk.fetchval("SELECT id FROM webhook")
    headers = {"authorization": f"Bearer {till.cashdesk.hub.settings.internal_token.get_secret_value()}"}
    body = {"shop": order.shop, "actor": "marie", "reason": "Essai"}
    url = f"/internal/webhooks/{webhook_id}/set_aside"
    assert (await till.cashdesk.client.post(url, json=body, headers=headers)).json() == {"webhooks": 1}
    await till.work()
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("irrelevant", "set_aside")
    assert await till.cashdesk.entries(order) == PAID[:1]
