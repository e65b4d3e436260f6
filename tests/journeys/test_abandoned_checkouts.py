"""A checkout that its customer leaves is reminded of by mail once, if the shop wants it, and never one that goes on."""

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http import HTTPStatus
from random import Random

import pytest_asyncio

from contracts.sale import Module
from contracts.storefront import CheckoutDropped, CheckoutOpened
from deploy.demo.sales.sale import Sale
from deploy.demo.standins.provider import payment_succeeded
from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop
from tests.journeys.timers import has_timer, let_time_pass, until_timer

UNFINISHED = "n’est pas terminée"
REMINDER = "checkout_abandoned"
LONG_AGO = timedelta(minutes=6)
"""A checkout lasts five minutes: one that was opened so long ago ends as soon as it is known."""


@pytest_asyncio.fixture(loop_scope="session")
async def reminding(shop: Shop) -> AsyncIterator[Shop]:
    """The shop, while it has its customers reminded after half an hour."""
    await _switch(shop, on=True)
    yield shop
    await _switch(shop, on=False)


async def test_it_is_reminded_of_once_unless_it_was_placed_paid_or_resumed(reminding: Shop) -> None:
    shop = reminding
    left, placed, paid, resumed = carts = [_a_cart() for _ in range(4)]
    for cart in carts:
        await _open(shop, cart, LONG_AGO)
    for cart in carts:
        await shop.until_order(_id(cart), state="abandoned", payment_status="abandoned")
        await _until_reminder(shop, cart, waits=True)

    await shop.order(placed)
    await shop.mails_to(placed.recipient)
    await _pay(shop, paid)
    await let_time_pass(shop, "payments", "provider_reference", paid.provider_reference)
    await shop.until_order(_id(paid), state="ready", payment_status="paid")
    await _until_reminder(shop, paid, waits=False)
    await _open(shop, resumed)
    await shop.until_order(_id(resumed), state="in_checkout")
    await _until_reminder(shop, resumed, waits=False)

    await _let_half_an_hour_pass(shop, left, placed)
    [letter] = await shop.mails_to(left.recipient)
    assert UNFINISHED in str(letter["Subject"])
    assert f"Reprendre ma commande : {_cart_url(left)}" in text_of(letter)
    await _sent_reminders_are(shop, left)
    assert [UNFINISHED in subject for subject in _subjects(shop.mails_now(placed.recipient))] == [False]

    await _leave_again(shop, left)
    await _leave_again(shop, resumed)
    await _let_half_an_hour_pass(shop, left, resumed)
    [letter] = await shop.mails_to(resumed.recipient)
    assert UNFINISHED in str(letter["Subject"])
    await _sent_reminders_are(shop, left, resumed)
    assert len(shop.mails_now(left.recipient)) == 1


async def test_a_shop_without_reminders_sends_none(shop: Shop) -> None:
    left, seen = _a_cart(), a_sale()
    await _open(shop, left, LONG_AGO)
    await shop.until_order(_id(left), state="abandoned")
    await shop.order(seen)
    await shop.mails_to(seen.recipient)
    assert not await has_timer(shop, "notifier", REMINDER, _id(left))
    assert shop.mails_now(left.recipient) == []


def _a_cart() -> Sale:
    """A sale that is a checkout first, known by the id of its order to be."""
    sale = a_sale()
    submission = sale.submission.model_copy(update={"checkout_id": sale.event_id})
    return replace(sale, submission=submission)


def _id(cart: Sale) -> str:
    return str(cart.event_id)


def _cart_url(cart: Sale) -> str:
    return f"https://boutique.example/panier/{_id(cart)}"


async def _open(shop: Shop, cart: Sale, ago: timedelta = timedelta()) -> None:
    """The customer fills the checkout, or comes back to it."""
    content = cart.submission.model_dump(exclude_none=True, exclude={"submitted_at"})
    now = {"opened_at": datetime.now(UTC) - ago, "resume_url": _cart_url(cart)}
    opened = CheckoutOpened.model_validate({**content, **now})
    await (await shop.storefront()).publish(opened)


async def _pay(shop: Shop, cart: Sale) -> None:
    """Stripe reports the cart's payment, which names the order to be: the storefront never submitted it."""
    body = payment_succeeded(cart, Random(secrets.randbits(64)))
    named = f'"metadata": {{"comptoir_order_id": "{_id(cart)}"}}'
    assert await shop.post_webhook(body.replace(b'"metadata": {}', named.encode())) == HTTPStatus.OK


async def _leave_again(shop: Shop, cart: Sale) -> None:
    """The customer comes back once more, and empties the cart."""
    await _open(shop, cart)
    await shop.until_order(_id(cart), state="in_checkout")
    dropped = CheckoutDropped(
        shop=shop.name, module=Module.SHOP, checkout_id=cart.event_id, dropped_at=datetime.now(UTC)
    )
    await (await shop.storefront()).publish(dropped)
    await shop.until_order(_id(cart), state="abandoned")
    await _until_reminder(shop, cart, waits=True)


async def _switch(shop: Shop, *, on: bool) -> None:
    version = (await shop.http.get("/v1/mail-rules")).json()["version"]
    change = {"switches": {"checkout_abandoned": on}, "abandoned_after_minutes": 30, "version": version}
    await shop.do("/mail-rules", change)


async def _until_reminder(shop: Shop, cart: Sale, *, waits: bool) -> None:
    await until_timer(shop, "notifier", REMINDER, _id(cart), is_set=waits)


async def _let_half_an_hour_pass(shop: Shop, *carts: Sale) -> None:
    """Have the reminders of these carts come due, and wait until each was looked at."""
    for cart in carts:
        await let_time_pass(shop, "notifier", "order_id", _id(cart))
    for cart in carts:
        await _until_reminder(shop, cart, waits=False)


async def _sent_reminders_are(shop: Shop, *carts: Sale) -> None:
    """The notifier knows of no other reminder to these customers, sent or to be sent."""

    async def listed() -> bool | None:
        async with shop.client("notifier") as http:
            query = {"shop": shop.name, "limit": "500"}
            mails = (await http.get("/internal/mails", params=query)).json()["mails"]
        reminders = [one for one in mails if one["template"] == REMINDER]
        assert {one["order_id"] for one in reminders} == {_id(cart) for cart in carts}, reminders
        return all(one["state"] in ("sent", "done") for one in reminders) or None

    await shop.until("reminders that were all sent", listed)


def _subjects(letters: Sequence[EmailMessage]) -> list[str]:
    return [str(letter["Subject"]) for letter in letters]
