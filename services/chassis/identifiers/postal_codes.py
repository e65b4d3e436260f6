"""Forms of postal codes by country, to find one that belongs to another country. Pure.

Only what a country's codes can never look like counts: no register is asked, and a country without an entry has none
that are checked. Source: the Universal Postal Union's addressing sheets.
"""

import re
import unicodedata

_BRITISH = r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}"
_DIGITS = {
    "AT": 4, "AU": 4, "BE": 4, "BG": 4, "CH": 4, "CY": 4, "CZ": 5, "DE": 5, "DK": 4, "EE": 5, "ES": 5, "FI": 5, "GR": 5,
    "HR": 5, "HU": 4, "IS": 3, "IT": 5, "LI": 4, "LT": 5, "LU": 4, "LV": 4, "NO": 4, "PL": 5, "RO": 6, "SE": 5, "SI": 4,
    "SK": 5,
}  # fmt: skip
"""How many digits the codes of a country have, where they have nothing else."""
_FORMS = {
    **{country: f"[0-9]{{{count}}}" for country, count in _DIGITS.items()},
    "CA": r"[A-Z][0-9][A-Z][0-9][A-Z][0-9]",
    "FR": r"(?!980)[0-9]{5}",
    "GB": rf"{_BRITISH}|GIR0AA",
    "GF": r"973[0-9]{2}",
    "GG": _BRITISH,
    "GP": r"971[0-9]{2}",
    "IE": r"[A-Z][0-9][0-9W]([A-Z0-9]{4})?",
    "IM": _BRITISH,
    "JE": _BRITISH,
    "MC": r"980[0-9]{2}",
    "MF": r"97(150|8[0-9]{2})",
    "BL": r"97(133|7[0-9]{2})",
    "MQ": r"972[0-9]{2}",
    "MT": r"[A-Z]{3}[0-9]{2,4}",
    "NC": r"988[0-9]{2}",
    "NL": r"[0-9]{4}([A-Z]{2})?",
    "PF": r"987[0-9]{2}",
    "PM": r"975[0-9]{2}",
    "PT": r"[0-9]{4}([0-9]{3})?",
    "RE": r"974[0-9]{2}",
    "SM": r"4789[0-9]",
    "US": r"[0-9]{5}([0-9]{4})?",
    "WF": r"986[0-9]{2}",
    "XI": _BRITISH,
    "YT": r"976[0-9]{2}",
}
_LETTERS = re.compile(r"\A[A-Z]{1,3}[\s\-\u2010-\u2015]+")
"""Letters of a country that people write before its code, as in D-10115 and L-1855."""


def is_of_another_country(postal_code: str, country: str) -> bool:
    """Return whether a postal code can't be one of this country."""
    form = _FORMS.get(country)
    written = unicodedata.normalize("NFKC", postal_code).strip().upper()
    readings = (written, _LETTERS.sub("", written, count=1), written.removeprefix(country))
    return form is not None and not any(re.fullmatch(form, _compact(one)) for one in readings)


def _compact(text: str) -> str:
    return re.sub(r"[\s.\-\u2010-\u2015]", "", text)
