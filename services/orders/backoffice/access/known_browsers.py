"""Browsers that signed in to a login before, told by a cookie per login, so that they are counted apart from strangers.

Invariant: others' wrong passwords never keep a known browser out, and a cookie gives nothing but a count of its own.
It is signed with the password's hash: no further secret is to be kept, and a new password makes the cookies of
everybody who knew the old one worthless.
"""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from services.orders.backoffice.access import sessions

KNOWN_FOR = timedelta(days=180)
"""So long after the last time that somebody signed in with it, a browser is known."""


def suffix(login: str) -> str:
    """What a login's cookie is called behind the name of the session's; it does not tell the login."""
    return "-known-" + sessions.digest(login).hex()[:16]


def issued(login: str, password_hash: str, now: datetime) -> str:
    """A cookie for a browser whose person has just shown the right password."""
    return _signed(login, password_hash, secrets.token_urlsafe(16), int(now.timestamp()))


def counted_as(cookie: str, login: str, password_hash: str | None, now: datetime) -> bytes | None:
    """What a known browser's failures are counted under; None when the cookie does not make it known."""
    nonce, _, rest = cookie.partition(".")
    seconds = rest.partition(".")[0]
    if password_hash is None or not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 12):
        return None
    expected = _signed(login, password_hash, nonce, int(seconds))
    if not hmac.compare_digest(expected.encode(), cookie.encode("utf-8", "surrogateescape")):
        return None
    is_over = now - datetime.fromtimestamp(int(seconds), UTC) > KNOWN_FOR
    return None if is_over else sessions.digest(f"known browser {login} {nonce}")


def _signed(login: str, password_hash: str, nonce: str, seconds: int) -> str:
    message = f"known browser {login} {nonce} {seconds}".encode("utf-8", "surrogateescape")
    return f"{nonce}.{seconds}.{hmac.digest(password_hash.encode(), message, 'sha256').hex()}"
