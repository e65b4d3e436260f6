"""Both languages as a mail program reads them, and hostile text in every field a customer controls."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.orders.lifecycle import Buyer, OrderPlaced, StatusUpdated
from contracts.sale import ExtraLine, PaymentChoice, PaymentMethod, Shipping, Tax, Totals
from services.chassis.addresses import comparable
from services.notifier.mails.addresses import AddressUnusable, usable_address
from services.notifier.mails.compose.composing import compose
from services.notifier.mails.mail import Template
from tests.notifier.builders import a_line, a_shipment, a_shop, a_status, an_address, an_order
from tests.notifier.made_up_mails import Tags, a_mail, a_pair, html_of, read, text_of

NARROW, HARD = "\u202f", "\u00a0"
SHOWS_NO_CUSTOMERS_TEXT = {Template.TEXT_DAMAGED, Template.CHECKOUT_ABANDONED}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}&"
    "\r\nBcc: victim@elsewhere.example\r\n\u202egpj.exe\x00\u2066"
)


def test_french_recap_has_everything() -> None:
    message = read(a_mail(Template.ORDER_RECAP, an_order()))
    assert message["Subject"] == "Votre commande K7F3-QD9M chez Atelier Lumière"
    assert message["From"] == "Atelier Lumière <boutique@atelier.example>"
    assert message["Reply-To"] == "bonjour@atelier.example"
    assert message["To"] == "Zoé Lefèvre <zoe@clients.example>"
    assert message["Date"] == "Sun, 22 Nov 2026 13:05:01 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["In-Reply-To"] is None
    for shown in (text_of(message), Tags(html_of(message)).text):
        for expected in (
            "Bonjour Zoé Lefèvre,",
            "22 novembre 2026, 14:05",
            "Bougie figuier 180 g",
            f"24,50{HARD}€ l’unité · TVA 20{NARROW}% · réf. BOUGIE-1",
            f"49,00{HARD}€",
            "Atelier « cire & mèches »",
            f"1{NARROW}170,60{HARD}€",
            f"1{NARROW}219,60{HARD}€",
            f"Livraison (Colissimo) · TVA 20{NARROW}%",
            f"4,90{HARD}€",
            "Emballage cadeau",
            f"1{NARROW}234,50{HARD}€",
            f"dont TVA 205,75{HARD}€",
            "Virement bancaire",
            "en indiquant K7F3-QD9M comme référence",
            "FR76 3000 6000 0112 3456 7890 189",
            "Adresse de livraison et de facturation",
            "31000 Toulouse",
            "France",
            "Merci de sonner deux fois.",
            "aide@atelier.example",
            "+33 1 99 00 12 34",
            "lun–ven 9 h–18 h",
        ):
            assert expected in shown


def test_english_recap_is_english_throughout() -> None:
    order = an_order(locale="en", billing_address=an_address(street="1 rue Haute"))
    message = read(a_mail(Template.ORDER_RECAP, order))
    assert message["Subject"] == "Your order K7F3-QD9M at Atelier Lumière"
    assert message["Content-Language"] == "en"
    for shown in (text_of(message), Tags(html_of(message)).text):
        for expected in ("Hello Zoé Lefèvre,", "€1,234.50", "€24.50 each · VAT 20%", "including VAT €205.75",
                         "Bank transfer", "Delivery address", "Billing address", "Your note",
                         "22 November 2026, 14:05"):  # fmt: skip
            assert expected in shown
        assert not {"Sous-total", "Livraison", "Commande", "TVA"} & set(shown.replace(":", " ").split())


def test_merchants_mail_has_the_full_detail_in_the_merchants_language() -> None:
    order = an_order(
        locale="en",
        source_reference="WEB-17",
        payment=PaymentChoice(method=PaymentMethod.CARD, provider="stripe", provider_reference="pi_3Q"),
        customer=Buyer(
            name="Zoé Lefèvre", email="zoe@clients.example", phone="+33 6 99 00 00 01", company="Cires SARL"
        ),
    )
    message = read(a_mail(Template.NEW_ORDER, order, locale="fr"))
    assert message["To"] == "Atelier Lumière <commandes@atelier.example>"
    assert message["Subject"] == f"Nouvelle commande K7F3-QD9M : 1{NARROW}234,50{HARD}€, Zoé Lefèvre"
    for shown in (text_of(message), Tags(html_of(message)).text):
        for expected in ("WEB-17", "Boutique", "zoe@clients.example", "+33 6 99 00 00 01", "Cires SARL", "anglais",
                         "pi_3Q", "Carte bancaire", "réf. BOUGIE-1", "Merci de sonner deux fois."):  # fmt: skip
            assert expected in shown


@pytest.mark.parametrize(
    ("locale", "text"), [("fr", "est en route"), ("en", "is on its way"), ("de", "is on its way")]
)
def test_dispatch_mail_links_to_the_tracking(locale: str, text: str) -> None:
    order = an_order(locale=locale)
    message = read(a_mail(Template.SHIPMENT_DISPATCHED, order, a_shipment(order.order_id)))
    assert text in message["Subject"]
    assert message["In-Reply-To"] == message["References"]
    assert message["In-Reply-To"] != message["Message-ID"]
    page = Tags(html_of(message))
    assert ("a", "href", "https://suivi.example/colis?id=6A12345678901&lang=fr") in page.attributes
    for shown in (text_of(message), page.text):
        for expected in ("Colissimo", "6A12345678901", "2 × Bougie figuier 180 g", "Toulouse"):
            assert expected in shown


def test_dispatch_without_tracking_has_no_button() -> None:
    order = an_order()
    bare = a_shipment(order.order_id, tracking_number=None, tracking_url=None, expected_on=None, lines=[])
    message = read(a_mail(Template.SHIPMENT_DISPATCHED, order, bare))
    assert "Suivre le colis" not in text_of(message) + html_of(message)
    assert "Dans cet envoi" not in text_of(message) + html_of(message)


@pytest.mark.parametrize(("method", "expected"), [
    (PaymentMethod.CHEQUE, "12 rue des Cires, 69001 Lyon"), (PaymentMethod.TRANSFER, "AGRIFRPP"),
    (PaymentMethod.CASH, "sur place, en espèces"), (PaymentMethod.CARD, "vous n’avez rien d’autre à faire"),
    (PaymentMethod.PAYPAL, "PayPal nous confirme"), (PaymentMethod.OTHER, "Nous vous écrirons"),
    (PaymentMethod.FREE, "rien à payer"),
])  # fmt: skip
def test_each_method_states_what_to_do_next(method: PaymentMethod, expected: str) -> None:
    message = read(a_mail(Template.ORDER_RECAP, an_order(payment=PaymentChoice(method=method))))
    assert expected in text_of(message)
    assert expected in Tags(html_of(message)).text


@pytest.mark.parametrize("method", [PaymentMethod.CHEQUE, PaymentMethod.TRANSFER])
def test_shop_without_its_bank_or_address_names_whom_to_contact(method: PaymentMethod) -> None:
    shop = a_shop(postal_address=None, iban=None, bic=None)
    message = read(a_mail(Template.ORDER_RECAP, an_order(payment=PaymentChoice(method=method)), shop=shop))
    assert "Écrivez à aide@atelier.example" in text_of(message)


def test_same_mail_is_the_same_octets() -> None:
    order = an_order(order_id=UUID(int=7))
    assert a_mail(Template.ORDER_RECAP, order) == a_mail(Template.ORDER_RECAP, order)


def test_tax_added_to_the_prices_is_a_line_of_its_own() -> None:
    totals = Totals(lines_minor=4900, tax_minor=980, total_minor=5880)
    order = an_order(prices_include_tax=False, lines=[a_line()], extra_lines=[], shipping=None, totals=totals)
    shown = text_of(read(a_mail(Template.ORDER_RECAP, order)))
    assert f"TVA : 9,80{HARD}€" in shown
    assert "dont TVA" not in shown


def test_each_tax_that_was_stated_is_written_as_it_was_charged() -> None:
    taxes = [
        Tax(label="GST", rate_ppm=50_000, tax_minor=193),
        Tax(label="PST", rate_ppm=70_000, tax_minor=270),
    ]
    line = a_line(quantity=1, unit_price_minor=3848, total_minor=3848, vat_rate=1200, taxes=taxes)
    order = an_order(
        locale="en",
        currency="CAD",
        prices_include_tax=False,
        lines=[line],
        extra_lines=[],
        shipping=None,
        totals=Totals(lines_minor=3848, tax_minor=463, total_minor=4311),
    )
    shown = text_of(read(a_mail(Template.ORDER_RECAP, order)))
    for expected in ("GST 5% + PST 7%", "GST 5%: CA$1.93", "PST 7%: CA$2.70", "CA$43.11"):
        assert expected in shown
    assert "VAT" not in shown.replace("incl. VAT", "")


def test_a_price_below_a_cent_and_a_fine_rate_keep_their_digits() -> None:
    line = a_line(
        quantity=1000,
        unit_price_minor=1,
        unit_price_exact="0.0123",
        total_minor=1230,
        taxes=[Tax(rate_ppm=88_750, tax_minor=100)],
    )
    totals = Totals(lines_minor=1230, tax_minor=100, total_minor=1230)
    order = an_order(locale="en", lines=[line], extra_lines=[], shipping=None, totals=totals)
    shown = text_of(read(a_mail(Template.ORDER_RECAP, order)))
    assert "€0.0123 each · VAT 8.875%" in shown
    assert "€12.30" in shown


def test_thousand_lines_are_all_there() -> None:
    order = an_order(lines=[a_line(number, description=f"Article n° {number}.") for number in range(1, 1001)])
    message = read(a_mail(Template.ORDER_RECAP, order))
    assert all(f"Article n° {number}." in text_of(message) for number in range(1, 1001))


@pytest.mark.parametrize(
    ("locale", "subject", "expected"),
    [
        ("fr", "Votre commande K7F3-QD9M : En atelier", "Un mot de notre part"),
        ("en", "Your order K7F3-QD9M: In the workshop", "A word from us"),
    ],
)
def test_a_status_is_reported_with_its_comment(locale: str, subject: str, expected: str) -> None:
    order = an_order(locale=locale)
    message = read(a_mail(Template.STATUS_UPDATED, order, status=a_status(order.order_id), locale=locale))
    assert message["Subject"] == subject
    for shown in (text_of(message), Tags(html_of(message)).text):
        for word in (
            expected,
            "Paul coule vos bougies.",
            "À jeudi !",
            subject.rpartition(":")[2].strip(),
            "aide@",
        ):
            assert word in shown


@pytest.mark.parametrize(
    ("template", "locale", "subject", "expected"),
    [
        (Template.ORDER_CANCELLED, "fr", "Votre commande K7F3-QD9M est annulée", "nous vous remboursons"),
        (Template.ORDER_CANCELLED, "en", "Your order K7F3-QD9M is cancelled", "we are refunding you"),
        (
            Template.REFUND_MADE,
            "fr",
            "Remboursement de 12,50\u202f€, commande K7F3-QD9M",
            "Articles remboursés",
        ),
        (Template.REFUND_MADE, "en", "Refund of €12.50, order K7F3-QD9M", "Items refunded"),
    ],
)
def test_a_cancellation_and_a_refund_are_mailed_with_their_comment(
    template: Template, locale: str, subject: str, expected: str
) -> None:
    order = an_order(code="K7F3-QD9M")
    status = a_status(order.order_id, public_comment="Avec nos excuses.")
    message = read(a_mail(template, order, status=status, locale=locale))
    assert str(message["Subject"]).replace("\xa0", "\u202f") == subject
    for shown in (text_of(message), html_of(message)):
        assert expected in shown
        assert "Avec nos excuses." in shown


@pytest.mark.parametrize(
    ("locale", "subject", "expected"),
    [
        ("fr", "Commande K7F3-QD9M : votre remboursement de 12,50 € n’a pas abouti", "nous est revenue"),
        ("en", "Order K7F3-QD9M: your refund of €12.50 did not go through", "came back to us"),
    ],
)
def test_a_refund_that_failed_is_reported_with_its_amount(locale: str, subject: str, expected: str) -> None:
    message = read(a_mail(Template.REFUND_FAILED, an_order(code="K7F3-QD9M"), locale=locale))
    assert str(message["Subject"]).replace("\xa0", " ").replace("\u202f", " ") == subject
    for shown in (text_of(message), Tags(html_of(message)).text):
        assert expected in shown
        assert "12" in shown


@pytest.mark.parametrize(
    ("locale", "mode", "state", "expected"),
    [
        ("fr", "sent", "sent", ["Nous vous remboursons", "Le remboursement est en cours"]),
        ("fr", "sent", "confirmed", ["Nous vous avons remboursé", "La somme est renvoyée"]),
        ("fr", "sent", None, ["Nous vous remboursons", "Le remboursement est en cours"]),
        ("fr", "recorded", "marked", ["Nous vous remboursons", "vous sera rendue par nos soins"]),
        ("fr", "recorded", "confirmed", ["Nous vous avons remboursé", "vous a été rendue par nos soins"]),
        ("en", "sent", "sent", ["We are refunding you", "The refund is under way"]),
        ("en", "sent", "confirmed", ["We have refunded you", "It went back"]),
        ("en", "recorded", "confirmed", ["We have refunded you", "We have paid it back"]),
    ],
)
def test_a_refund_is_shown_as_made_once_it_is(
    locale: str, mode: str, state: str | None, expected: list[str]
) -> None:
    order = an_order()
    context = {"mode": mode, "amount_minor": 1250, "currency": "EUR", **({"state": state} if state else {})}
    mail, recipient = a_pair(Template.REFUND_MADE, order, context=context, locale=locale)
    message = read(compose(mail, recipient, a_shop()))
    for shown in (text_of(message), Tags(html_of(message)).text):
        assert all(words in shown for words in expected)


def test_a_status_without_a_comment_has_no_heading_for_one() -> None:
    order = an_order()
    message = read(
        a_mail(Template.STATUS_UPDATED, order, status=a_status(order.order_id, public_comment=None))
    )
    assert "Un mot de notre part" not in text_of(message) + html_of(message)


def hostile_order(text: str = HOSTILE) -> OrderPlaced:
    """An order whose every customer-controlled text is hostile."""
    address = an_address(**{name: (text * 9)[:limit] for name, limit in (
        ("name", 200), ("street", 300), ("street_2", 300), ("city", 200), ("region", 200), ("postal_code", 20),
        ("phone", 40),
    )})  # fmt: skip
    line = a_line(
        description=(text * 9)[:500], sku=text[:64], options={text[:100]: text}, resource=(text * 3)[:200]
    )
    return an_order(
        customer=Buyer(
            name=(text * 9)[:200], email="zoe@clients.example", phone=text[:40], company=(text * 9)[:200]
        ),
        billing_address=address,
        shipping_address=an_address(street=text[:300]),
        lines=[line],
        shipping=Shipping(label=text[:200], amount_minor=0),
        extra_lines=[ExtraLine(label=text[:200], amount_minor=0)],
        source_reference=text[:200],
        note=(text * 20)[:2000],
        payment=PaymentChoice(method=PaymentMethod.CARD, provider_reference=text[:200]),
    )


def hostile_status(order: OrderPlaced, text: str = HOSTILE) -> StatusUpdated:
    """A status whose every text is hostile."""
    return a_status(
        order.order_id, label_texts={"fr": text[:200], "en": text[:200]}, public_comment=(text * 9)[:2000]
    )


def check_harmless(template: Template, order: OrderPlaced, **more: Any) -> None:
    letter = a_mail(template, order, **more)
    message = read(letter)
    assert [name for name, _ in message.items()] == [
        name for name in ("Date", "From", "Reply-To", "To", "Subject", "Message-ID", "In-Reply-To", "References",
                          "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type") if name in message
    ]  # fmt: skip
    assert [address.addr_spec for address in message["To"].addresses] == [letter.recipient]
    page = Tags(html_of(message))
    assert not {"script", "img", "iframe", "object", "form", "link", "base", "svg"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(
        value.startswith(("https://", "http://", "mailto:"))
        for _, name, value in page.attributes
        if name == "href"
    )
    for shown in (text_of(message), html_of(message), str(message["Subject"]), str(message["To"])):
        assert not set("\x00\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\r") & set(shown)
    assert page.open == ["html"] or page.open == []


@pytest.mark.parametrize("template", [one for one in Template if one not in SHOWS_NO_CUSTOMERS_TEXT])
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_hostile_text_stays_text(template: Template, locale: str) -> None:
    order = hostile_order()
    shipment = a_shipment(order.order_id, carrier=HOSTILE[:200], tracking_number=HOSTILE[:100],
                          tracking_url=f'https://x.example/"><script>{HOSTILE}')  # fmt: skip
    more: dict[str, Any] = {"shipment": shipment, "status": hostile_status(order), "locale": locale}
    check_harmless(template, order, **more)
    shown = html_of(read(a_mail(template, order, **more)))
    assert "&lt;script&gt;" in shown
    assert "{{7*7}}" in shown


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "https://", " https://x.example", "//x.example"]
)
def test_link_that_is_no_web_address_is_no_link(url: str) -> None:
    order = an_order()
    message = read(a_mail(Template.SHIPMENT_DISPATCHED, order, a_shipment(order.order_id, tracking_url=url)))
    assert [value for _, name, value in Tags(html_of(message)).attributes if name == "href"] == [
        "mailto:aide@atelier.example"
    ]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200), st.sampled_from(list(Template)))
def test_any_text_is_harmless(text: str, template: Template) -> None:
    order = hostile_order(text)
    shipment = a_shipment(order.order_id, carrier=text, tracking_number=text[:100])
    check_harmless(template, order, shipment=shipment, status=hostile_status(order, text))


def test_an_order_without_mail_address_street_or_town_has_no_empty_lines() -> None:
    bare = an_address(street=None, city="", postal_code=None)
    order = an_order(customer=Buyer(name="Zoé Lefèvre"), shipping_address=bare, billing_address=bare)
    text = text_of(read(a_mail(Template.NEW_ORDER, order)))
    assert "None" not in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize(("address", "usable"), [
    ("zoe@clients.example", "zoe@clients.example"), ("z+tag@sub.clients.example", "z+tag@sub.clients.example"),
    ("zoe@bücher.example", "zoe@xn--bcher-kva.example"), ("zoé@clients.example", "zoé@clients.example"),
    ("taro..y.@docomo.example", '"taro..y."@docomo.example'), (".a@c.example", '".a"@c.example'),
    ('"taro..y."@docomo.example', '"taro..y."@docomo.example'), ('"a b"@c.example', '"a b"@c.example'),
])  # fmt: skip
def test_usable_address(address: str, usable: str) -> None:
    assert usable_address(address) == usable


@pytest.mark.parametrize("address", ["a,b@c.example", "<a>@c.example", "a@b@c.example", "a@-c.example", "a@c..example",
                                     'a"b@c.example', "é..a@c.example", "a" * 250 + "@c.example",
                                     "a\x00@c.example"])  # fmt: skip
def test_unusable_address_shows_it(address: str) -> None:
    with pytest.raises(AddressUnusable, match="correct it"):
        usable_address(address)


@pytest.mark.parametrize(("one", "other"), [
    ("Zoe@Clients.Example", "zoe@clients.example"), ('"zoe"@c.example', "zoe@c.example"),
    ("zoe@bücher.example", "zoe@xn--bcher-kva.example"), (" zoe@c.example ", "zoe@c.example"),
])  # fmt: skip
def test_addresses_that_are_the_same_mailbox_compare_equal(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_merchants_mail_leads_to_the_order_and_the_customers_does_not(locale: str) -> None:
    shop = a_shop(backoffice_url="https://office.atelier.example", default_locale=locale)
    url = "https://office.atelier.example/orders/K7F3-QD9M"
    merchants = read(a_mail(Template.NEW_ORDER, an_order(), shop=shop, locale=locale))
    assert f'href="{url}"' in html_of(merchants)
    assert url in text_of(merchants)
    customers = read(a_mail(Template.ORDER_RECAP, an_order(), shop=shop, locale=locale))
    assert "office.atelier" not in html_of(customers) + text_of(customers)
    without = read(a_mail(Template.NEW_ORDER, an_order()))
    assert "/orders/" not in html_of(without) + text_of(without)


@pytest.mark.parametrize(
    "url",
    ["https://office.example/?token=1", "javascript:alert(1)", "https://me:secret@office.example", "office"],
)
def test_an_address_that_is_more_than_an_origin_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        a_shop(backoffice_url=url)


def test_the_recap_names_the_business() -> None:
    shop = a_shop(siret="123 456 789 00012", vat_number="FR 32 123456789")
    recap = read(a_mail(Template.ORDER_RECAP, an_order(), shop=shop))
    for shown in (text_of(recap), Tags(html_of(recap)).text):
        assert "SIRET : 123 456 789 00012" in shown.replace("\u202f", " ")
        assert "FR 32 123456789" in shown
    assert "SIRET" not in text_of(read(a_mail(Template.ORDER_RECAP, an_order())))
