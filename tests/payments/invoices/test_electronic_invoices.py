"""Electronic invoices are valid by the schema and by the rules of EN 16931."""

from xml.etree.ElementTree import fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import settings as depth
from hypothesis import strategies as st

from contracts.payments.invoices import InvoiceKind, VatRegime
from contracts.sale import Address, PaymentChoice, PaymentMethod, Tax
from services.chassis.identifiers.numbers import buyer_vat_flaw, compact
from services.chassis.identifiers.seller import flaws_of
from services.chassis.texts import is_blank
from services.payments.invoices.composing import correction, invoice
from services.payments.invoices.correction_items import Correction
from services.payments.invoices.document import Content
from services.payments.invoices.mentions import missing
from services.payments.invoices.rendering.cii import electronic_invoice
from services.payments.invoices.rendering.conformity import obstacle
from services.payments.invoices.rendering.view import view
from services.payments.invoices.sale import sale_of
from tests.chassis.test_identifiers import french_vat_numbers, german_ibans, sirets
from tests.payments.invoices.norm import faults
from tests.payments.invoices.sales import (
    BREST,
    FIRM,
    GERMAN_FIRM,
    MUNICH,
    heading,
    line,
    made_up,
    placed,
    settings,
)

pytestmark = pytest.mark.rows("C14", "A30")
LE_PORT = BREST.model_copy(update={"country": "RE", "city": "Le Port", "postal_code": "97420"})


def documents(seed: int) -> list[Content]:
    """An invoice, a credit note for a part of it and one for the rest."""
    order, shop = made_up(seed)
    sale = sale_of(order)
    first = invoice(heading(), sale, shop, paid_minor=sale.total_minor if seed % 2 else 0)
    found = [first]
    for number, amount in enumerate((sale.total_minor // 3, sale.total_minor - sale.total_minor // 3)):
        what = Correction(InvoiceKind.CREDIT_NOTE, first.number, first.issued_on, amount, "Retour")
        found.append(correction(heading(f"A2026-0000{number}"), sale, shop, found, what))
    return found


@pytest.mark.parametrize("seed", range(50))
def test_a_made_up_invoice_and_its_credit_notes_are_valid(seed: int) -> None:
    written = [one for one in documents(seed) if one.total_minor and obstacle(one) is None]
    assert {one.number: faults(electronic_invoice(one)) for one in written} == {
        one.number: [] for one in written
    }


def test_nearly_all_made_up_invoices_have_an_electronic_form() -> None:
    fitting = [seed for seed in range(50) if obstacle(documents(seed)[0]) is None]
    assert len(fitting) >= 48


def test_the_judges_refuse_a_wrong_total() -> None:
    content = invoice(heading(), sale_of(placed([line(12_000)])), settings(), 0)
    wrong = electronic_invoice(content).replace(b"120.00", b"121.00")
    assert any("BR-CO-15" in fault for fault in faults(wrong))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"currency": "TND"}, "more_than_two_decimals"),
        ({"billing_address": None, "shipping_address": None}, "buyer_country_unknown"),
    ],
)
def test_a_sale_that_the_norm_cannot_hold_has_no_electronic_form(
    changes: dict[str, object], why: str
) -> None:
    order = placed([line(12_345)], **changes)
    assert obstacle(invoice(heading(), sale_of(order), settings(), 0)) == why


def test_several_taxes_on_a_line_are_printed_but_have_no_electronic_form() -> None:
    taxes = [
        Tax(label="GST", rate_ppm=50_000, tax_minor=500),
        Tax(label="QST", rate_ppm=99_750, tax_minor=998),
    ]
    order = placed([line(10_000, 0, taxes=taxes)], prices_include_tax=False, tax_minor=1498)
    content = invoice(heading(), sale_of(order), settings(), 0)
    assert obstacle(content) == "several_taxes_on_a_line"
    assert [(one.label, one.net_minor, one.tax_minor) for one in content.groups] == [
        ("GST", 10_000, 500),
        ("QST", 10_000, 998),
    ]
    assert (content.net_minor, content.tax_minor, content.total_minor) == (10_000, 1498, 11_498)


