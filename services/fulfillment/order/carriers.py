"""Public tracking pages of carriers: the link for a number, when dispatch gives only the number.

The patterns are the addresses the carriers' own sites show for a tracked item. An unknown carrier has no
link; a wrong one would send the customer to someone else's parcel.
"""

import re
import unicodedata
from urllib.parse import quote

_LA_POSTE = "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"
_CHRONOPOST = "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}"
_MONDIAL_RELAY = "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition={number}"
_MONDIAL_RELAY_POSTCODE = _MONDIAL_RELAY + "&codePostal={postcode}"
_DPD = "https://trace.dpd.fr/fr/trace/{number}"
_UPS = "https://www.ups.com/track?loc=fr_FR&tracknum={number}"
_DHL = "https://www.dhl.com/fr-fr/home/tracking.html?tracking-id={number}"
_GLS = "https://gls-group.com/FR/fr/suivi-colis/?match={number}"
_FEDEX = "https://www.fedex.com/fedextrack/?trknbr={number}"

PAGES = {
    "colissimo": _LA_POSTE,
    "la poste": _LA_POSTE,
    "laposte": _LA_POSTE,
    "lettre suivie": _LA_POSTE,
    "chronopost": _CHRONOPOST,
    "mondial relay": _MONDIAL_RELAY,
    "mondialrelay": _MONDIAL_RELAY,
    "dpd": _DPD,
    "ups": _UPS,
    "dhl": _DHL,
    "gls": _GLS,
    "fedex": _FEDEX,
}
"""Tracking page by the carrier's name in plain lower-case words."""
PAGES_BY_POSTCODE = {_MONDIAL_RELAY: _MONDIAL_RELAY_POSTCODE}
"""Pages that show a parcel immediately when the URL also has its destination's postal code, and prompt for it
otherwise.
"""


def tracking_url(carrier: str, number: str, postal_code: str | None = None) -> str | None:
    """Return the carrier's public page for this number (and the destination's postal code, where the page
    uses it), or None for an unknown carrier.

    The name is matched by whole words ("La Poste – Lettre suivie", "DHL Express"), ignoring case and
    accents.
    """
    words = f" {_plain(carrier)} "
    compact = re.sub(r"\s+", "", number)
    for name, page in PAGES.items():
        if f" {name} " in words and compact:
            code = re.sub(r"\s+", "", postal_code or "")
            page = PAGES_BY_POSTCODE.get(page, page) if code else page
            return page.format(number=quote(compact, safe=""), postcode=quote(code, safe=""))
    return None


def _plain(name: str) -> str:
    """Return lower-case ASCII words: `Chronopost® – Relais` becomes `chronopost relais`."""
    ascii_name = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", ascii_name))
