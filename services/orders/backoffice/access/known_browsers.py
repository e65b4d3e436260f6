"""Known browsers: those that signed in to a login before, marked by a cookie; their failures are counted separately.

Invariant: wrong passwords from elsewhere never lock a known browser out, and the cookie grants nothing but a
separate count. It is signed with the password's hash: no further secret has to be stored, and a new password
invalidates the cookies of everybody who had the old one.
"""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from services.orders.backoffice.access import sessions

KNOWN_FOR = timedelta(days=180)
"""How long a browser stays known after the last sign-in with it."""


def suffix(login: str) -> str:
    """Return the suffix of a login's cookie name, after the session cookie's name; it does not reveal the
    login.
    """
    return "-known-" + sessions.digest(login).hex()[:16]


def issued(login: str, password_hash: str, now: datetime) -> str:
    """Return a cookie for a browser whose user has just entered the right password."""
    return _signed(login, password_hash, secrets.token_urlsafe(16), int(now.timestamp()))


def counted_as(cookie: str, login: str, password_hash: str | None, now: datetime) -> bytes | None:
    """Return the key under which a known browser's failures are counted; None when the cookie is not valid."""
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
