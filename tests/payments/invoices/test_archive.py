"""Documents keep the rules of PDF/A-3b in both languages, with and without electronic invoice, and the rules bite."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject, TextStringObject

from contracts.payments.invoices import InvoiceKind
from services.payments.invoices.composing import correction, invoice
from services.payments.invoices.correction_items import Correction
from services.payments.invoices.rendering.pdf import pdf_of
from services.payments.invoices.sale import sale_of
from tests.payments.invoices.archive import broken_rules
from tests.payments.invoices.sales import FIRM, heading, line, made_up, placed, settings
from tests.payments.invoices.test_pdf import PIXEL

pytestmark = pytest.mark.rows("C14", "A30")
Change = Callable[[pypdf.PdfWriter], object]


def a_pdf() -> bytes:
    order = placed([line(14_470, quantity=3, discount_minor=500, unit_price_minor=4990)], customer=FIRM)
    return pdf_of(invoice(heading(), sale_of(order), settings(), 0))


@pytest.mark.parametrize("locale", ["fr", "en-GB"])
@pytest.mark.parametrize("seed", range(6))
def test_invoices_and_credit_notes_keep_every_rule(seed: int, locale: str) -> None:
    order, shop = made_up(seed)
    sale = sale_of(order.model_copy(update={"locale": locale}))
    first = invoice(heading(), sale, shop, paid_minor=sale.total_minor)
    what = Correction(InvoiceKind.CREDIT_NOTE, first.number, first.issued_on, sale.total_minor // 3, "Retour")
    note = correction(heading("A2026-00001"), sale, shop, [first], what)
    with_logo = first.model_copy(update={"seller": first.seller.model_copy(update={"logo": "x"})})
    assert broken_rules(pdf_of(first)) == []
    assert broken_rules(pdf_of(note)) == []
    assert broken_rules(pdf_of(with_logo, PIXEL)) == []


def test_an_invoice_without_electronic_form_keeps_every_rule_too() -> None:
    order = placed([line(12_345)], currency="TND")
    pdf = pdf_of(invoice(heading(), sale_of(order), settings(), 0))
    assert "/AF" not in pypdf.PdfReader(BytesIO(pdf)).root_object
    assert broken_rules(pdf) == []


def _at(found: Any, *path: str | int) -> Any:
    """The object at a path."""
    for step in path:
        found = found.get_object()[step]
    return found.get_object()


def _file_of(writer: pypdf.PdfWriter) -> Any:
    return _at(writer.root_object, "/AF", 0)


def _unembed(writer: pypdf.PdfWriter) -> None:
    for font in _at(writer.pages[0], "/Resources", "/Font").values():
        for name in ("/FontFile", "/FontFile2", "/FontFile3"):
            _at(font, "/DescendantFonts", 0, "/FontDescriptor").pop(name, None)


def _metadata(old: bytes, new: bytes) -> Change:
    def change(writer: pypdf.PdfWriter) -> None:
        data = _at(writer.root_object, "/Metadata").get_data()
        assert old in data
        stream = StreamObject()
        stream.update(
            {NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")}
        )
        stream.set_data(data.replace(old, new))
        writer.root_object[NameObject("/Metadata")] = writer._add_object(stream)

    return change


def _script(writer: pypdf.PdfWriter) -> None:
    action = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)


def _cmyk(writer: pypdf.PdfWriter) -> None:
    content = writer.pages[0].get_contents()
    assert content is not None
    stream = StreamObject()
    stream.set_data(b"0 0 0 1 k 10 10 50 50 re f\n" + content.get_data())
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)


def _annotate(writer: pypdf.PdfWriter) -> None:
    note = {NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Text")}
    writer.pages[0][NameObject("/Annots")] = ArrayObject([DictionaryObject(note)])


CHANGES: dict[str, tuple[Change, str]] = {
    "no output intent": (lambda pdf: pdf.root_object.pop("/OutputIntents"), "6.2.3"),
    "no profile": (
        lambda pdf: _at(pdf.root_object, "/OutputIntents", 0).pop("/DestOutputProfile"),
        "6.2.3",
    ),
    "no metadata": (lambda pdf: pdf.root_object.pop("/Metadata"), "6.6.2"),
    "another part": (_metadata(b"part>3<", b"part>2<"), "6.6.4"),
    "no schema": (
        _metadata(b">ConformanceLevel</pdfaProperty:name>", b">Level</pdfaProperty:name>"),
        "6.6.2.3",
    ),
    "no relationship": (lambda pdf: _file_of(pdf).pop("/AFRelationship"), "6.8"),
    "one name": (lambda pdf: _file_of(pdf).pop("/UF"), "6.8"),
    "no type": (lambda pdf: _at(_file_of(pdf), "/EF", "/F").pop("/Subtype"), "6.8"),
    "no association": (lambda pdf: pdf.root_object.pop("/AF"), "6.8"),
    "a script": (_script, "6.5"),
    "CMYK": (_cmyk, "6.2.4"),
    "a font left out": (_unembed, "6.2.11"),
    "an annotation": (_annotate, "6.3.3"),
    "encrypted": (lambda pdf: pdf.encrypt("", "owner"), "6.1.3"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_broken_rule_is_named(name: str) -> None:
    change, clause = CHANGES[name]
    writer = pypdf.PdfWriter(clone_from=BytesIO(a_pdf()))
    change(writer)
    written = BytesIO()
    writer.write(written)
    assert clause in [fault.split(" ", 1)[0] for fault in broken_rules(written.getvalue())]


def test_data_after_the_end_breaks_a_rule() -> None:
    assert broken_rules(a_pdf() + b"% more") == ["6.1.3 data after the end"]
