"""Stripe reports a payment as often as it likes: the money is counted once and nobody hears of it twice."""

import asyncio
import secrets
from random import Random

from deploy.demo.provider import payment_succeeded
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop


async def test_one_event_posted_three_times_is_one_payment(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.report(sale, times=3)
    await _is_paid_once(shop, order)


async def test_two_events_about_one_payment_are_one_payment(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    await asyncio.gather(*(shop.report(sale) for _ in range(4)))
    await _is_paid_once(shop, order)


async def test_the_same_event_at_once_is_one_payment(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    body = payment_succeeded(sale, Random(secrets.randbits(64)))
    assert set(await asyncio.gather(*(shop.post_webhook(body) for _ in range(8)))) == {200}
    await _is_paid_once(shop, order)


async def _is_paid_once(shop: Shop, order: str) -> None:
    """As the order page says, and as the books say once every webhook is worked off."""
    await shop.until_order(order, state="ready", payment_status="paid", balance_minor=0)

    async def worked_off() -> bool | None:
        async with shop.client("payments") as http:
            return (
                not (await http.get("/internal/webhooks", params={"state": "received"})).json()["webhooks"]
                or None
            )

    await shop.until("end of all webhooks", worked_off)
    async with shop.client("payments") as http:
        books = (await http.get(f"/internal/accounts/{shop.name}/{order}")).json()
    received = [entry for entry in books["entries"] if entry["kind"] == "payment_received"]
    assert [entry["amount_minor"] for entry in received] == [2500]
    assert books["account"]["balance_minor"] == 0
    assert len((await shop.shown(order))["ledger"]) == 1
