"""Refunds: recorded and then confirmed by Stripe, sent, with returned goods; a bounced cheque; an unmatched
payment that is assigned to an order.
"""

import secrets
from random import Random
from typing import Any
from uuid import uuid4

from contracts.sale import PaymentMethod
from deploy.demo.standins.provider import payment_succeeded
from deploy.demo.standins.stripe_api import StripeApi, refund_events, refund_made
from tests.journeys.sales import NOTEBOOK, a_sale, notebooks
from tests.journeys.shop import Shop, receipts


def refund(amount_minor: int, **more: Any) -> dict[str, Any]:
    """Return a request for a refund."""
    return {"mode": "recorded", "amount_minor": amount_minor, "currency": "EUR", **more}


async def bought(shop: Shop, quantity: int = 2) -> tuple[str, str]:
    """Place an order of notebooks paid by card, and return the order's and the payment's ids."""
    sale = a_sale(notebooks(quantity))
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, payment_status="paid")
    payment = sale.submission.payment
    assert payment is not None
    return order, str(payment.provider_reference)


async def on_hand(shop: Shop) -> int:
    """Return the notebooks on hand."""
    async with shop.client("fulfillment") as http:
        answer = await http.get("/internal/stock", params={"shop": shop.name, "sku": NOTEBOOK})
    return int(answer.json()["levels"][0]["on_hand"])


async def test_a_recorded_refund_is_confirmed_by_stripes(shop: Shop) -> None:
    order, intent = await bought(shop)
    command = await shop.do(f"/orders/{order}/refunds", refund(2500, reason="Retour"))
    refund_id = command["outcome"]["refund"]["refund_id"]
    marked = await shop.until_order(order, payment_status="refunded", balance_minor=0)
    assert "refund_unconfirmed" in marked["flags"]
    assert [(r["refund_id"], r["state"]) for r in marked["refunds"]] == [(refund_id, "marked")]
    entries = marked["ledger"]

    for body in refund_events(refund_made(intent, 2500, {})):
        assert await shop.post_webhook(body) == 200

    async def confirmed() -> dict[str, Any] | None:
        shown = await shop.shown(order)
        return shown if shown["refunds"][0]["state"] == "confirmed" else None

    shown = await shop.until("a confirmed refund", confirmed)
    assert shown["ledger"] == entries
    assert "refund_unconfirmed" not in (await shop.until_order(order, flags=[]))["flags"]


async def test_a_sent_refund_is_made_at_stripe_and_cancels_what_has_not_left(shop: Shop) -> None:
    order, intent = await bought(shop)
    system = shop.system
    async with StripeApi(system.accounts.stripe_port, system.accounts.stripe_key, shop.post_webhook) as api:
        api.faults.extend([500])
        lines = [{"line": 1, "quantity": 2}]
        command = await shop.do(f"/orders/{order}/refunds", refund(2500, mode="sent", lines=lines))
        assert command["outcome"]["type"] == "payments.refund.sent.v1"
        shown = await shop.until_order(order, payment_status="refunded", state="cancelled")
        [made] = api.refunds.values()
    assert (made["payment_intent"], made["amount"]) == (intent, 2500)
    assert (shown["balance_minor"], shown["refunds"][0]["provider_reference"]) == (0, made["id"])
    assert [entry["kind"] for entry in shown["ledger"]][2:] == ["credit_granted", "refund_paid"]


async def test_returned_units_are_restocked_once(shop: Shop) -> None:
    order, _ = await bought(shop)
    parcel = await shop.pack(order, {1: 2})
    await shop.ship(order, [parcel])
    before = await on_hand(shop)
    lines = [{"line": 1, "quantity": 2, "restock": True}]
    for _ in range(2):
        await shop.do(f"/orders/{order}/refunds", refund(1250, lines=lines))

    async def restocked_twice() -> bool | None:
        kinds = [a["kind"] for a in (await shop.shown(order))["activity"]]
        return True if kinds.count("refund_marked") == 2 and "stock_restocked" in kinds else None

    await shop.until("both refunds", restocked_twice)
    assert await shop.violations() == []
    assert await on_hand(shop) == before + 2


async def test_a_bounced_cheque_opens_the_order_again(shop: Shop) -> None:
    [order] = await shop.order(a_sale(notebooks(2), method=PaymentMethod.CHEQUE))
    await shop.receive(order, PaymentMethod.CHEQUE, 2500)
    paid = await shop.until_order(order, state="ready", payment_status="paid")
    [entry] = receipts(paid)
    reason = {"reason": "Sans provision"}
    await shop.do(f"/orders/{order}/payments/{entry['entry_id']}/reversal", reason)
    shown = await shop.until_order(order, state="awaiting_payment", payment_status="unpaid")
    last = shown["ledger"][-1]
    assert (last["kind"], last["balance_minor"], last["payment_entry_id"]) == (
        "payment_reversed",
        2500,
        entry["entry_id"],
    )
    again = await shop.do(f"/orders/{order}/payments/{entry['entry_id']}/reversal", reason)
    assert again["outcome"]["type"] == "payments.command.done.v1"


async def test_money_nobody_claimed_is_given_to_an_order(shop: Shop) -> None:
    lost = a_sale(notebooks(2))
    await shop.post_webhook(payment_succeeded(lost, Random(secrets.randbits(64))))
    payment = lost.submission.payment
    assert payment is not None
    [order] = await shop.order(a_sale(notebooks(2), method=PaymentMethod.TRANSFER))

    async def listed() -> dict[str, Any] | None:
        async with shop.client("payments") as http:
            found = (await http.get("/internal/unmatched", params={"shop": shop.name})).json()["payments"]
        return next((p for p in found if p["object_id"] == payment.provider_reference), None)

    unmatched = await shop.until("the payment among those nobody claims", listed)
    assert (unmatched["amount_minor"], unmatched["clues"]["payer_email"]) == (
        2500,
        lost.recipient,
    )
    named = {"provider": "stripe", "provider_reference": payment.provider_reference}
    command = await shop.do(f"/orders/{order}/reassignments", named, key=uuid4().hex)
    assert command["outcome"]["type"] == "payments.payment.reassigned.v1"
    shown = await shop.until_order(order, payment_status="paid")
    assert [entry["provider_reference"] for entry in receipts(shown)] == [payment.provider_reference]
