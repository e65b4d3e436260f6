"""Labels of the legal details of a shop, by field, and the sentences that name those which keep invoices back."""

from collections.abc import Sequence

from contracts.message import Reason
from services.orders.backoffice.language.translating import N_, gettext

LABELS = {
    "name": N_("Name of the business"),
    "trade_name": N_("Trade name"),
    "legal_form": N_("Legal form"),
    "capital": N_("Share capital"),
    "street": N_("Street"),
    "street_2": N_("Address, second line"),
    "postal_code": N_("Postal code"),
    "city": N_("Town"),
    "country": N_("Country"),
    "email": N_("Mail address"),
    "phone": N_("Phone"),
    "siret": N_("SIRET"),
    "registration": N_("Registration (RCS or RNE, and town)"),
    "vat_number": N_("VAT number"),
    "exemption_reason": N_("Why sales at 0 % bear no VAT"),
    "late_penalty": N_("Late payment penalty"),
    "early_discount": N_("Early payment discount"),
    "iban": N_("IBAN"),
    "footer": N_("Footer text"),
}
_REFUSED = {
    "mentions_missing": N_(
        "Legal details are missing: %(mentions)s. Fill them in under “Legal details” in the settings."
    ),
    "mentions_invalid": N_(
        "Legal details are incorrect: %(mentions)s. Correct them under “Legal details” in the settings."
    ),
}


def mentions() -> dict[str, str]:
    """Return the labels of the mentions, compulsory or not, by field."""
    return {name: gettext(label) for name, label in LABELS.items()}


def listed(names: Sequence[str]) -> str:
    """Return the labels of these fields in one line."""
    return ", ".join(gettext(LABELS[name]) if name in LABELS else name for name in names)


def explain_mentions(reason: Reason) -> str:
    """Return which mentions keep an invoice back; empty when the reason is another one, or names none.

    Payments names the fields between the first colon and the next semicolon.
    """
    text = _REFUSED.get(reason.code)
    names = reason.message.partition(": ")[2].partition(";")[0].split(", ")
    if text is None or not set(names) <= LABELS.keys():
        return ""
    return gettext(text, mentions=listed(names))
