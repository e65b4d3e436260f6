"""A payment that Stripe reports several times is counted once and published once."""

import asyncio
import secrets
from random import Random
from typing import Any

import httpx2

from deploy.demo.standins.provider import payment_succeeded
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop, receipts


async def test_one_event_posted_three_times_is_one_payment(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.report(sale, times=3)
    await _is_paid_once(shop, order)


async def test_two_events_about_one_payment_are_one_payment(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    body = payment_succeeded(sale, Random(secrets.randbits(64)))
    event_id = body.partition(b'"id": "')[2].partition(b'"')[0]
    others = [body.replace(event_id, f"evt_{secrets.token_hex(12)}".encode()) for _ in range(4)]
    assert set(await asyncio.gather(*map(shop.post_webhook, others))) == {200}
    await _is_paid_once(shop, order)


async def test_the_same_event_at_once_is_one_payment(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    body = payment_succeeded(sale, Random(secrets.randbits(64)))
    assert set(await asyncio.gather(*(shop.post_webhook(body) for _ in range(8)))) == {200}
    await _is_paid_once(shop, order)


async def _is_paid_once(shop: Shop, order: str) -> None:
    """Check that the order's document and, once every webhook is processed, the ledger show one payment."""
    await shop.until_order(order, state="ready", payment_status="paid", balance_minor=0)

    async def worked_off() -> bool | None:
        async with shop.client("payments") as http:
            return not (await _webhooks(http, state="received")) or None

    await shop.until("end of all webhooks", worked_off)
    async with shop.client("payments") as http:
        ended = [row["state"] for row in await _webhooks(http) if row["order_id"] == order]
        failed = [row for row in await _webhooks(http, state="parked") if row["reason"] == "failed"]
    assert ended.count("applied") == 1
    assert set(ended) <= {"applied", "duplicate"}
    assert failed == []
    async with shop.client("payments") as http:
        books = (await http.get(f"/internal/accounts/{shop.name}/{order}")).json()
    received = [entry for entry in books["entries"] if entry["kind"] == "payment_received"]
    assert [entry["amount_minor"] for entry in received] == [2500]
    assert books["account"]["balance_minor"] == 0
    assert len(receipts(await shop.shown(order))) == 1


async def _webhooks(http: httpx2.AsyncClient, **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await http.get("/internal/webhooks", params=query)).json()["webhooks"]
    return rows
