"""The mentions that an invoice must bear by law: which of them a shop has not filled in, and which are wrong. Pure.

Sources: French Code de commerce, art. L441-9 and D441-5 (late penalty, 40 €), R123-237 (form, capital,
registration); CGI annexe II, art. 242 nonies A (identity, VAT number, SIREN of both, delivery address, nature of
the operation, option for debits, reference of an exemption). Directive 2006/112/EC, art. 226(11): an exemption is
named by the article of the directive, or by that of the seller's own law.
"""

from collections.abc import Mapping

from contracts.message import Reason
from contracts.payments.invoices import InvoicingSettings, VatRegime
from services.chassis.identifiers.countries import EU
from services.chassis.identifiers.flaws import Flaw
from services.chassis.identifiers.numbers import compact, vat_number_form
from services.chassis.identifiers.seller import (
    OF_FRANCE,
    OUTSIDE_VAT,
    doubts_of,
    flaws_of,
    refusals_of,
    stated_capital,
)
from services.chassis.identifiers.vat_territories import vat_territory
from services.chassis.texts import is_blank, trimmed
from services.payments.invoices.document import EXEMPT
from services.payments.invoices.texts import text

COMPANIES = frozenset(
    ("SARL", "EURL", "SAS", "SASU", "SA", "SCA", "SNC", "SCS", "SCOP", "SELARL", "SELAS", "SCI", "SC")
)
"""Legal forms that must show their share capital."""
_ALWAYS = ("name", "street", "postal_code", "city")
_IN_FRANCE = ("legal_form", "siret", "registration", "late_penalty", "early_discount")
RECOMMENDED = ("email", "exemption_reason", "logo", "iban")
"""Mentions that are not compulsory for every shop, but often wanted."""
_FRENCH_VAT = OF_FRANCE | {"MC"}
"""Codes of places whose sellers charge VAT by French law: Monaco has it too (convention of 18 May 1963)."""

_NUMBERS = {"siret": compact, "vat_number": vat_number_form, "iban": compact}


def printed(settings: InvoicingSettings) -> InvoicingSettings:
    """Return the settings as documents show them: numbers in the form that was checked, an invisible text as none."""
    texts = {name: trimmed(value) for name, value in settings if type(value) is str and name != "logo"}
    numbers = {name: form(texts[name]) for name, form in _NUMBERS.items()}
    return settings.model_copy(update={**texts, **numbers, "capital": stated_capital(texts["capital"])})


def needed(settings: InvoicingSettings) -> tuple[str, ...]:
    """Return the fields that must be filled in before anything is issued."""
    names, territory = [*_ALWAYS], vat_territory(settings.country, settings.postal_code)
    if settings.country in OF_FRANCE:
        names += _IN_FRANCE
    if trimmed(settings.legal_form).upper() in COMPANIES:
        names.append("capital")
    if settings.vat_regime is VatRegime.NORMAL and territory not in OUTSIDE_VAT:
        names.append("vat_number")
    return tuple(names)


def missing(settings: InvoicingSettings) -> list[str]:
    """Return those of them of which nothing can be seen."""
    return [name for name in needed(settings) if is_blank(str(getattr(settings, name)))]


def may_issue(settings: InvoicingSettings) -> bool:
    """Return whether documents are issued by these settings: invoicing is on, and no mention is missing or wrong."""
    return settings.is_on and not missing(settings) and not flaws_of(settings)


def is_under_french_vat(country: str) -> bool:
    """Return whether a seller in this country names the articles of French law."""
    return country in _FRENCH_VAT


def exemption(category: str, country: str, locale: str) -> str:
    """Return why a supply of this VAT category bears none, by the law of the seller's country.

    Goods leave Northern Ireland by the rules of the EU; a small business there, as elsewhere outside the EU, is exempt
    by a law that is not known here.
    """
    if is_under_french_vat(country):
        return text(f"exempt_{category}", locale)
    is_national = category == EXEMPT and country not in EU
    return text(f"exempt_{category}_{'elsewhere' if is_national else 'eu'}", locale)


def invalid(settings: InvoicingSettings) -> list[Reason]:
    """Return what is wrong with the fields that are filled in, needed or not, each as a reason that names its field."""
    return _reasons(flaws_of(settings))


def refused(settings: InvoicingSettings) -> list[Reason]:
    """Return why settings are not stored, each as a reason that names its field: also what can't be printed."""
    return _reasons(refusals_of(settings))


def doubtful(settings: InvoicingSettings) -> list[Reason]:
    """Return what to look at again, each as a reason that names its field; nothing is held back for it."""
    return _reasons(doubts_of(settings))


def _reasons(flaws: Mapping[str, Flaw]) -> list[Reason]:
    return [
        Reason(code=one.code, message=one.sentence, field=f"settings.{name}") for name, one in flaws.items()
    ]
