"""What is wrong with the mentions of the business that issues invoices, field by field. Pure.

Invariant: payments accepts and issues by these rules, and the back office shows by them what is wrong beside the
field, so both always agree. An empty field is not wrong here; whether it is missing is for payments to say.
What two fields contradict each other in is a doubt: it is shown, and nothing is refused or held back for it.
A text with a character that no font of the documents has is refused, but where an earlier version stored one nothing is
held back: a substitute is printed, and it is shown as a doubt.
"""

import re
import unicodedata
from collections.abc import Callable

from contracts.money import EXPONENTS
from contracts.payments.invoices import InvoicingSettings
from services.chassis.addresses import LONGEST, is_deliverable
from services.chassis.identifiers.countries import KNOWN
from services.chassis.identifiers.flaws import Flaw, flaw
from services.chassis.identifiers.numbers import compact, iban_flaw, siret_flaw, vat_flaw
from services.chassis.identifiers.postal_codes import is_of_another_country
from services.chassis.identifiers.printable import first_unprintable
from services.chassis.texts import is_blank, is_unwanted

OF_FRANCE = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "BL", "MF", "PM"})
"""Codes of places whose businesses have a SIRET and owe the mentions of French law."""
OUTSIDE_VAT = frozenset({"NC", "PF", "WF", "TF", "PM", "BL", "MF", "GF", "YT"})
"""VAT territories of France where no VAT applies: a business there need not have a VAT number (CGI, art. 294)."""
_TEXTS = (
    *("name", "trade_name", "legal_form", "capital", "street", "street_2", "postal_code", "city", "email"),
    *("phone", "siret", "registration", "vat_number", "exemption_reason", "late_penalty", "early_discount", "iban"),
)  # fmt: skip
_PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]+", re.ASCII)
_FEWEST_DIGITS, _MOST_DIGITS = 3, 15
"""ITU-T E.164; short numbers have four digits in France (3639), three elsewhere."""
_SIREN_DIGITS = 9
_FIVE_DIGITS = re.compile(r"[0-9]{5}")
_NO_DEPARTMENT = ("00", "99")
"""What no French postal code begins with."""
_AMOUNT = re.compile(r"\d[\d\s.,'’]*")
_AS_WORDS = "ALL BAM BOB COP CUP GEL MAD MOP MUR PEN RON SIT SOS TOP TRY"
"""Codes of currencies that are words too: they count in capitals only."""
_FORMER = "ATS BEF BGN CYP DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MTL NLG PTE SIT SKK"
"""Codes of currencies that the euro has replaced: an old statute may state its capital in one."""
_CODES = {*EXPONENTS, *_FORMER.split()}
_SMALL = "|".join(["euros?", "francs?", r"f\.?\s?cfp", *sorted(_CODES.difference(_AS_WORDS.split()))])
_CURRENCIES = re.compile(rf"(?<![^\W\d_])(?:(?i:{_SMALL})|{_AS_WORDS.replace(' ', '|')})(?![^\W\d_])")
_BEFORE_CAPITAL = re.compile(
    r".*?\bcapital\b(?:\s+social)?(?:\s+(?:de|of)\b)?\s*:?\s*(?=.*\d)", re.IGNORECASE | re.DOTALL
)
_AFTER_CAPITAL = re.compile(r"\s+(?:(?:de|en|of|as|share)\s+)*capital(?:\s+social)?\W*$", re.IGNORECASE)


def flaws_of(settings: InvoicingSettings) -> dict[str, Flaw]:
    """Return what is wrong with each field that is filled in."""
    found = {name: one for name in _TEXTS if (one := _unprintable(getattr(settings, name), ""))}
    if (one := _unprintable(settings.footer, "\n\r\t")) is not None:
        found["footer"] = one
    if settings.country not in KNOWN:
        found["country"] = flaw("country_unassigned", settings.country)
    for name, rule in _RULES.items():
        value = getattr(settings, name).strip()
        if name not in found and not is_blank(value) and (one := rule(value)) is not None:
            found[name] = one
    if settings.country in OF_FRANCE and "postal_code" not in found and not is_blank(settings.postal_code):
        code = "".join(settings.postal_code.split())
        if not _FIVE_DIGITS.fullmatch(code):
            found["postal_code"] = flaw("postal_code_wrong", settings.postal_code)
        elif code[:2] in _NO_DEPARTMENT:
            found["postal_code"] = flaw("postal_code_nowhere", settings.postal_code, number=code[:2])
    return found


