"""Short code by which people name an order: K7F3-QD9M. Pure.

40 bits of a hash of the order's id in Crockford's base 32, which has no I, L, O or U, so that no character is
misread or misheard. Codes of consecutive ids do not reveal the number of orders. At a million orders one in a
million new codes is taken already; the next salt gives another.
"""

import re
from hashlib import blake2b
from uuid import UUID

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = re.compile(f"[{ALPHABET}]{{8}}")
_MISREAD = str.maketrans("ILO", "110")
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]


def code_of(order_id: UUID, salt: int = 0) -> str:
    """Return the order's code; `salt` counts the codes tried before because another order of the shop has
    them.
    """
    digest = blake2b(
        order_id.bytes, digest_size=5, salt=salt.to_bytes(4, "big"), person=b"order code"
    ).digest()
    bits = int.from_bytes(digest, "big")
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}-{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def read_code(text: str) -> str | None:
    """Return the code in a text, with or without dash and in any case; None if the text is not a code."""
    plain = re.sub(r"[\s-]", "", text).upper().translate(_MISREAD)
    return f"{plain[:4]}-{plain[4:]}" if _CODE.fullmatch(plain) else None
