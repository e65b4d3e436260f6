"""The mail server has bad days: letters wait, go later and once; a letter nobody takes is shown to the merchant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deploy.local.system import MAIL_SERVER
from tests.journeys.postbox import REFUSED, write_moods
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop


async def test_while_the_mail_server_is_down_letters_wait_and_orders_go_on(shop: Shop) -> None:
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
        assert len(await shop.letters_to(sale.recipient)) == 1
        await _is_told(shop, order, "order_recap", "sent")
        await _is_told(shop, order, "new_order", "sent")
        assert len(shop.letters_now(sale.recipient)) == 1


async def test_a_server_that_says_later_gets_the_letter_again(shop: Shop) -> None:
    sale = a_sale()
    address = sale.recipient
    async with _mood(shop, address, "451 4.2.1 greylisted, come back later"):
        [order] = await shop.order(sale)

        async def refused_twice() -> bool | None:
            log = shop.letters / REFUSED
            return (log.exists() and log.read_text().count(address) >= 2) or None

        await shop.until("second refusal", refused_twice)
        [mail] = [mail for mail in await _mails_of(shop, order, "planned") if mail["recipient"] == address]
        assert "451 4.2.1 greylisted" in mail["detail"]
    await shop.letters_to(address)
    told = await _is_told(shop, order, "order_recap", "sent")
    assert told["recipient"] == address
    assert len(shop.letters_now(address)) == 1


async def test_a_letter_that_is_refused_for_good_is_shown_and_can_be_sent_again(shop: Shop) -> None:
    sale = a_sale()
    address = sale.recipient
    async with _mood(shop, address, "550 5.1.1 no such mailbox"):
        [order] = await shop.order(sale)
        told = await _is_told(shop, order, "order_recap", "failed")
        assert "550 5.1.1 no such mailbox" in told["detail"]
        [mail] = await _mails_of(shop, order, "failed")
        assert (mail["recipient"], mail["template"]) == (address, "order_recap")
        assert "550 5.1.1" in mail["detail"]
        assert len(await shop.letters_to(shop.merchant, about=mail["code"])) == 1

    async with shop.client("notifier") as http:
        again = await http.post(f"/internal/mails/{mail['id']}/resend", params={"actor": "Garance"})
    assert again.status_code == 202
    [letter] = await shop.letters_to(address)
    assert letter["Message-ID"] == mail["message_id"]
    await _is_told(shop, order, "order_recap", "sent")


async def _mails_of(shop: Shop, order: str, state: str, count: int = 1) -> list[dict[str, Any]]:
    async def listed() -> list[dict[str, Any]] | None:
        async with shop.client("notifier") as http:
            mails = (await http.get("/internal/mails", params={"state": state, "limit": 500})).json()["mails"]
        found = [mail for mail in mails if mail["order_id"] == order]
        return found if len(found) >= count else None

    return await shop.until(f"{count} {state} mails of {order}", listed)


async def _is_told(shop: Shop, order: str, template: str, state: str) -> dict[str, Any]:
    """The mail on the order page."""

    async def shown() -> dict[str, Any] | None:
        mails = (await shop.shown(order))["mails"]
        return next((mail for mail in mails if (mail["template"], mail["state"]) == (template, state)), None)

    return await shop.until(f"{template} {state} on the order page", shown)


@asynccontextmanager
async def _mood(shop: Shop, address: str, reply: str) -> AsyncIterator[None]:
    write_moods(shop.letters, {address: reply})
    try:
        yield
    finally:
        write_moods(shop.letters, {})