@st.composite
def written(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> str:
    """A number as somebody writes it: small or capital letters, with something between its characters."""
    number = draw(numbers)
    gaps = draw(st.lists(st.sampled_from([*" .-/:,\u2011\u202f", "", "", ""]), min_size=len(number)))
    text = "".join(sign + gap for sign, gap in zip(number, gaps, strict=False))
    return draw(st.sampled_from([text, text.lower(), f" {text} "]))


def texts_of(xml: bytes, name: str, scheme: str | None = None) -> list[str]:
    """The texts of the elements of a name, those of a scheme only if one is given."""
    found = [one for one in fromstring(xml).iter() if one.tag.endswith(f"}}{name}")]
    return [one.text or "" for one in found if scheme is None or one.get("schemeID") == scheme]


@depth(max_examples=60)
@given(written(sirets()), written(french_vat_numbers), written(german_ibans()), written(french_vat_numbers))
def test_whatever_the_check_accepts_is_compact_in_the_electronic_invoice_and_printed_without_dots(
    siret: str, vat_number: str, iban: str, buyer_number: str
) -> None:
    shop = settings(siret=siret, vat_number=vat_number, iban=iban)
    assert flaws_of(shop) == {}
    assert buyer_vat_flaw(buyer_number, "FR") is None
    buyer = FIRM.model_copy(update={"vat_number": buyer_number, "company_id": "404-833.048 00014"})
    order = placed([line(12_000)], customer=buyer, payment=PaymentChoice(method=PaymentMethod.TRANSFER))
    content = invoice(heading(), sale_of(order), shop, 0)
    xml = electronic_invoice(content)
    assert texts_of(xml, "ID", "0002") == [compact(siret)[:9], "404833048"]
    assert texts_of(xml, "GlobalID", "0009") == [compact(siret), "40483304800014"]
    assert texts_of(xml, "ID", "VA") == [compact(vat_number), compact(buyer_number)]
    assert texts_of(xml, "IBANID") == [compact(iban)]
    shown = view(content)
    assert (
        f"SIRET {' '.join(compact(siret)[n : n + 3] for n in (0, 3, 6))} {compact(siret)[9:]}"
        in shown["seller_ids"]
    )
    assert (
        f"VAT no. {compact(vat_number)}" in shown["seller_ids"]
        or f"N° TVA {compact(vat_number)}" in shown["seller_ids"]
    )
    assert [one.replace(" ", "") for one in shown["mentions"] if one.startswith("IBAN")] == [
        f"IBAN{compact(iban)}"
    ]
    frozen = content.seller.model_copy(update={"siret": siret, "vat_number": vat_number, "iban": iban})
    assert electronic_invoice(content.model_copy(update={"seller": frozen})) == xml


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({}, ["VATEX-FR-FRANCHISE"]),
        ({"country": "DE", "postal_code": "10115"}, []),
        ({"country": "CH", "postal_code": "1200"}, []),
    ],
)
def test_only_a_small_business_in_france_has_the_french_code_of_its_exemption(
    place: dict[str, str], code: list[str]
) -> None:
    shop = settings(vat_regime=VatRegime.FRANCHISE, **place)
    xml = electronic_invoice(invoice(heading(), sale_of(placed([line(5000, 0)])), shop, 0))
    assert texts_of(xml, "ExemptionReasonCode") == code
    assert faults(xml) == []


def test_an_exemption_whose_reason_was_removed_names_no_law() -> None:
    """What a credit note takes back keeps the category that it was invoiced with."""
    sale = sale_of(placed([line(5000, 0)]))
    before = invoice(heading(), sale, settings(), 0)
    what = Correction(InvoiceKind.CREDIT_NOTE, before.number, before.issued_on, 5000, "Retour")
    note = correction(heading("A2026-00001"), sale, settings(exemption_reason=""), [before], what)
    xml = electronic_invoice(note)
    assert texts_of(xml, "ExemptionReason") == ["Exonération de TVA"]
    assert faults(xml) == []


def test_a_number_with_dots_and_hyphens_is_valid_by_the_norm() -> None:
    shop = settings(
        siret="732.829.320-00074", vat_number="FR.44.732-829.320", iban="FR76-3000-6000-0112-3456-7890-189"
    )
    order = placed([line(12_000)], payment=PaymentChoice(method=PaymentMethod.TRANSFER))
    xml = electronic_invoice(invoice(heading(), sale_of(order), shop, 0))
    assert faults(xml) == []
    assert b'schemeID="0002">732829320<' in xml
    assert b'schemeID="0009">73282932000074<' in xml


@pytest.mark.parametrize(
    ("company_id", "place", "siren", "siret", "other", "shown"),
    [
        ("404833048 00022", BREST, "404833048", "40483304800022", None, "SIRET 404 833 048 00022"),
        ("404 833 048", BREST, "404833048", None, None, "SIREN 404833048"),
        ("404 833 048", LE_PORT, "404833048", None, None, "SIREN 404833048"),
        ("404 833 049", BREST, None, None, "404833049", "N° d’immatriculation 404833049"),
        ("HRB 42243", MUNICH, None, None, "HRB42243", "N° d’immatriculation HRB42243"),
        ("404 833 048", MUNICH, None, None, "404833048", "N° d’immatriculation 404833048"),
    ],
)
def test_a_buyers_number_bears_the_scheme_of_what_it_is(
    company_id: str, place: Address, siren: str | None, siret: str | None, other: str | None, shown: str
) -> None:
    buyer = FIRM.model_copy(update={"company_id": company_id})
    order = placed([line(12_000)], customer=buyer, billing_address=place)
    content = invoice(heading(), sale_of(order), settings(), 0)
    xml = electronic_invoice(content)
    assert faults(xml) == []
    party = next(one for one in fromstring(xml).iter() if one.tag.endswith("}BuyerTradeParty"))
    part = tostring(party)
    assert texts_of(part, "GlobalID", "0009") == ([siret] if siret else [])
    assert texts_of(part, "ID", "0002") == ([siren] if siren else [])
    registered = [one for one in party.iter() if one.tag.endswith("}SpecifiedLegalOrganization")]
    assert [one[0].text for one in registered] == [siren or other]
    assert [one[0].get("schemeID") for one in registered] == ["0002" if siren else None]
    assert view(content)["blocks"][0]["lines"].count(shown) == 1


