"""Any service may be unavailable for a while: the others continue, it catches up by itself, and nothing is lost."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import httpx2
import pytest
import pytest_asyncio

from contracts.sale import PaymentMethod
from contracts.storefront import OrderAccepted
from deploy.demo.sales.sale import Sale
from deploy.demo.standins.provider import payment_succeeded
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop, parcel, payment

CASH, CHEQUE = PaymentMethod.CASH, PaymentMethod.CHEQUE


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def all_is_well_afterwards(shop: Shop) -> AsyncIterator[None]:
    """Check after each outage that the auditor has no findings."""
    yield
    assert await shop.violations() == []


async def test_without_orders_customers_order_and_stripe_reports(shop: Shop) -> None:
    sales = [a_sale() for _ in range(10)]
    async with _stopped(shop, "orders"):
        await shop.submit(*sales)
        await asyncio.gather(*(shop.report(sale) for sale in sales))
        with pytest.raises(httpx2.TransportError):
            await shop.http.get("/v1/orders")
    for sale in sales:
        assert isinstance(await shop.answer(sale), OrderAccepted)
        await shop.until_order(str(sale.event_id), state="ready", payment_status="paid", stock="reserved")


async def test_without_payments_orders_are_taken_and_sent_out(shop: Shop) -> None:
    by_card, on_site, by_cheque = a_sale(), a_sale(method=CASH), a_sale(method=CHEQUE)
    body = payment_succeeded(by_card, Random(secrets.randbits(64)))
    async with _stopped(shop, "payments"):
        card, site, cheque = await shop.order(by_card, on_site, by_cheque)
        with pytest.raises(httpx2.TransportError):
            await shop.post_webhook(body)
        await shop.deliver(site, await shop.ship(site, [await shop.pack(site, {1: 2})]))
        shown = await shop.until_order(site, fulfilment_status="delivered")
        assert (shown["state"], shown["balance_minor"]) == ("processing", 2500)
        received = await shop.ask(f"/orders/{cheque}/payments", payment(CHEQUE, 2500))
        assert (received.status_code, received.json()["state"]) == (202, "pending")
    assert await shop.post_webhook(body) == 200
    assert (await shop.settled(received))["state"] == "done"
    await shop.receive(site, CASH, 2500)
    for order, state in ((card, "ready"), (site, "completed"), (cheque, "ready")):
        await shop.until_order(order, state=state, payment_status="paid")


async def test_without_fulfillment_a_cancellation_waits_in_its_queue(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, payment_status="paid", stock="reserved")
    async with _stopped(shop, "fulfillment"):
        requested = await shop.ask(f"/orders/{order}/cancellation", {})
        assert (requested.status_code, requested.json()["state"]) == (202, "pending")
        assert (await shop.shown(order))["balance_minor"] == 0
    assert (await shop.settled(requested))["state"] == "done"
    await shop.until_order(order, state="cancelled", payment_status="overpaid", balance_minor=-2500)


async def test_without_fulfillment_orders_are_taken_and_paid(shop: Shop) -> None:
    sale = a_sale()
    async with _stopped(shop, "fulfillment"):
        [order] = await shop.order(sale)
        await shop.report(sale)
        await shop.until_order(order, state="ready", payment_status="paid")
        await shop.mails_to(sale.recipient)
        packing = await shop.ask(f"/orders/{order}/parcels", parcel({1: 2}))
        assert (packing.status_code, packing.json()["state"]) == (202, "pending")
    packed = await shop.settled(packing)
    assert packed["state"] == "done"
    [made] = (await shop.until_order(order, fulfilment_status="packed"))["parcels"]
    await shop.deliver(order, await shop.ship(order, [made["parcel_id"]]))
    await shop.until_order(order, state="completed")


async def test_without_the_notifier_all_goes_on_and_the_mails_come_later(shop: Shop) -> None:
    sale = a_sale()
    async with _stopped(shop, "notifier"):
        [order] = await shop.order(sale)
        await shop.report(sale)
        await shop.until_order(order, state="ready", payment_status="paid")
        shipment = await shop.ship(order, [await shop.pack(order, {1: 2})], notify_customer=True)
        await shop.deliver(order, shipment)
        done = await shop.until_order(order, state="completed")
        assert (done["mails"], shop.mails_now(sale.recipient)) == ([], [])
    await shop.mails_to(sale.recipient, count=2)
    await shop.mails_to(shop.merchant, about=done["code"])

    async def all_are_known() -> bool | None:
        mails = (await shop.shown(order))["mails"]
        return [mail["state"] for mail in mails] == ["sent"] * 3 or None

    await shop.until("three sent mails on the order page", all_are_known)


@pytest.mark.parametrize("service", ["orders", "payments", "fulfillment", "notifier"])
async def test_each_dies_while_customers_order_and_comes_back(shop: Shop, service: str) -> None:
    sales = [a_sale() for _ in range(30)]
    lives = asyncio.gather(*(_order_and_pay(shop, sale) for sale in sales))
    await shop.answer(sales[0])
    await shop.system.supervisor.kill(service)
    await shop.system.start(service)
    await lives
    for sale in sales:
        await shop.until_order(str(sale.event_id), state="ready", payment_status="paid", stock="reserved")


async def _order_and_pay(shop: Shop, sale: Sale) -> None:
    """Submit the sale, and post Stripe's webhook until it is accepted."""
    await shop.submit(sale)
    body = payment_succeeded(sale, Random(sale.event_id.int))

    async def taken() -> bool | None:
        try:
            return await shop.post_webhook(body) == httpx2.codes.OK or None
        except httpx2.TransportError:
            return None

    await shop.until("answer to a webhook", taken)


@asynccontextmanager
async def _stopped(shop: Shop, service: str) -> AsyncIterator[None]:
    await shop.system.supervisor.stop(service)
    try:
        yield
    finally:
        await shop.system.start(service)
