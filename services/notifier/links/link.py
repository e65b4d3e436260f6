"""The token in the link of a mail, and how long it opens its order.

A token is 16 bytes that nobody can guess: the HMAC of the mail's id and address under a key that is not in
the database. It is derived and not drawn at random because a mail is composed more than once (a retry, a
mail sent again) and must be the same mail byte for byte; drawn at random, it would have to be stored in
readable form, and a copy of the database would open every order. The database has its hash only. The key
follows from `COMPTOIR_INTERNAL_TOKEN`: with a new token, links already sent still open their orders, since
their hashes are stored, and mails composed from then on have other ones.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import UUID

LASTS = timedelta(days=90)
"""How long a link opens its order, from its mail on,"""
LASTS_AFTER_EVENT = timedelta(days=30)
"""or from the order's last mail or message on, whichever ends later."""
PATH = "/c/"
EXAMPLE = "a" * 26
"""Token of the link in a preview: it opens nothing."""
_BYTES = 16
_PURPOSE = b"comptoir: links to customers' pages"


def key_of(internal_token: str) -> bytes:
    """Return the key under which tokens are derived."""
    return hmac.digest(internal_token.encode(), _PURPOSE, "sha256")


def token_of(key: bytes, mail_id: UUID, recipient: str) -> str:
    """Return the token of a mail to this address: 26 lower-case letters and digits (base32)."""
    digest = hmac.digest(key, f"{mail_id}\n{recipient}".encode(), "sha256")[:_BYTES]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def hash_of(token: str) -> bytes | None:
    """Return the hash under which a token is stored, in any case; None for text that is not a token."""
    try:
        plain = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    return hashlib.sha256(plain).digest() if len(plain) == _BYTES else None


def url_of(page_url: str, token: str) -> str:
    """Return the link with this token."""
    return f"{page_url}{PATH}{token}"


def expires_at(made_at: datetime, last_event_at: datetime | None) -> datetime:
    """Return until when a link opens its order."""
    end = made_at + LASTS
    return max(end, last_event_at + LASTS_AFTER_EVENT) if last_event_at else end
