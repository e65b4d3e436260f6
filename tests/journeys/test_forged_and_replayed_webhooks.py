"""Webhooks are accepted only with Stripe's current signature; accepted ones are never lost, even unmatched ones."""

import json
import secrets
import time
from random import Random
from typing import Any

import asyncpg
import pytest

from deploy.demo.sales.sale import Sale
from deploy.demo.standins.provider import payment_succeeded, sign
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop, receipts

HOUR = 3600


async def test_a_forged_payment_is_rejected(shop: Shop) -> None:
    sale, body = await _owed(shop)
    now = int(time.time())
    genuine = sign(body, shop.system.accounts.stripe_secret, now)
    forgeries = [
        sign(body, "whsec_" + "0" * 48, now),
        genuine[:-1] + ("0" if genuine[-1] != "0" else "1"),
        genuine.replace("v1=", "v0="),
        f"t={now},v1=",
        "nonsense",
        f"t=,v1={'0' * 64}",
    ]
    assert {await shop.post_webhook(body, forged) for forged in forgeries} == {400}
    changed = body.replace(b'"amount_received": 2500', b'"amount_received": 1')
    assert changed != body
    assert await shop.post_webhook(changed, genuine) == 400
    await _still_owed(shop, sale)


@pytest.mark.parametrize("shift_seconds", [-HOUR, HOUR], ids=["an hour old", "from the future"])
async def test_a_signature_is_accepted_only_while_current(shop: Shop, shift_seconds: int) -> None:
    sale, body = await _owed(shop)
    stamp = int(time.time()) + shift_seconds
    assert await shop.post_webhook(body, sign(body, shop.system.accounts.stripe_secret, stamp)) == 400
    await _still_owed(shop, sale)


async def test_an_oversized_post_is_rejected(shop: Shop) -> None:
    sale, body = await _owed(shop)
    assert await shop.post_webhook(body + b" " * (512 * 1024)) == 413
    await _still_owed(shop, sale)


async def test_a_post_to_an_unknown_endpoint_is_not_found(shop: Shop) -> None:
    async with shop.client("payments") as http:
        assert (await http.post("/webhooks/stripe/somebody-else", json={})).status_code == 404


async def test_a_genuine_payment_replayed_for_days_counts_once(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    body = payment_succeeded(sale, Random(secrets.randbits(64)))
    for _ in range(5):
        assert await shop.post_webhook(body) == 200
    await shop.until_order(order, payment_status="paid", balance_minor=0)
    assert (await _webhook(shop, body, "applied"))["deliveries"] == 5


async def test_money_in_another_currency_is_shown_to_a_person(shop: Shop) -> None:
    sale, body = await _owed(shop)
    other = body.replace(b'"currency": "eur"', b'"currency": "gbp"')
    assert await shop.post_webhook(other) == 200

    parked = await _webhook(shop, other, "parked")

    assert parked["reason"] == "currency_differs"
    assert "2500 GBP" in parked["detail"]
    assert "EUR" in parked["detail"]

    async def noted() -> asyncpg.Record | None:
        connection = await asyncpg.connect(shop.system.databases["orders"])
        try:
            return await connection.fetchrow(
                "SELECT amount_minor, currency, reason FROM unmatched_payment WHERE provider_reference = $1",
                sale.provider_reference,
            )
        finally:
            await connection.close()

    assert tuple(await shop.until("note of the unmatched payment", noted)) == (
        2500,
        "GBP",
        "currency_differs",
    )
    await _still_owed(shop, sale)


async def test_money_nobody_ordered_for_waits_to_be_identified(shop: Shop) -> None:
    body = payment_succeeded(a_sale(), Random(secrets.randbits(64)))
    assert await shop.post_webhook(body) == 200
    assert (await _webhook(shop, body, "waiting"))["order_id"] is None


async def test_signed_nonsense_is_kept_and_shown(shop: Shop) -> None:
    body = json.dumps({"id": f"evt_{secrets.token_hex(12)}", "type": "moon.eclipsed"}).encode()
    assert await shop.post_webhook(body) == 200
    assert (await _webhook(shop, body, "parked"))["reason"] == "shape_unexpected"


async def _owed(shop: Shop) -> tuple[Sale, bytes]:
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.until_order(order, payment_status="unpaid")
    return sale, payment_succeeded(sale, Random(secrets.randbits(64)))


async def _still_owed(shop: Shop, sale: Sale) -> None:
    """Check that the order is unpaid after a genuine payment of another order was applied: a forged one would have
    been applied too.
    """
    witness = a_sale()
    [order] = await shop.order(witness)
    await shop.report(witness)
    await shop.until_order(order, payment_status="paid")
    shown = await shop.shown(str(sale.event_id))
    assert (shown["payment_status"], receipts(shown)) == ("unpaid", [])


async def _webhook(shop: Shop, body: bytes, state: str) -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        async with shop.client("payments") as http:
            rows = (await http.get("/internal/webhooks", params={"state": state})).json()["webhooks"]
        return next((row for row in rows if row["event_id"] == json.loads(body)["id"]), None)

    return await shop.until(f"{state} webhook", found)
