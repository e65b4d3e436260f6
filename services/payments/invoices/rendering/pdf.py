"""The PDF of a document: PDF/A-3b with the electronic invoice attached, always the same bytes for one content.

Typst writes the page and the attachment, with the fonts inside its package only; what none of them can show is replaced
on the page and stays in the electronic invoice. The metadata that make it a Factur-X file are added to its XMP packet
(Factur-X 1.0.7, annex "PDFA extension schema").
"""

import json
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import typst

from services.chassis.identifiers.printable import plainly_printable, printable
from services.payments.invoices.document import Content
from services.payments.invoices.rendering.cii import electronic_invoice
from services.payments.invoices.rendering.conformity import obstacle
from services.payments.invoices.rendering.view import view

ATTACHMENT = "factur-x.xml"
_END_OF_DESCRIPTIONS = b"</rdf:RDF>"
_PROPERTIES = {
    "DocumentFileName": "The name of the embedded XML document",
    "DocumentType": "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER",
    "Version": "The actual version of the standard applying to the embedded XML document",
    "ConformanceLevel": "The conformance level of the embedded XML document",
}
_VALUES = {
    "DocumentType": "INVOICE",
    "DocumentFileName": ATTACHMENT,
    "Version": "1.0",
    "ConformanceLevel": "EN 16931",
}
_TRAILER = re.compile(
    rb"trailer\s*(?P<dictionary><<.*>>)\s*startxref\s+(?P<start>\d+)\s+%%EOF\s*$", re.DOTALL
)
_METADATA = re.compile(rb"/Metadata (\d+) 0 R")
_LOGO_ONLY = b"""#set document(date: datetime(year: 2026, month: 1, day: 1), title: "Logo")
#image(bytes(json("data.json").logo), height: 16mm, fit: "contain", alt: "Logo")
"""
NO_GLYPH = "could not be displayed"
"""What Typst reports of a text that its fonts can't show in this place, such as marks on a letter of another font."""
_URI = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"


def pdf_of(content: Content, logo: bytes | None = None) -> bytes:
    """Return the PDF. Raises typst.TypstError when the logo is not an image."""
    xml = electronic_invoice(content) if obstacle(content) is None else None
    data = view(content)
    files = {"main.typ": _template()}
    if logo is not None:
        data["logo"] = list(logo)  # Typst takes text files only from memory
    if xml is not None:
        files[ATTACHMENT] = xml
        data["attachment"] = ATTACHMENT
    try:
        page = _page(files, _replaced(data, printable))
    except typst.TypstError as error:
        if NO_GLYPH not in str(error):
            raise
        page = _page(files, _replaced(data, plainly_printable))
    return _as_factur_x(page) if xml is not None else page


def _page(files: dict[str, bytes], data: Any) -> bytes:
    page = typst.compile(  # type: ignore[call-overload]  # its types lack the files by name that it takes
        {**files, "data.json": json.dumps(data, ensure_ascii=False).encode()},
        format="pdf",
        pdf_standards=["a-3b"],
        ignore_system_fonts=True,
    )
    assert isinstance(page, bytes)
    return page


def _replaced(value: Any, rule: Callable[[str], str]) -> Any:
    """Return the page's data with every text by a rule of what can be printed; keys and numbers stay."""
    if isinstance(value, str):
        return rule(value)
    if isinstance(value, dict):
        return {name: _replaced(one, rule) for name, one in value.items()}
    return [_replaced(one, rule) for one in value] if isinstance(value, list) else value


def check_logo(logo: bytes) -> None:
    """Draw a logo as invoices do. Raises typst.TypstError when it can't be drawn."""
    files = {"main.typ": _LOGO_ONLY, "data.json": json.dumps({"logo": list(logo)}).encode()}
    typst.compile(  # type: ignore[call-overload]  # its types lack the files by name that it takes
        files, format="pdf", pdf_standards=["a-3b"], ignore_system_fonts=True
    )


@cache
def _template() -> bytes:
    return resources.files(__package__).joinpath("invoice.typ").read_bytes()


def _as_factur_x(page: bytes) -> bytes:
    """Return the PDF with an incremental update (ISO 32000-1, 7.5.6) that replaces its XMP packet."""
    found = _TRAILER.search(page)
    named = _METADATA.search(page)
    if found is None or named is None:
        raise ValueError("the PDF has no plain trailer or no XMP packet; this version of typst is unknown")
    number = int(named[1])
    packet = _stream(page, number)
    before, end, after = packet.partition(_END_OF_DESCRIPTIONS)
    content = _with_schema(before) + _description() + end + after
    head = b"%d 0 obj\n<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n" % (number, len(content))
    offset = len(page) + 1
    entry = b"\nendstream\nendobj\n"
    table = offset + len(head) + len(content) + len(entry)
    trailer = b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (
        found["dictionary"].replace(b"<<", b"<<\n  /Prev %d" % int(found["start"]), 1),
        table,
    )
    xref = b"xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \n" % (number, offset)
    return page + b"\n" + head + content + entry + xref + trailer


def _stream(page: bytes, number: int) -> bytes:
    """Return the uncompressed stream of an object."""
    begun = re.search(rb"[\r\n]%d 0 obj\s*<<.*?>>\s*stream\r?\n" % number, page, re.DOTALL)
    if begun is None or b"/Filter" in begun[0]:
        raise ValueError("the PDF's XMP packet can't be read; this version of typst is unknown")
    return page[begun.end() : page.index(b"endstream", begun.end())].rstrip()


def _with_schema(packet: bytes) -> bytes:
    """Return the packet with the description of Factur-X' own properties among those of its extension schemas."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        f"<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{words}</pdfaProperty:description></rdf:li>"
        for name, words in _PROPERTIES.items()
    )
    schema = (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_URI}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
    opening = b"<pdfaExtension:schemas><rdf:Bag>"
    if opening not in packet:
        raise ValueError("the PDF's XMP packet has no extension schemas; this version of typst is unknown")
    return packet.replace(opening, opening + schema.encode(), 1)


def _description() -> bytes:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in _VALUES.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{_URI}">{values}</rdf:Description>'.encode()
