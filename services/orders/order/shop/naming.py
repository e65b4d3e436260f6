"""Names of tags and labels: validation and equality.

Pure. Two names are the same when they differ in case, accents or spaces only: "Déjà  vu" and "deja vu". If
they were distinct, a filter by one would silently miss the orders of the other.
"""

import re
import unicodedata

from services.orders.order.refusal import Refusal

LONGEST_NAME = 40
_BREAKS = re.compile(r"\s+")
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


class NameUnusable(Refusal):
    """Error: a name is empty, invisible or too long."""

    code = "name_unusable"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the name {name[:80]!r} can't be used; write 1 to {LONGEST_NAME} characters that can be seen"
        )


def cleaned(name: str) -> str:
    """Return the name on one line, without invisible characters. Raises NameUnusable."""
    clean = _BREAKS.sub(" ", _UNSAFE.sub("", _BREAKS.sub(" ", name))).strip()
    if not folded(clean) or len(clean) > LONGEST_NAME:
        raise NameUnusable(name)
    return clean


def folded(name: str) -> str:
    """Return the name without case, accents and invisible characters; equal for names that count as the same."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    kept = (sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf"))
    return _BREAKS.sub(" ", "".join(kept)).strip()
