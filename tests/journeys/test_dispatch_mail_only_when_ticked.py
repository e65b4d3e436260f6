"""The customer gets a mail about a shipment, with its tracking, only if the merchant ticked it."""

from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop


async def test_one_of_two_shipments_is_announced(shop: Shop) -> None:
    sale = a_sale(notebooks(2), locale="en")
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready")
    quiet, announced = [await shop.pack(order, {1: 1}) for _ in range(2)]

    await shop.ship(order, [quiet], tracking_number="6A00000000001")
    await shop.ship(
        order,
        [announced],
        tracking_number="6A00000000002",
        tracking_url="https://colis.example.org/suivi/6A00000000002",
        notify_customer=True,
    )

    recap, news = sorted(
        await shop.mails_to(sale.recipient, count=2),
        key=lambda letter: "way" in letter["Subject"],
    )
    assert "way" not in recap["Subject"]
    assert (await shop.shown(order))["code"] in news["Subject"]
    assert "https://colis.example.org/suivi/6A00000000002" in text_of(news)
    assert "6A00000000001" not in text_of(news)
    assert news["In-Reply-To"] == recap["Message-ID"]


async def test_an_unticked_shipment_is_silent(shop: Shop) -> None:
    sale = a_sale(notebooks(1))
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready")
    await shop.deliver(order, await shop.ship(order, [await shop.pack(order, {1: 1})]))
    await shop.until_order(order, state="completed")
    assert await shop.violations() == []
    mails = (await shop.shown(order))["mails"]
    assert sorted(mail["template"] for mail in mails) == ["new_order", "order_recap"]
    assert len(shop.mails_now(sale.recipient)) == 1
