"""Gaps of an order, and their consequences, in the request's language.

An order is placed although it has no mail address, no article number or no complete delivery address; these texts
warn staff in advance of what will not happen.
"""

from collections.abc import Iterable, Iterator

from contracts.message import Reason
from contracts.orders.lifecycle import OrderState
from contracts.sale import Address, LineKind, PartialAddress
from services.chassis.addresses import may_be_mailed
from services.chassis.identifiers.numbers import buyer_vat_flaw
from services.orders.backoffice.language.flaw_texts import explain_flaw
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.listing.documents import OrderResponse
from services.orders.order.attention import ADDRESS_REFUSED

WITHOUT_POSTAL_CODES = frozenset(
    (
        *(
            "AE",
            "AG",
            "AN",
            "AO",
            "AW",
            "BF",
            "BI",
            "BJ",
            "BO",
            "BS",
            "BW",
            "BZ",
            "CD",
            "CF",
            "CG",
            "CI",
            "CK",
        ),
        *(
            "CM",
            "DJ",
            "DM",
            "ER",
            "FJ",
            "GA",
            "GD",
            "GH",
            "GM",
            "GN",
            "GQ",
            "GY",
            "HK",
            "KI",
            "KM",
            "KN",
            "KP",
        ),
        *(
            "LC",
            "LY",
            "ML",
            "MO",
            "MR",
            "MW",
            "NR",
            "NU",
            "PA",
            "QA",
            "RW",
            "SB",
            "SC",
            "SL",
            "SR",
            "ST",
            "SY",
        ),
        *("TD", "TG", "TK", "TL", "TO", "TT", "TV", "UG", "VU", "YE", "ZW"),
    )
)
"""Countries without postal codes (Universal Postal Union)."""
_NOT_PLACED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})
CITY_STATES = frozenset({"GI", "HK", "MC", "MO", "SG", "SM", "VA"})
_ADAPTED = {
    "text_cut": N_("%(field)s: too long, truncated"),
    "value_left_out": N_("%(field)s: invalid, left out"),
    "value_corrected": N_("%(field)s: corrected"),
    "country_unknown": N_("%(field)s: unknown country code; kept as sent"),
    "characters_removed": N_("%(field)s: invisible characters removed"),
}
_FIELDS = {
    "note": N_("Note"),
    "name": N_("Name"),
    "phone": N_("Phone"),
    "company": N_("Company"),
    "vat_number": N_("VAT number"),
    "email": N_("Mail address"),
    "ip_address": N_("IP address"),
    "browser": N_("Browser"),
    "street": N_("Address"),
    "street_2": N_("Address"),
    "postal_code": N_("Postal code"),
    "city": N_("Town"),
    "region": N_("Region"),
    "country": N_("Country"),
    "description": N_("Description"),
    "sku": N_("Article number"),
    "label": N_("Label"),
    "carrier": N_("Carrier"),
    "locale": N_("Language"),
    "resume_url": N_("Link back to the checkout"),
}


def gaps_of(order: OrderResponse) -> list[str]:
    """Return one sentence per gap of a placed order, with its consequence."""
    return list(_gaps(order)) if order.state not in _NOT_PLACED else []


def _gaps(order: OrderResponse) -> Iterator[str]:
    email = order.customer.email
    if not email:
        yield gettext("No mail address: the customer receives no mails.")
    elif not may_be_mailed(email):
        yield gettext("No mail can be sent to %(email)s: correct the address.", email=email)
    elif ADDRESS_REFUSED in order.flags:
        yield gettext("Mails to %(email)s bounce: correct the address, then send them again.", email=email)
    yield from _wrong_vat_number(order)
    goods = [line for line in order.lines if line.kind is LineKind.SHIP and line.quantity > 0]
    missing = ", ".join(_missing(order.shipping_address)) if goods and order.shipping_address else ""
    if missing:
        yield gettext(
            "Missing from the delivery address: %(parts)s. Check it before you ship.", parts=missing
        )
    unnumbered = ", ".join(line.description for line in goods if not line.sku)
    if unnumbered:
        yield gettext("Stock is not tracked without an article number: %(articles)s.", articles=unnumbered)


def _wrong_vat_number(order: OrderResponse) -> Iterator[str]:
    """Yield what is wrong with the customer's VAT number: it never refuses a sale, but exempts nothing either."""
    place = order.shipping_address or order.billing_address
    flaw = buyer_vat_flaw(order.customer.vat_number or "", place.country if place else None)
    if flaw is not None:
        why = explain_flaw(flaw)
        yield gettext(
            "The customer’s VAT number is invalid, so it exempts no invoice from VAT. %(why)s", why=why
        )


def _missing(address: Address | PartialAddress) -> Iterator[str]:
    if not _filled(address.street, address.street_2):
        yield gettext("street")
    if not _filled(address.postal_code) and address.country not in WITHOUT_POSTAL_CODES:
        yield gettext("postal code")
    if not _filled(address.city) and address.country not in CITY_STATES:
        yield gettext("town")


def _filled(*texts: str | None) -> bool:
    return any(text and text.strip() for text in texts)


def adapted_words(reasons: Iterable[Reason]) -> str:
    """Return the text for the changes made to a sale when it was accepted, by field."""
    return " · ".join(_adapted(reason) for reason in reasons)


def _adapted(reason: Reason) -> str:
    text, name = _ADAPTED.get(reason.code), (reason.field or "").rpartition(".")[2]
    if text is None:
        return reason.message
    return gettext(text, field=gettext(_FIELDS[name]) if name in _FIELDS else name)
