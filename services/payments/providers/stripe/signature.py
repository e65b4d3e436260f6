"""Stripe's signature over a webhook: HMAC-SHA256 of the timestamp, a dot and the raw body, by the endpoint's
secret.

Source: Stripe's webhook documentation, "verify manually". Every v1 is tried with every secret, since both are
plural while a secret is being rolled. Timestamps that are too old and timestamps from the future are both
rejected, or a signature made for next year could be replayed until then. Only the scheme v1 counts: a weaker
one next to it is ignored.
"""

import hashlib
import hmac
from collections.abc import Sequence

from services.payments.providers.port import SignatureRefused

TOLERANCE_SECONDS = 300
MAX_HEADER_CHARACTERS = 4096
MAX_CANDIDATES = 16
_MAX_STAMP_DIGITS = 12


def verify(header: str, body: bytes, secrets: Sequence[str], now_seconds: float) -> int:
    """Return the index of the secret that signed the body. Raises SignatureRefused, and ValueError for a
    blank secret.
    """
    if not secrets or any(not secret.strip() for secret in secrets):
        raise ValueError("an endpoint's secret is blank: anybody could sign with it; set its whsec_ secret")
    stamp, candidates = _read(header)
    if abs(now_seconds - int(stamp)) > TOLERANCE_SECONDS:
        raise SignatureRefused("stamp_outside_tolerance")
    matching = [
        index
        for index, secret in enumerate(secrets)
        for candidate in candidates
        if hmac.compare_digest(_digest(secret, stamp, body), candidate)
    ]
    if not matching:
        raise SignatureRefused("signature_wrong")
    return matching[0]


def _digest(secret: str, stamp: str, body: bytes) -> bytes:
    signed = stamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()


def _read(header: str) -> tuple[str, list[bytes]]:
    """Return the timestamp as written and every v1."""
    if len(header) > MAX_HEADER_CHARACTERS:
        raise SignatureRefused("header_malformed")
    stamps: list[str] = []
    candidates: list[bytes] = []
    for pair in header.split(","):
        scheme, _, value = pair.partition("=")
        if scheme == "t":
            stamps.append(value)
        elif scheme == "v1":
            candidates.append(value.encode("utf-8", "surrogatepass"))
    if len(stamps) != 1 or not 1 <= len(candidates) <= MAX_CANDIDATES:
        raise SignatureRefused("header_malformed")
    if not (stamps[0].isascii() and stamps[0].isdigit() and len(stamps[0]) <= _MAX_STAMP_DIGITS):
        raise SignatureRefused("header_malformed")
    return stamps[0], candidates
