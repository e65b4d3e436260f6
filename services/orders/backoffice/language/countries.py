"""Country codes from what people type: a code, or a country's name in English or French. Pure.

Nothing is guessed: a text that is neither is returned as it was typed, for the caller to refuse.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from babel import Locale

from services.chassis.identifiers.countries import KNOWN, RENAMED

_LANGUAGES = ("en", "en_GB", "fr")
_ALSO = {
    "america": "US",
    "angleterre": "GB",
    "england": "GB",
    "etats unis d amerique": "US",
    "grande bretagne": "GB",
    "great britain": "GB",
    "holland": "NL",
    "hollande": "NL",
    "hong kong": "HK",
    "ile maurice": "MU",
    "irlande du nord": "GB",
    "macao": "MO",
    "macau": "MO",
    "northern ireland": "GB",
    "republique tcheque": "CZ",
    "czech republic": "CZ",
    "scotland": "GB",
    "ecosse": "GB",
    "turkey": "TR",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "vatican": "VA",
    "wales": "GB",
    "pays de galles": "GB",
}
"""Names in use that CLDR does not have."""
_ARTICLES = ("the ", "les ", "le ", "la ", "l ")


def country_code(typed: str) -> str:
    """Return the ISO 3166-1 code of a country; two letters in capitals, and any other text that is no country's name
    unchanged.
    """
    typed = typed.strip()
    if re.fullmatch(r"[A-Za-z]{2}", typed):
        return RENAMED.get(typed.upper(), typed.upper())
    return _codes().get(_plain(typed), typed)


@cache
def _codes() -> Mapping[str, str]:
    found = dict(_ALSO)
    for language in _LANGUAGES:
        names = Locale.parse(language).territories
        found |= {_plain(str(names[code])): code for code in sorted(KNOWN) if code in names}
    return found


def _plain(name: str) -> str:
    """Return a name without accents, signs, capitals and its article."""
    letters = unicodedata.normalize(
        "NFKD", name.casefold().replace(".", "").replace("œ", "oe").replace("ı", "i")
    )
    kept = "".join(sign if sign.isalnum() else " " for sign in letters if not unicodedata.combining(sign))
    plain = " ".join(kept.split())
    article = next((one for one in _ARTICLES if plain.startswith(one)), "")
    return plain.removeprefix(article).replace("saint ", "st ").replace(" and ", " ").replace(" et ", " ")
