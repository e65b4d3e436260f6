"""A customer pays by cheque: it is prepared once the merchant has received the cheque and recorded it."""

from contracts.sale import PaymentMethod, Shipping
from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop

CHEQUE = PaymentMethod.CHEQUE


async def test_an_order_waits_for_its_cheque_and_may_then_be_prepared(shop: Shop) -> None:
    sale = a_sale(notebooks(2), method=CHEQUE, shipping=Shipping(label="Colissimo", amount_minor=690))
    [order] = await shop.order(sale)
    waiting = await shop.until_order(order, state="awaiting_payment", payment_status="unpaid")
    assert waiting["balance_minor"] == 3190

    await shop.receive(order, CHEQUE, 3190, reference="CHQ-0042", note="Crédit agricole")

    paid = await shop.until_order(order, state="ready", payment_status="paid", balance_minor=0)
    assert paid["label"]["fr"] == "Paiements reçus"
    assert paid["status"] == "new"
    [due, entry] = paid["ledger"]
    assert (due["kind"], due["amount_minor"], due["balance_minor"]) == ("order_total", 3190, 3190)
    assert (entry["kind"], entry["method"], entry["amount_minor"]) == ("payment_received", "cheque", 3190)
    assert (entry["reference"], entry["note"]) == ("CHQ-0042", "Crédit agricole")
    assert (entry["balance_minor"], entry["recorded_by"]) == (0, "api:demo")


async def test_the_customer_reads_how_to_pay_and_the_merchant_what_to_do(shop: Shop) -> None:
    sale = a_sale(notebooks(3), method=CHEQUE)
    [order] = await shop.order(sale)
    code = (await shop.shown(order))["code"]

    [recap] = await shop.mails_to(sale.recipient)
    [notice] = await shop.mails_to(shop.merchant, about=code)

    assert recap["Subject"] == f"Votre commande {code} chez Atelier Garance"
    assert "Élodie Faure" in notice["Subject"]
    for letter in (recap, notice):
        assert letter.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    to_customer, to_merchant = text_of(recap), text_of(notice)
    assert "Carnet cousu A5" in to_customer
    assert "37,50 €" in to_customer
    assert "Établissez votre chèque de 37,50 €" in to_customer
    assert "12 rue des Relieurs" in to_customer
    assert "En attente du chèque de 37,50 €" in to_merchant


async def test_half_a_cheque_is_half_a_payment(shop: Shop) -> None:
    [order] = await shop.order(a_sale(notebooks(2), method=CHEQUE))
    await shop.receive(order, CHEQUE, 1000)
    half = await shop.until_order(order, payment_status="partially_paid")
    assert (half["state"], half["balance_minor"]) == ("awaiting_payment", 1500)

    await shop.receive(order, CHEQUE, 1600)
    over = await shop.until_order(order, payment_status="overpaid")
    assert (over["state"], over["balance_minor"]) == ("ready", -100)
    assert [entry["balance_minor"] for entry in over["ledger"]] == [2500, 1500, -100]
