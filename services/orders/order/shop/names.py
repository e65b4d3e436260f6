"""Names of tags and labels: validation and equality.

Pure. Two names are the same when they differ in case, accents or spaces only: "Déjà  vu" and "deja vu". If
they were distinct, a filter by one would silently miss the orders of the other.
"""

import re
import unicodedata

from services.chassis.texts import is_blank, is_unwanted
from services.orders.order.refusal import Refusal

LONGEST_NAME = 40
_BREAKS = re.compile(r"\s+")


class NameUnusable(Refusal):
    """Error: a name is empty, invisible or too long."""

    code = "name_unusable"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the name {name[:80]!r} can't be used; write 1 to {LONGEST_NAME} characters that can be seen"
        )


def cleaned(name: str) -> str:
    """Return the name on one line, without invisible characters. Raises NameUnusable."""
    seen = "".join(sign for sign in _BREAKS.sub(" ", name) if not is_unwanted(sign))
    clean = _BREAKS.sub(" ", seen).strip()
    if is_blank(clean) or not folded(clean) or len(clean) > LONGEST_NAME:
        raise NameUnusable(name)
    return clean


def folded(name: str) -> str:
    """Return the name without case, accents and invisible characters; equal for names that count as the same."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    kept = (sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf"))
    return _BREAKS.sub(" ", "".join(kept)).strip()
