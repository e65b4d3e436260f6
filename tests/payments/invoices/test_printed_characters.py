"""What the fonts lack is replaced on the page and nowhere else: every document has its PDF, whatever was typed."""

import unicodedata
from io import BytesIO

import facturx
import pypdf
import pytest
import typst
from babel.dates import format_date
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.chassis.identifiers.printable import SIGNS, SUBSTITUTE, clusters, first_unprintable, printable
from services.payments.invoices.composing import invoice
from services.payments.invoices.document import Content
from services.payments.invoices.rendering.fonts import draws, fonts, table
from services.payments.invoices.rendering.pdf import pdf_of
from services.payments.invoices.rendering.view import view
from services.payments.invoices.sale import sale_of
from tests.payments.invoices.archive import broken_rules
from tests.payments.invoices.sales import heading, line, placed, settings

pytestmark = pytest.mark.rows("C14", "A30")
STRANGE = (
    "Croissant 🥐",
    "咖啡",
    "빵집",
    "ร้านขนม",
    "👩‍👩‍👧 🇫🇷 👍🏽",
    "\ue000",
    "a\u0e31\u0301",
    "x\ufe0f⌨️",
    "🥐" * 40,
)


def content_with(text: str) -> Content:
    order = placed([line(12_000, description=f"Boîte {text}")])
    assert order.billing_address is not None
    address = order.billing_address.model_copy(update={"name": f"Anna {text}", "city": f"Lyon {text}"})
    order = order.model_copy(update={"billing_address": address, "shipping_address": address})
    return invoice(heading(), sale_of(order), settings(trade_name=text, footer=f"Merci\n{text}"), 0)


def words(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)


@pytest.mark.parametrize("text", STRANGE)
def test_a_document_with_characters_that_no_font_has_gets_its_pdf(text: str) -> None:
    content = content_with(text)
    pdf = pdf_of(content)
    assert pdf == pdf_of(content)
    assert broken_rules(pdf) == []
    assert "Boîte" in words(pdf)
    _, xml = facturx.get_facturx_xml_from_pdf(pdf, check_xsd=True)
    assert f"Boîte {text}" in xml.decode()


@pytest.mark.parametrize("locale", ["zh-CN", "th"])
def test_dates_are_readable_where_the_fonts_lack_the_words_of_the_language(locale: str) -> None:
    content = content_with("").model_copy(update={"locale": locale})
    dates = [value for _, value in view(content)["facts"][:2]]
    assert [first_unprintable(one) for one in dates] == [None, None]
    assert dates[0] == format_date(content.issued_on, "medium", locale="en_GB")
    assert SUBSTITUTE not in words(pdf_of(content))


def test_a_whole_cluster_is_replaced_by_one_sign() -> None:
    assert printable("Croissant 🥐!") == f"Croissant {SUBSTITUTE}!"
    assert printable("👩‍👩‍👧 🇫🇷🇩🇪 👍🏽 咖啡 각") == " ".join(SUBSTITUTE * n for n in (1, 2, 1, 2, 1))
    assert printable("ก็") == SUBSTITUTE
    assert printable("Crème brûlée – 12 € · ½") == "Crème brûlée – 12 € · ½"
    assert printable("cafe\u0301\r\nÉté\u3000fin") == "café\nÉté fin"
    assert first_unprintable("Pain 👩‍🍳 咖") == "👩‍🍳"
    assert first_unprintable(f"Žluťoučký {SUBSTITUTE}") is None
    assert SUBSTITUTE in words(pdf_of(content_with("🥐")))


@given(st.text())
def test_clusters_are_the_whole_text(text: str) -> None:
    if not set(text) & set("\r\v\f\x85\u2028\u2029"):
        assert "".join(clusters(text)) == unicodedata.normalize("NFC", text)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"])
        | st.sampled_from("é€\u0301\u20dd\u200d\ufe0f\u064b\u05b4بشאЖ∑ℝ𝔸─✓❤①ﬁ"),
        min_size=1,
        max_size=60,
    )
)
@example("✓\u0301❤\ufe0f \u0301a\u20ddب\u064b")
def test_whatever_was_typed_has_its_pdf(text: str) -> None:
    assert pdf_of(content_with(text)).startswith(b"%PDF-")


def test_the_signs_are_those_of_the_fonts_inside_typst() -> None:
    """After another version of Typst: python -m services.payments.invoices.rendering.fonts"""
    known = fonts()
    assert {one.family for one in known} >= {"Libertinus Serif", "NewComputerModern10", "DejaVu Sans Mono"}
    assert SIGNS.read_text() == table(known)


def test_what_no_font_has_is_not_drawn_either() -> None:
    for one in "🥐咖각ก\u0990⁁":
        assert printable(one) == SUBSTITUTE
        assert not draws([one])
    assert draws(["Ж", "ب", "∑", "✓"])


def test_the_fonts_of_the_machine_never_count() -> None:
    embedded = typst.Fonts(include_system_fonts=False)
    assert {one.path for one in embedded.fonts()} == {None}
