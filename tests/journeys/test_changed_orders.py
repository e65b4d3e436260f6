"""Changes of placed orders: money, stock and parcels follow exactly, and shipped units are not taken back."""

import secrets
from typing import Any

from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale, engraving, notebooks
from tests.journeys.shop import Shop


async def a_sku(shop: Shop, on_hand: int) -> str:
    """Return the SKU of an article that only this test uses, with `on_hand` units in stock."""
    sku = f"CHANGED-{secrets.token_hex(4)}"
    await shop.count_stock({sku: on_hand})
    return sku


async def free(shop: Shop, sku: str) -> int:
    """Return the available units of an article."""
    async with shop.client("fulfillment") as http:
        answer = await http.get("/internal/stock", params={"shop": shop.name, "sku": sku})
    [level] = answer.json()["levels"]
    available: int = level["available"]
    return available


async def a_paid_order(shop: Shop, *lines: Any) -> str:
    """Return an order paid by card, with its stock reserved."""
    sale = a_sale(*lines)
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, payment_status="paid", stock="reserved")
    return order


async def test_a_paid_order_is_cancelled_and_reinstated(shop: Shop) -> None:
    sku = await a_sku(shop, 3)
    order = await a_paid_order(shop, notebooks(2, sku), engraving())
    packed = await shop.pack(order, {1: 2})
    await shop.until_order(order, units_to_ship=2)

    preview = await shop.http.post(
        f"/v1/orders/{order}/cancellation?preview=true", json={}, headers={"Idempotency-Key": "look"}
    )
    assert (preview.json()["balance_after_minor"], preview.json()["parcels"]) == (
        -4300,
        [{"parcel_id": packed, "number": 1}],
    )
    assert (await shop.change(order, "cancellation", {"reason": "Le client renonce"}))["state"] == "done"
    cancelled = await shop.until_order(
        order, state="cancelled", payment_status="overpaid", balance_minor=-4300
    )
    assert cancelled["parcels"][0]["unpacked_at"] is not None
    assert await free(shop, sku) == 3

    assert (await shop.change(order, "reinstatement"))["state"] == "done"
    await shop.until_order(order, state="ready", payment_status="paid", balance_minor=0, units_to_pack=2)
    assert await free(shop, sku) == 1
    assert await shop.violations() == []


async def test_without_stock_a_cancelled_order_stays_cancelled(shop: Shop) -> None:
    sku = await a_sku(shop, 2)
    order = await a_paid_order(shop, notebooks(2, sku))
    await shop.change(order, "cancellation")
    await shop.until_order(order, state="cancelled")
    await a_paid_order(shop, notebooks(1, sku))
    refused = await shop.ask(f"/orders/{order}/reinstatement", {})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "stock_missing")
    await shop.until_order(order, state="cancelled", balance_minor=-2500)
    assert await free(shop, sku) == 1


async def test_only_the_rest_of_a_half_shipped_order_is_cancelled(shop: Shop) -> None:
    sku = await a_sku(shop, 3)
    order = await a_paid_order(shop, notebooks(3, sku))
    await shop.ship(order, [await shop.pack(order, {1: 1})])
    await shop.pack(order, {1: 1})
    command = await shop.change(order, "cancellation")
    assert command["outcome"]["not_stopped"] == [{"line": 1, "quantity": 1}]
    await shop.until_order(order, state="processing", balance_minor=-2500, units_to_pack=0, units_to_ship=0)
    assert await free(shop, sku) == 2
    assert await shop.violations() == []


async def test_an_order_is_edited_up_and_down_after_it_was_paid(shop: Shop) -> None:
    sku, other = await a_sku(shop, 5), await a_sku(shop, 1)
    order = await a_paid_order(shop, notebooks(2, sku))
    new = {"kind": "ship", "description": "Plume", "sku": other, "quantity": 1, "unit_price_minor": 500}
    await shop.change(order, content={"lines": [{"line": 1, "quantity": 4}, {**new, "vat_rate": 2000}]})
    raised = await shop.until_order(order, payment_status="partially_paid", balance_minor=3000)
    assert (raised["total_minor"], raised["units_to_pack"]) == (5500, 5)

    command = await shop.change(
        order, content={"lines": [{"line": 1, "quantity": 1}, {"line": 2, "quantity": 0}]}
    )
    assert command["outcome"]["due_change_minor"] == -4250
    lowered = await shop.until_order(order, payment_status="overpaid", balance_minor=-1250)
    assert (lowered["total_minor"], [line["line"] for line in lowered["lines"]]) == (1250, [1])
    assert (await free(shop, sku), await free(shop, other)) == (4, 1)

    short = await shop.change(
        order, content={"lines": [{"line": 1, "quantity": 99}], "customer": {"phone": "+33 6"}}
    )
    assert short["outcome"]["missing"] == [{"line": 1, "quantity": 98}]
    await shop.until_order(order, total_minor=1250)
    stale = await shop.http.patch(
        f"/v1/orders/{order}",
        json={"revision": 1, "customer": {"phone": "+33 7"}},
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "order_changed_meanwhile")
    assert await shop.violations() == []


async def test_a_deleted_order_is_gone_and_its_late_money_is_nobodys(shop: Shop) -> None:
    sku = await a_sku(shop, 2)
    paid = await a_paid_order(shop, notebooks(1, sku))
    refused = await shop.delete(paid)
    assert (refused.status_code, [reason["code"] for reason in refused.json()["errors"]]) == (
        422,
        ["money_moved"],
    )

    sale = a_sale(notebooks(1, sku), method=PaymentMethod.CARD)
    [order] = await shop.order(sale)
    await shop.until_order(order, stock="reserved")
    command = await shop.settled(await shop.delete(order))
    assert command["state"] == "done"
    assert (await shop.http.get(f"/v1/orders/{order}")).status_code == 404
    assert await free(shop, sku) == 1

    await shop.report(sale)

    async def parked() -> bool | None:
        async with shop.client("payments") as http:
            rows = (await http.get("/internal/webhooks", params={"state": "parked"})).json()["webhooks"]
        return (
            any(row["reason"] == "order_deleted" and sale.provider_reference in str(row) for row in rows)
            or None
        )

    assert await shop.until("the late payment for the deleted order", parked)
    assert await shop.violations() == []
