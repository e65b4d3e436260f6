"""Numbers of businesses and of accounts: SIRET, VAT number, IBAN. Each rule returns what is wrong, None if nothing is.

The check digits and the forms by country are those of python-stdnum (INSEE, VIES and the SWIFT registry); no register
is asked, so a number that passes may still be nobody's. Pure.
"""

import re
from typing import Any

from stdnum import get_cc_module, iban, numdb
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as french_siren
from stdnum.fr import siret as french_siret

from services.chassis.identifiers.countries import EU, KNOWN
from services.chassis.identifiers.flaws import Flaw, flaw

_SEPARATORS = re.compile(r"[\s.,:/\-\u2010-\u2015]")
"""What people write between the digits; the rules of the library leave out no more than this."""
_CHARACTERS = re.compile(r"[A-Z]{2}[A-Z0-9+*]*")
_SIREN_DIGITS, _SIRET_DIGITS, _LEAST_VAT, _MOST_VAT = 9, 14, 4, 20
_IN_VAT = {"GR": "EL"}
_COUNTRIES_IN_VAT = {**_IN_VAT, "MC": "FR", "IM": "GB"}
"""Countries whose businesses have VAT numbers with other letters: Monaco is in the VAT territory of France."""
_EUROPEAN = EU | {"MC", "XI"}
_NATIONAL = frozenset({"GB", "CH", "NO"})
"""States outside the EU whose numbers have check digits that merchants meet."""
_OUTSIDE_ISO = frozenset({"EL", "XI", "EU", "IM"})
"""Prefixes of VAT numbers that are not country codes: Greece, Northern Ireland, and the one-stop shop."""
VAT_LENGTHS = {
    "AT": (11,), "BE": (12,), "BG": (11, 12), "CY": (11,), "CZ": (10, 11, 12), "DE": (11,), "DK": (10,), "EE": (11,),
    "EL": (11,), "ES": (11,), "FI": (10,), "FR": (13,), "HR": (13,), "HU": (10,), "IE": (10, 11), "IT": (13,),
    "LT": (11, 14), "LU": (10,), "LV": (13,), "MT": (10,), "NL": (14,), "PL": (12,), "PT": (11,), "SE": (14,),
    "SI": (10,), "SK": (12,),
}  # fmt: skip
"""How many characters VAT numbers of EU states have, with the prefix. Romania's have 4 to 12."""


def compact(number: str) -> str:
    """Return a number without the spaces, points, hyphens and slashes that people write in it, in capitals.

    This is the form that is checked, printed and written to electronic invoices.
    """
    return _SEPARATORS.sub("", number).upper()


def vat_number_form(number: str) -> str:
    """Return a VAT number in its compact form; a Greek one begins with EL, also when it was entered with GR."""
    plain = compact(number)
    return _IN_VAT.get(plain[:2], plain[:2]) + plain[2:]


def siret_flaw(siret: str) -> Flaw | None:
    """Return what is wrong with a SIRET: fourteen digits, by Luhn; of La Poste's offices their sum is checked."""
    digits = compact(siret)
    if not (digits.isascii() and digits.isdecimal()):
        return flaw("siret_characters", siret)
    if len(digits) != _SIRET_DIGITS:
        return flaw("siret_length", siret, count=len(digits))
    return None if french_siret.is_valid(digits) and digits.strip("0") else flaw("siret_check_digit", siret)


def sirene_numbers(number: str) -> tuple[str, str]:
    """Return the SIREN and the SIRET that a number holds; each is empty where it holds none.

    A SIRET is an establishment's: its first nine digits are the SIREN of its business.
    """
    digits = compact(number)
    if _passes(french_siret, digits):
        return digits[:_SIREN_DIGITS], digits
    return (digits if _passes(french_siren, digits) else ""), ""


def vat_flaw(number: str) -> Flaw | None:
    """Return what is wrong with a VAT number, which begins with the letters of its country."""
    plain, prefix = compact(number), compact(number)[:2]
    if prefix not in KNOWN | _OUTSIDE_ISO or not _CHARACTERS.fullmatch(plain):
        return flaw("vat_country_unknown", number)
    expected = VAT_LENGTHS.get(_IN_VAT.get(prefix, prefix))
    if expected and len(plain) not in expected:
        words = "/".join(map(str, expected))
        return flaw("vat_number_length", number, prefix=prefix, expected=words, count=len(plain))
    rule = _vat_rule(prefix)
    if rule is None:
        is_right = _LEAST_VAT <= len(plain) <= _MOST_VAT and any(map(str.isdigit, plain))
    else:
        is_right = _passes(rule, plain if rule is eu_vat else plain.removeprefix(_own_prefix(prefix)))
    return None if is_right else flaw("vat_number_wrong", number)


def eu_vat_number(number: str | None, country: str | None) -> str | None:
    """Return the VAT number of a business in the EU as VIES has it; None when it can't be one.

    A number that was entered without its prefix gets the one of `country`.
    """
    plain = compact(number or "")
    for one in (plain, f"{vat_prefix(country or '')}{plain}"):
        is_written = plain and one[:2] not in ("EU", "IM") and _CHARACTERS.fullmatch(one)
        if is_written and _passes(eu_vat, one):
            return vat_number_form(one)
    return None


def buyer_vat_flaw(number: str, country: str | None) -> Flaw | None:
    """Return what is wrong with the VAT number of a buyer in this country; outside the EU nothing is checked."""
    plain = compact(number)
    is_european = country in _EUROPEAN or plain[:2] in {vat_prefix(one) for one in _EUROPEAN}
    if not plain or not is_european or eu_vat_number(number, country):
        return None
    return vat_flaw(number) or flaw("vat_number_wrong", number)


def vat_prefix(country: str) -> str:
    """Return the letters with which the VAT numbers of a country begin."""
    return _COUNTRIES_IN_VAT.get(country, country)


def vat_number_of(number: str, country: str | None) -> str:
    """Return a VAT number as EN 16931 wants it, with its country first (BR-CO-09); empty when it has none."""
    plain = eu_vat_number(number, country) or vat_number_form(number)
    return plain if plain[:2] in KNOWN | {"EL", "XI"} else ""


def iban_flaw(number: str) -> Flaw | None:
    """Return what is wrong with an IBAN: its country, its length, or its check digits (ISO 13616)."""
    plain = compact(number)
    structure = _bban(plain) if re.fullmatch(r"[A-Z0-9]+", plain) else ""
    if not structure:
        return flaw("iban_country_unknown", number)
    expected = 4 + sum(map(int, re.findall(r"([0-9]+)!", structure)))
    if len(plain) != expected:
        return flaw("iban_length", number, prefix=plain[:2], expected=expected, count=len(plain))
    return None if iban.is_valid(plain) else flaw("iban_wrong", number)


def _bban(plain: str) -> str:
    known = numdb.get("iban").info(plain)
    return str(known[0][1].get("bban", "")) if known else ""


def _vat_rule(prefix: str) -> Any:
    if prefix.lower() in eu_vat.MEMBER_STATES or prefix in _OUTSIDE_ISO:
        return eu_vat
    return get_cc_module(prefix.lower(), "vat") if prefix in _NATIONAL else None


def _own_prefix(prefix: str) -> str:
    """Return the letters that a country's own rule does not want: Switzerland's numbers begin with CHE themselves."""
    return "" if prefix == "CH" else prefix


def _passes(rule: Any, number: str) -> bool:
    """Return whether a rule of the library accepts a number; one that it can't read is none."""
    try:
        return bool(rule.is_valid(number))
    except (ValidationError, ValueError, IndexError, KeyError, ArithmeticError):
        return False
