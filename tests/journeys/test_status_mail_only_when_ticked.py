"""The customer gets a mail about a new status only if it was ticked, with the public comment and never the admin
comment.
"""

from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop

PUBLIC = "Paul <b>coule</b> vos bougies.\nÀ jeudi !"
SECRET = "Cliente pressée, voir avec Paul n° 4711"


async def test_one_of_two_updates_is_mailed(shop: Shop) -> None:
    sale = a_sale(notebooks(1))
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready")

    fields = {"notify_customer": True, "public_comment": PUBLIC, "admin_comment": SECRET}
    await shop.do(f"/orders/{order}/status", {"label": "processing", **fields})
    await shop.do(f"/orders/{order}/status", {"label": "in_progress_order", "public_comment": "Silence"})
    shown = await shop.until_order(order, state="ready")

    customer = sale.recipient
    [news] = await shop.mails_to(customer, about="En cours de traitement")
    [recap] = [letter for letter in shop.mails_now(customer) if letter["Message-ID"] != news["Message-ID"]]
    assert news["Subject"] == f"Votre commande {shown['code']} : En cours de traitement"
    assert news["In-Reply-To"] == recap["Message-ID"]
    assert "À jeudi !" in text_of(news)
    html = news.get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;coule&lt;/b&gt;" in html.get_content()
    await _until_mailed(shop, order, "status_updated")
    assert SECRET not in news.as_string()
    assert await shop.violations() == []


async def test_a_mail_is_sent_again_on_request(shop: Shop) -> None:
    sale = a_sale(notebooks(1))
    [order] = await shop.order(sale)
    recap = await _until_mailed(shop, order, "order_recap")

    command = await shop.do(f"/mails/{recap['mail_id']}/resend", {})

    assert (command["state"], command["outcome"]["type"]) == ("done", "notifier.mail.sent.v1")
    letters = await shop.mails_to(sale.recipient, count=2)
    assert len({letter["Message-ID"] for letter in letters}) == 1
    shown = await shop.shown(order)
    again = [entry for entry in shown["activity"] if entry["item"] == command["command_id"]]
    assert [entry["kind"] for entry in again] == ["mail_sent"]


async def _until_mailed(shop: Shop, order: str, template: str) -> dict[str, str]:
    """Return the mail of this template, once the order shows it as sent."""

    async def went() -> dict[str, str] | None:
        mails = (await shop.shown(order))["mails"]
        return next(
            (mail for mail in mails if mail["template"] == template and mail["state"] == "sent"), None
        )

    return await shop.until(f"mail {template} of {order}", went)
