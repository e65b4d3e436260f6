"""Failures of the mail server: mails wait and are sent later, once; a permanently rejected mail is shown to the
merchant.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deploy.local.system import MAIL_SERVER
from tests.journeys.mailbox import REFUSED, set_replies
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop

REFUSAL = "550 5.6.0 message content not accepted"


async def test_while_the_mail_server_is_down_mails_wait_and_orders_go_on(shop: Shop) -> None:
    sales = [a_sale() for _ in range(3)]
    await shop.system.supervisor.stop(MAIL_SERVER)
    try:
        orders = await shop.order(*sales)
        for sale, order in zip(sales, orders, strict=True):
            await shop.report(sale)
            await shop.until_order(order, state="ready", payment_status="paid")
            assert len(await _mails_of(shop, order, "planned", count=2)) == 2

        async def tried() -> str | None:
            mails = await _mails_of(shop, orders[0], "planned", count=2)
            return next((mail["detail"] for mail in mails if mail["detail"]), None)

        assert f"127.0.0.1:{shop.system.smtp_port}" in await shop.until("a try", tried)
    finally:
        await shop.system.start_mail_server()
    for sale, order in zip(sales, orders, strict=True):
        assert len(await shop.mails_to(sale.recipient)) == 1
        await _await_mail(shop, order, "order_recap", "sent")
        await _await_mail(shop, order, "new_order", "sent")
        assert len(shop.mails_now(sale.recipient)) == 1


async def test_a_mail_that_the_server_defers_is_sent_again(shop: Shop) -> None:
    sale = a_sale()
    address = sale.recipient
    async with _reply(shop, address, "451 4.2.1 greylisted, come back later"):
        [order] = await shop.order(sale)

        async def refused_twice() -> bool | None:
            log = shop.mail_folder / REFUSED
            return (log.exists() and log.read_text().count(address) >= 2) or None

        await shop.until("second refusal", refused_twice)
        [mail] = [mail for mail in await _mails_of(shop, order, "planned") if mail["recipient"] == address]
        assert "451 4.2.1 greylisted" in mail["detail"]
    await shop.mails_to(address)
    delivered = await _await_mail(shop, order, "order_recap", "sent")
    assert delivered["recipient"] == address
    assert len(shop.mails_now(address)) == 1


async def test_a_mail_that_is_permanently_refused_is_shown_and_can_be_sent_again(shop: Shop) -> None:
    sale = a_sale()
    address = sale.recipient
    async with _reply(shop, address, REFUSAL):
        [order] = await shop.order(sale)
        delivered = await _await_mail(shop, order, "order_recap", "bounced")
        assert REFUSAL in delivered["detail"]
        [mail] = await _mails_of(shop, order, "bounced")
        assert (mail["recipient"], mail["template"]) == (address, "order_recap")
        assert REFUSAL in mail["detail"]
        assert len(await shop.mails_to(shop.merchant, about=mail["code"])) == 1

    async with shop.client("notifier") as http:
        again = await http.post(f"/internal/mails/{mail['id']}/resend", params={"actor": "Garance"})
    assert again.status_code == 202
    [letter] = await shop.mails_to(address)
    assert letter["Message-ID"] == mail["message_id"]
    await _await_mail(shop, order, "order_recap", "sent")


async def _mails_of(shop: Shop, order: str, state: str, count: int = 1) -> list[dict[str, Any]]:
    async def listed() -> list[dict[str, Any]] | None:
        async with shop.client("notifier") as http:
            mails = (await http.get("/internal/mails", params={"state": state, "limit": 500})).json()["mails"]
        found = [mail for mail in mails if mail["order_id"] == order]
        return found if len(found) >= count else None

    return await shop.until(f"{count} {state} mails of {order}", listed)


async def _await_mail(shop: Shop, order: str, template: str, state: str) -> dict[str, Any]:
    """Return the mail in the order's document, once it has this state."""

    async def shown() -> dict[str, Any] | None:
        mails = (await shop.shown(order))["mails"]
        return next((mail for mail in mails if (mail["template"], mail["state"]) == (template, state)), None)

    return await shop.until(f"{template} {state} on the order page", shown)


@asynccontextmanager
async def _reply(shop: Shop, address: str, reply: str) -> AsyncIterator[None]:
    set_replies(shop.mail_folder, {address: reply})
    try:
        yield
    finally:
        set_replies(shop.mail_folder, {})
