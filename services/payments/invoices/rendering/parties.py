"""Seller and buyer in the electronic invoice: names, numbers with their schemes, addresses. Pure.

Business terms of the norm are named beside the elements where the name does not tell (BT-…).
"""

from xml.etree.ElementTree import Element

from contracts.sale import Address
from services.chassis.identifiers.numbers import compact, sirene_numbers, vat_number_of
from services.chassis.texts import is_blank
from services.payments.invoices.document import Party, Seller
from services.payments.invoices.rendering.elements import add

_SIREN, _SIRET = "0002", "0009"
"""Schemes of ISO 6523 for a business of France and for an establishment of one."""
_LISTED = {"IC": "ES", "AC": "SH", "TA": "SH", "XK": "1A"}
"""Codes of places that the norm's list of countries has under another one."""


def add_seller(party: Element, seller: Seller) -> None:
    """Add who issues the document."""
    registered = _add_names(party, seller.name, seller.siret, sirene_numbers(seller.siret))
    if registered is not None and seller.trade_name:
        add(registered, "ram:TradingBusinessName", seller.trade_name)
    _add_place(party, seller.postal_code, seller.street, seller.street_2, seller.city, seller.country)
    if seller.email:
        add(party, "ram:URIUniversalCommunication/ram:URIID", seller.email).set("schemeID", "EM")
    _add_registration(party, "VA", vat_number_of(seller.vat_number, seller.country) or seller.vat_number)
    if not seller.vat_number:
        _add_registration(party, "FC", sirene_numbers(seller.siret)[0] or seller.siret)


def add_buyer(party: Element, buyer: Party) -> None:
    """Add who is billed."""
    country = buyer.address.country if buyer.address else None
    _add_names(party, buyer.company or buyer.name, buyer.company_id or "", buyer.sirene_numbers)
    if buyer.address:
        add_address(party, buyer.address)
    _add_registration(party, "VA", vat_number_of(buyer.vat_number or "", country))


def add_address(party: Element, address: Address) -> None:
    """Add an address without its name."""
    _add_place(party, address.postal_code, address.street, address.street_2, address.city, address.country)


def _add_names(party: Element, name: str, number: str, sirene: tuple[str, str]) -> Element | None:
    """Add a party's name and number, of which `sirene` are the SIREN and the SIRET; return the element of its legal
    registration if it has a number.

    French practice: the legal registration (BT-30, BT-47) is the SIREN, and a SIRET is the identifier of the party
    (BT-29, BT-46). A number of another register, or one that can be neither, is written without a scheme.
    """
    siren, siret = sirene
    if siret:
        add(party, "ram:GlobalID", siret).set("schemeID", _SIRET)
    add(party, "ram:Name", name)
    if not (number := compact(number)):
        return None
    organization = add(party, "ram:SpecifiedLegalOrganization")
    identifier = add(organization, "ram:ID", siren or number)
    if siren:
        identifier.set("schemeID", _SIREN)
    return organization


def _add_registration(party: Element, scheme: str, number: str) -> None:
    if number := compact(number):
        add(party, "ram:SpecifiedTaxRegistration/ram:ID", number).set("schemeID", scheme)


def _add_place(
    party: Element, code: str | None, one: str | None, two: str | None, city: str | None, country: str
) -> None:
    postal = add(party, "ram:PostalTradeAddress")
    for name, value in (("PostcodeCode", code), ("LineOne", one), ("LineTwo", two), ("CityName", city)):
        if value and not is_blank(value):
            add(postal, f"ram:{name}", value)
    add(postal, "ram:CountryID", _LISTED.get(country, country))