def refusals_of(settings: InvoicingSettings) -> dict[str, Flaw]:
    """Return why settings are not stored, by field: what is wrong, and what documents can't print."""
    return {**_not_in_fonts(settings), **flaws_of(settings)}


def doubts_of(settings: InvoicingSettings) -> dict[str, Flaw]:
    """Return what to look at again of fields that are not wrong by themselves: two of them contradict each other.

    A French VAT number ends with a SIREN, which is that of the SIRET unless a VAT group has the number (CGI, art.
    256 C).
    """
    wrong = flaws_of(settings)
    found = {name: one for name, one in _not_in_fonts(settings).items() if name not in wrong}
    number, siret = compact(settings.vat_number), compact(settings.siret)
    is_comparable = number.startswith("FR") and siret and wrong.keys().isdisjoint(("vat_number", "siret"))
    if is_comparable and number[-_SIREN_DIGITS:] != siret[:_SIREN_DIGITS]:
        siren, other = number[-_SIREN_DIGITS:], siret[:_SIREN_DIGITS]
        found["vat_number"] = flaw("siren_differs", settings.vat_number, siren=siren, other=other)
    code, country = settings.postal_code, settings.country
    is_placed = not is_blank(code) and wrong.keys().isdisjoint(("postal_code", "country"))
    if is_placed and is_of_another_country(code, country):
        found["postal_code"] = flaw("postal_code_elsewhere", code, country=country)
    return found


def stated_capital(capital: str) -> str:
    """Return a share capital without the words that documents print before it, such as “au capital de”."""
    return _AFTER_CAPITAL.sub("", _BEFORE_CAPITAL.sub("", capital.strip(), count=1))


def _not_in_fonts(settings: InvoicingSettings) -> dict[str, Flaw]:
    """Return the fields with a character that no font of the documents can show."""
    texts = {name: getattr(settings, name) for name in (*_TEXTS, "footer")}
    return {
        name: flaw("text_not_in_fonts", cluster)
        for name, text in texts.items()
        if (cluster := first_unprintable(text)) is not None
    }


def _unprintable(text: str, allowed: str) -> Flaw | None:
    for sign in text:
        if is_unwanted(sign) and sign not in allowed:
            return flaw("text_invisible", f"U+{ord(sign):04X}")
    return None


def _email_flaw(address: str) -> Flaw | None:
    is_right = len(address) <= LONGEST and is_deliverable(address)
    return None if is_right else flaw("email_unusable", address)


def _phone_flaw(phone: str) -> Flaw | None:
    digits = sum(map(str.isdigit, phone))
    is_right = _PHONE.fullmatch(phone) and _FEWEST_DIGITS <= digits <= _MOST_DIGITS
    return None if is_right else flaw("phone_wrong", phone)


def _capital_flaw(capital: str) -> Flaw | None:
    """Return what is wrong with a capital as it is printed: it names an amount above zero and a currency."""
    amounts = [one for one in _AMOUNT.findall(capital) if re.search("[1-9]", one)]
    is_money = any(unicodedata.category(sign) == "Sc" for sign in capital) or _CURRENCIES.search(capital)
    is_negative = re.search(r"[-\u2212]\s*\d", capital)
    return None if amounts and is_money and not is_negative else flaw("capital_wrong", capital)


_RULES: dict[str, Callable[[str], Flaw | None]] = {
    "email": _email_flaw,
    "phone": _phone_flaw,
    "siret": siret_flaw,
    "vat_number": vat_flaw,
    "iban": iban_flaw,
    "capital": _capital_flaw,
}
