"""The PDF: the same bytes each time, an archive with the electronic invoice in it, every text a reader needs."""

import base64
import re
from io import BytesIO
from xml.etree import ElementTree

import facturx
import pypdf
import pytest
from pypdf.generic import StreamObject

from contracts.sale import Address
from services.payments.invoices.composing import invoice
from services.payments.invoices.rendering.cii import electronic_invoice
from services.payments.invoices.rendering.pdf import pdf_of
from services.payments.invoices.rendering.process import Renderer, RenderingFailed
from services.payments.invoices.sale import sale_of
from tests.payments.invoices.sales import FIRM, heading, line, made_up, placed, settings

pytestmark = pytest.mark.rows("C14", "A30", "A32")
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def content_of_seed(seed: int):  # type: ignore[no-untyped-def]
    order, shop = made_up(seed)
    return invoice(heading(), sale_of(order), shop, 0)


def test_a_pdf_is_the_same_bytes_each_time() -> None:
    assert pdf_of(content_of_seed(1)) == pdf_of(content_of_seed(1))


def test_a_pdf_is_an_archive_that_carries_its_electronic_invoice() -> None:
    content = content_of_seed(2)
    pdf = pdf_of(content)
    assert facturx.get_facturx_xml_from_pdf(pdf, check_xsd=True) == (
        "factur-x.xml",
        electronic_invoice(content),
    )
    metadata = pypdf.PdfReader(BytesIO(pdf), strict=True).root_object["/Metadata"]
    assert isinstance(metadata, StreamObject)
    packet = metadata.get_data().decode()
    described = {
        element.tag.rpartition("}")[2]: element.text
        for element in ElementTree.fromstring(packet.split("?>", 1)[1].rpartition("<?")[0]).iter()
    }
    assert (described["part"], described["conformance"]) == ("3", "B")
    assert (described["ConformanceLevel"], described["DocumentFileName"]) == ("EN 16931", "factur-x.xml")


def test_a_pdf_shows_the_mentions_that_the_law_wants() -> None:
    order = placed([line(14_470, quantity=3, discount_minor=500, unit_price_minor=4990)], customer=FIRM)
    content = invoice(heading(), sale_of(order), settings(vat_on_debits=True), 0)
    words = _words(pdf_of(content))
    for expected in (
        "Facture", "F2026-00042", "29 nov. 2026", "SARL au capital de 10 000 €", "732 829 320 00074",
        "RCS Rennes", "FR44732829320", "Le Goff & Fils", "404833048", "FR83404833048", "41,5833 €",
        "Pénalités de retard", "40 €", "Escompte", "livraison de biens", "débits", "144,70 €", "24,12 €",
    ):  # fmt: skip
        assert expected in words


def test_an_english_buyer_reads_english() -> None:
    content = invoice(heading(), sale_of(placed([line(123_450)], locale="en-GB")), settings(), 0)
    words = _words(pdf_of(content))
    assert "Invoice" in words
    assert "€1,234.50" in words


def test_a_paid_invoice_shows_that_nothing_is_left_to_pay() -> None:
    sale = sale_of(placed([line(12_000)]))
    assert "Acquittée 120,00 € Net à payer 0,00 €" in _words(
        pdf_of(invoice(heading(), sale, settings(), paid_minor=12_000))
    )
    assert "Déjà réglé 20,00 € Net à payer 100,00 €" in _words(
        pdf_of(invoice(heading(), sale, settings(), paid_minor=2000))
    )
    assert "Net à payer" not in _words(pdf_of(invoice(heading(), sale, settings(), 0)))


def test_a_foreign_buyer_reads_the_sellers_country_in_the_documents_language() -> None:
    abroad = {
        "name": "Jeanne",
        "street": "Rue du Lac 9",
        "postal_code": "1200",
        "city": "Genève",
        "country": "CH",
    }
    for country, locale, shown in (("FR", "fr", "France"), ("BE", "fr", "Belgique"), ("BE", "en", "Belgium")):
        sale = sale_of(placed([line(12_000)], locale=locale, billing_address=Address(**abroad)))
        words = _words(pdf_of(invoice(heading(), sale, settings(country=country, city="Ville"), 0)))
        assert f"Ville {shown}" in words
    at_home = sale_of(placed([line(12_000)]))
    assert "Ville France" not in _words(pdf_of(invoice(heading(), at_home, settings(city="Ville"), 0)))


def test_the_trade_name_is_shown_beside_the_sellers_own() -> None:
    sale = sale_of(placed([line(12_000)]))
    words = _words(pdf_of(invoice(heading(), sale, settings(name="Maë Kerdrel", trade_name="Chez Maë"), 0)))
    assert words.startswith("Maë Kerdrel Chez Maë")


def test_taxes_are_listed_with_the_highest_rate_first() -> None:
    lines = [line(10_000, rate, number=number) for number, rate in enumerate((550, 2000, 0), 1)]
    words = _words(pdf_of(invoice(heading(), sale_of(placed(lines)), settings(), 0)))
    below = words.partition("Montant de la taxe")[2]
    assert re.findall(r"(\S+) %", below) == ["20", "5,5", "0"]


def test_yen_have_no_decimals_and_dinars_three() -> None:
    for currency, shown in (("JPY", "12 345"), ("TND", "12,345")):
        content = invoice(heading(), sale_of(placed([line(12_345, 0)], currency=currency)), settings(), 0)
        assert shown in _words(pdf_of(content))


async def test_the_rendering_program_serves_requests_and_survives_a_bad_one() -> None:
    renderer = Renderer()
    try:
        content = content_of_seed(1)
        one = await renderer.pdf(content, None)
        assert one == pdf_of(content)
        with_logo = content.model_copy(update={"seller": content.seller.model_copy(update={"logo": "x"})})
        assert len(await renderer.pdf(with_logo, PIXEL)) > len(one) / 2
        with pytest.raises(RenderingFailed, match="TypstError"):
            await renderer.pdf(with_logo, b"no picture")
        both = await renderer.merged([one, await renderer.pdf(content_of_seed(5), None)])
        assert len(pypdf.PdfReader(BytesIO(both)).pages) == 2
    finally:
        await renderer.close()


async def test_a_rendering_program_that_died_is_replaced() -> None:
    renderer = Renderer()
    try:
        content = content_of_seed(1)
        await renderer.pdf(content, None)
        assert renderer._program is not None
        renderer._program.kill()
        await renderer._program.wait()
        assert await renderer.pdf(content, None)
    finally:
        await renderer.close()


def _words(pdf: bytes) -> str:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)
    return " ".join(text.replace("\u202f", " ").replace("\xa0", " ").split())
