"""PayPal's signature over a webhook: RSA over id, time, our webhook id and the body's CRC-32. Pure.

Source: PayPal's webhook documentation, "self verification". The message is id, time, webhook id and the
checksum as an unsigned decimal number, joined by vertical bars. A checksum binds no content: anyone who has one
genuine delivery can pad any body to its checksum, so a verified body only names an object. The webhook id
comes from the settings, never from the request, or anyone's webhook would verify.
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from services.payments.providers.port import SignatureRefused

ALGORITHM = "SHA256withRSA"
VERSION = "v2"
HEADERS = (
    "paypal-transmission-id",
    "paypal-transmission-time",
    "paypal-transmission-sig",
    "paypal-cert-url",
    "paypal-auth-algo",
    "paypal-auth-version",
)
CERTIFICATES_PATH = "/v1/notifications/certs/"
_ID = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)
_TIME = re.compile(r"[0-9T:.+Z-]{10,40}", re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{40,1400}={0,2}", re.ASCII)
_CERTIFICATE = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
MAX_URL_CHARACTERS = 512


@dataclass(frozen=True, slots=True)
class Transmission:
    """The signature headers of one delivery."""

    id: str
    time: str
    signature: str
    certificate_url: str

    @property
    def name(self) -> str:
        """Return the name of these headers: the same one again with another body is a forgery.

        The signature is part of it, so a delivery that PayPal signs again under its id has a name of its own.
        """
        return f"{self.id}:{hashlib.sha256(self.signature.encode()).hexdigest()}"

    def message(self, webhook_id: str, body: bytes) -> bytes:
        """Return the signed message."""
        return f"{self.id}|{self.time}|{webhook_id}|{zlib.crc32(body)}".encode()

    def verify(self, key: rsa.RSAPublicKey, webhook_id: str, body: bytes) -> None:
        """Verify the signature by the key of PayPal's certificate. Raises SignatureRefused."""
        try:
            signature = base64.b64decode(self.signature, validate=True)
            key.verify(signature, self.message(webhook_id, body), padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, InvalidSignature):
            raise SignatureRefused("signature_wrong") from None


def read_headers(headers: Mapping[str, Sequence[str]], hosts: frozenset[str]) -> Transmission:
    """Return the signature headers; `hosts` are those that certificates may come from. Raises
    SignatureRefused.
    """
    if any(len(headers.get(name, ())) != 1 for name in HEADERS):
        raise SignatureRefused("header_malformed")
    sent_id, time, signature, url, algorithm, version = (headers[name][0] for name in HEADERS)
    if not (_ID.fullmatch(sent_id) and _TIME.fullmatch(time) and _SIGNATURE.fullmatch(signature)):
        raise SignatureRefused("header_malformed")
    if algorithm != ALGORITHM or version != VERSION:
        raise SignatureRefused("algorithm_unknown")
    _check_url(url, hosts)
    return Transmission(sent_id, time, signature, url)


def _check_url(url: str, hosts: frozenset[str]) -> None:
    """Require https, a host of the exact set and PayPal's path of certificates. Raises SignatureRefused.

    The address must be in the only form it is ever fetched in: what a parser could read in two ways (a user
    part, a query, escapes, upper-case hosts) is refused.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SignatureRefused("certificate_address_wrong") from None
    name = parts.path.removeprefix(CERTIFICATES_PATH)
    rebuilt = f"https://{parts.netloc}{CERTIFICATES_PATH}{name}"
    if (
        len(url) > MAX_URL_CHARACTERS
        or url != rebuilt
        or parts.netloc not in hosts
        or not _CERTIFICATE.fullmatch(name)
    ):
        raise SignatureRefused("certificate_address_wrong")
