"""Rules of ISO 19005-3 (PDF/A-3, conformance B) that a document of ours could break, read with pypdf.

It is no full validator: none is on the package registries. Each rule names its clause, and a test breaks each.
"""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pypdf
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, IndirectObject, StreamObject

_ACTIONS = {
    "/JavaScript",
    "/Launch",
    "/Sound",
    "/Movie",
    "/ResetForm",
    "/ImportData",
    "/Hide",
    "/SetOCGState",
}
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_CMYK = {b"k", b"K"}
_IDENTIFICATION = "{http://www.aiim.org/pdfa/ns/id/}"
_SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
_PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
_FACTUR_X = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"


def broken_rules(pdf: bytes) -> list[str]:
    """Every rule that a file breaks, as its clause and what is wrong."""
    reader = pypdf.PdfReader(BytesIO(pdf), strict=True)
    if reader.is_encrypted:
        return ["6.1.3 encrypted"]
    return sorted(
        {
            *_file(pdf, reader.trailer),
            *_output_intent(reader.root_object),
            *(fault for found in _objects(reader) for fault in _object(found)),
            *_colours(reader),
            *_attachments(reader.root_object),
            *_metadata(reader.root_object),
        }
    )


def _file(pdf: bytes, trailer: Mapping[str, Any]) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.[0-7]\s+%[\x80-\xff]{4}", pdf):
        yield "6.1.2 no binary comment after the header"
    if not re.search(rb"%%EOF\r?\n?$", pdf):
        yield "6.1.3 data after the end"
    if "/ID" not in trailer:
        yield "6.1.3 no file identifier"


def _output_intent(root: DictionaryObject) -> Iterator[str]:
    """Colours are device colours, which need a profile."""
    intents = [one.get_object() for one in root.get("/OutputIntents", ())]
    profiles = [one.get("/DestOutputProfile") for one in intents if one.get("/S") == "/GTS_PDFA1"]
    if not profiles:
        yield "6.2.3 no output intent"
    for profile in profiles:
        if profile is None or profile.get_object().get_data()[36:40] != b"acsp":
            yield "6.2.3 no ICC profile"


def _objects(reader: pypdf.PdfReader) -> Iterator[DictionaryObject]:
    """Every dictionary of the file that its end leads to, once."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer]
    while waiting:
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            if (found.idnum, found.generation) in seen:
                continue
            seen.add((found.idnum, found.generation))
            found = found.get_object()
        if isinstance(found, DictionaryObject):
            yield found
            waiting.extend(dict.values(found))
        elif isinstance(found, ArrayObject):
            waiting.extend(list.__iter__(found))


def _object(found: DictionaryObject) -> Iterator[str]:
    if "/AA" in found or found.get("/S") in _ACTIONS:
        yield "6.5 an action"
    filters = found.get("/Filter", ())
    if "/LZWDecode" in ([filters] if isinstance(filters, str) else filters):
        yield "6.1.7 LZW"
    if "/FontName" in found and not any(name in found for name in _FONT_FILES):
        yield "6.2.11 a font that is not embedded"
    if found.get("/Subtype") == "/PS" or "/OPI" in found:
        yield "6.2.9 PostScript"
    if found.get("/Interpolate"):
        yield "6.2.8 an interpolated picture"
    if (
        found.get("/Type") == "/Annot"
        and "/AP" not in found
        and found.get("/Subtype") not in ("/Link", "/Popup")
    ):
        yield "6.3.3 an annotation without appearance"
    if found.get("/TR") or "/HTP" in found:
        yield "6.2.5 a transfer function"


def _colours(reader: pypdf.PdfReader) -> Iterator[str]:
    for page in reader.pages:
        content = page.get_contents()
        assert content is not None
        if any(operator in _CMYK for _, operator in ContentStream(content, reader).operations):
            yield "6.2.4 CMYK beside a profile of RGB"


def _attachments(root: DictionaryObject) -> Iterator[str]:
    names = root.get("/Names", DictionaryObject()).get_object().get("/EmbeddedFiles")
    files = [one.get_object() for one in names.get_object()["/Names"][1::2]] if names else []
    associated = [one.get_object() for one in root.get("/AF", ())]
    for one in files:
        if one.get("/AFRelationship") not in (
            "/Alternative",
            "/Data",
            "/Source",
            "/Supplement",
            "/Unspecified",
        ):
            yield "6.8 an attachment without relationship"
        if "/F" not in one or "/UF" not in one:
            yield "6.8 an attachment without both names"
        if one["/EF"]["/F"].get_object().get("/Subtype") is None:
            yield "6.8 an attachment without type"
        if one not in associated:
            yield "6.8 an attachment that belongs to nothing"


def _metadata(root: DictionaryObject) -> Iterator[str]:
    stream = root.get("/Metadata")
    if stream is None:
        yield "6.6.2 no metadata"
        return
    found = stream.get_object()
    assert isinstance(found, StreamObject)
    packet = ElementTree.fromstring(found.get_data().split(b"?>", 1)[1].rpartition(b"<?")[0])
    texts = {one.tag: one.text for one in packet.iter()}
    if (texts.get(f"{_IDENTIFICATION}part"), texts.get(f"{_IDENTIFICATION}conformance")) != ("3", "B"):
        yield "6.6.4 not called PDF/A-3b"
    described = {one.text for one in packet.iter(f"{_PROPERTY}name")}
    schemas = {one.text for one in packet.iter(f"{_SCHEMA}namespaceURI")}
    used = {one.tag.rpartition("}")[2] for one in packet.iter() if one.tag.startswith(f"{{{_FACTUR_X}}}")}
    if used - described or (used and _FACTUR_X not in schemas):
        yield "6.6.2.3 a property without its schema"
