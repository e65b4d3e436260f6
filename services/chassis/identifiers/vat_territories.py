"""The territory whose VAT law applies to goods at an address, and what a sale from one to another is. Pure.

Sources: directive 2006/112/EC, articles 5 to 7; the protocol on Ireland and Northern Ireland; art. 294 of the French
CGI: goods from mainland France to Guadeloupe, Martinique or Réunion are an export, and those from there to it.
"""

import re
import unicodedata

from services.chassis.identifiers.countries import EU

ANTILLES, REUNION = "GP", "RE"
"""French VAT territories outside that of the EU; Guadeloupe and Martinique are one."""
NORTHERN_IRELAND = "XI"
"""In the EU's VAT territory for goods only."""
_UNITED_KINGDOM = {NORTHERN_IRELAND, "GB"}
OF_EU_GOODS = EU | {NORTHERN_IRELAND}
_EXPORTING = OF_EU_GOODS | {ANTILLES, REUNION}
_WITHIN = {"MC": "FR", "IM": "GB", "MQ": ANTILLES}
"""Places with a code of their own that are in the VAT territory of another: Monaco, the Isle of Man, Martinique."""
_BY_POSTAL_CODE = {
    "DE": {"78266": "DE-BUESINGEN", "27498": "DE-HELGOLAND"},
    "DK": {"39": "GL"},
    "ES": {"35": "IC", "38": "IC", "51": "ES-CE", "52": "ES-ML"},
    "FI": {"22": "AX"},
    "FR": {
        "97133": "BL", "97150": "MF", "971": ANTILLES, "972": ANTILLES, "973": "GF", "974": REUNION, "975": "PM",
        "976": "YT", "977": "BL", "978": "MF", "984": "TF", "986": "WF", "987": "PF", "988": "NC",
    },
    "GB": {"BT": NORTHERN_IRELAND, "JE": "JE", "GY": "GG"},
    "GR": {"63086": "GR-69", "63087": "GR-69"},
    "IT": {"23041": "IT-LIVIGNO", "22061": "IT-CAMPIONE", "4789": "SM", "00120": "VA"},
}  # fmt: skip
"""First characters of postal codes, the longest first, of places outside the VAT territory of the country with whose
code they may be addressed: Büsingen, Helgoland, Greenland, the Canaries, Ceuta, Melilla, Åland, overseas France,
Northern Ireland, the Channel Islands, Mount Athos, Livigno, Campione d’Italia, San Marino and the Vatican.
"""
_DIGITS = {"DE": 5, "DK": 4, "ES": 5, "FI": 5, "FR": 5, "GR": 5, "IT": 5}
"""Length of a country's postal codes: a shorter one, which lost its leading zero, begins like another place's."""


def vat_territory(country: str, postal_code: str | None) -> str:
    """Return the code of the VAT territory of an address: a country's by ISO 3166, or one of a special territory."""
    country = _WITHIN.get(country, country)
    unwanted = "[^A-Z0-9]" if country == "GB" else "[^0-9]"
    code = re.sub(unwanted, "", unicodedata.normalize("NFKC", postal_code or "").upper())
    if len(code) != _DIGITS.get(country, len(code)):
        return country
    special = _BY_POSTAL_CODE.get(country, {})
    return next((place for start, place in special.items() if code.startswith(start)), country)


def is_export(origin: str, destination: str) -> bool:
    """Return whether goods leave a VAT territory of the EU or of overseas France for one where VAT is due on import.
    From Northern Ireland to Great Britain they stay in the United Kingdom: a supply at home."""
    if {origin, destination} == _UNITED_KINGDOM:
        return False
    return origin in _EXPORTING and origin != destination and not is_within_eu(origin, destination)


def is_within_eu(origin: str, destination: str) -> bool:
    """Return whether goods go from one VAT territory of the EU to another."""
    return origin != destination and {origin, destination} <= OF_EU_GOODS
