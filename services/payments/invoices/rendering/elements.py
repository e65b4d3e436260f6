"""Elements of the Cross Industry Invoice: their namespaces, and how a path of them is added. Pure."""

from xml.etree.ElementTree import Element, SubElement, register_namespace

_NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
for _prefix, _uri in _NAMESPACES.items():
    register_namespace(_prefix, _uri)


def add(parent: Element, path: str, value: str | None = None) -> Element:
    """Add the elements of a path; return the last one, with a text."""
    for name in path.split("/"):
        parent = SubElement(parent, name_of(name))
    if value is not None:
        parent.text = value
    return parent


def name_of(prefixed: str) -> str:
    """Return an element's name with its namespace."""
    prefix, _, name = prefixed.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{name}"