def test_the_number_of_a_buyer_without_an_address_is_of_no_known_register_in_both_forms() -> None:
    order = placed([line(12_000)], customer=FIRM, billing_address=None, shipping_address=None)
    content = invoice(heading(), sale_of(order), settings(), 0)
    assert view(content)["blocks"][0]["lines"].count("N° d’immatriculation 404833048") == 1
    assert texts_of(electronic_invoice(content), "ID", "0002") == ["732829320"]  # the seller's only


def test_a_number_that_an_earlier_version_accepted_unchecked_bears_no_scheme() -> None:
    content = invoice(heading(), sale_of(placed([line(12_000)])), settings(), 0)
    frozen = content.seller.model_copy(
        update={"siret": "732829321", "vat_number": "", "trade_name": "Kerdrel"}
    )
    xml = electronic_invoice(content.model_copy(update={"seller": frozen}))
    assert faults(xml) == []
    assert texts_of(xml, "ID", "0002") == []
    assert texts_of(xml, "ID", "FC") == ["732829321"]
    assert texts_of(xml, "TradingBusinessName") == ["Kerdrel"]


def test_a_greek_vat_number_is_written_with_el() -> None:
    buyer = GERMAN_FIRM.model_copy(update={"vat_number": "GR 094 259 216"})
    athens = MUNICH.model_copy(update={"country": "GR", "city": "Athina", "postal_code": "105 57"})
    shop = settings(country="GR", vat_number="gr-094.259.216")
    assert flaws_of(shop).keys() <= {"postal_code"}
    content = invoice(
        heading(), sale_of(placed([line(12_000)], customer=buyer, billing_address=athens)), shop, 0
    )
    assert (content.seller.vat_number, content.buyer.vat_number) == ("EL094259216", "EL094259216")
    xml = electronic_invoice(content)
    assert faults(xml) == []
    assert texts_of(xml, "ID", "VA") == ["EL094259216"] * 2
    earlier = content.model_copy(
        update={
            "seller": content.seller.model_copy(update={"vat_number": "GR094259216"}),
            "buyer": content.buyer.model_copy(update={"vat_number": "GR094259216"}),
        }
    )
    assert electronic_invoice(earlier) == xml
    shown = view(earlier)
    assert "EL094259216" in shown["seller_ids"]
    assert any("EL094259216" in one for one in shown["blocks"][0]["lines"])


@pytest.mark.parametrize(
    ("code", "listed"), [("IC", "ES"), ("XK", "1A"), ("TA", "SH"), ("XI", "XI"), ("MC", "MC"), ("RE", "RE")]
)
def test_a_country_is_written_with_its_code_in_the_list_of_the_norm(code: str, listed: str) -> None:
    place = BREST.model_copy(update={"country": code})
    order = placed([line(12_000, 0)], billing_address=place, shipping_address=place)
    xml = electronic_invoice(invoice(heading(), sale_of(order), settings(), 0))
    assert faults(xml) == []
    assert texts_of(xml, "CountryID") == ["FR", listed, listed]


@pytest.mark.parametrize("unseen", ["\u3164", "\ue000", "\u200b", "\u2800 "])
def test_a_mention_of_which_nothing_can_be_seen_counts_as_none(unseen: str) -> None:
    optional = ("trade_name", "street_2", "exemption_reason", "footer", "phone", "email", "iban")
    shop = settings(**dict.fromkeys(optional, unseen))
    buyer = FIRM.model_copy(update=dict.fromkeys(("company", "vat_number", "company_id"), unseen))
    content = invoice(heading(), sale_of(placed([line(12_000, 0)], customer=buyer)), shop, 0)
    assert {one.category for one in content.items} == {"Z"}
    assert content.exemption_reason is None
    assert not content.buyer.is_business
    assert content == invoice(
        heading(),
        sale_of(placed([line(12_000, 0)], customer=buyer)),
        settings(**dict.fromkeys(optional, "")),
        0,
    )
    assert all(not is_blank(one) for one in texts_of(electronic_invoice(content), "LineTwo"))
    assert "name" in missing(settings(name=unseen))


def test_a_capital_is_named_once() -> None:
    content = invoice(
        heading(), sale_of(placed([line(12_000)])), settings(capital="au capital de 10 000 €"), 0
    )
    assert "SARL au capital de 10 000 € RCS Rennes" in texts_of(electronic_invoice(content), "Content")


@pytest.mark.parametrize("country", ["NC", "PF"])
def test_a_business_where_french_vat_does_not_apply_needs_no_vat_number(country: str) -> None:
    shop = settings(country=country, vat_number="", siret="", postal_code="98800", capital="1 000 000 F CFP")
    assert missing(shop) == []
    assert missing(settings(vat_number="")) == ["vat_number"]
    content = invoice(heading(), sale_of(placed([line(12_000)])), shop, 0)
    assert obstacle(content) == "seller_number_unknown"
