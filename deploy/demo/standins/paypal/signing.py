"""PayPal's signature over a webhook: RSA over id, time, webhook id and the body's CRC-32, joined by vertical bars.

Source: PayPal's webhook documentation ("verify offline"). The signature binds a checksum and not the body, so a body
that is padded to the same checksum carries it as well: `padded_to` makes one, as a fraud would.
"""

import base64
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ALGORITHM = "SHA256withRSA"
VERSION = "v2"
_CRC_TABLE_POLYNOMIAL = 0xEDB88320


@dataclass(frozen=True)
class Transmission:
    """What the signature is over, beside the body."""

    id: str
    time: str
    webhook_id: str

    def message(self, body: bytes) -> bytes:
        """Return the signed message."""
        return f"{self.id}|{self.time}|{self.webhook_id}|{zlib.crc32(body)}".encode()


def new_transmission(webhook_id: str, timestamp: datetime) -> Transmission:
    """Return a transmission with an id of its own."""
    return Transmission(str(uuid4()), timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), webhook_id)


def headers_of(
    transmission: Transmission, body: bytes, key: rsa.RSAPrivateKey, certificate_url: str
) -> dict[str, str]:
    """Return the headers of a signed delivery."""
    signature = key.sign(transmission.message(body), padding.PKCS1v15(), hashes.SHA256())
    return {
        "Content-Type": "application/json",
        "PAYPAL-TRANSMISSION-ID": transmission.id,
        "PAYPAL-TRANSMISSION-TIME": transmission.time,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
        "PAYPAL-CERT-URL": certificate_url,
        "PAYPAL-AUTH-ALGO": ALGORITHM,
        "PAYPAL-AUTH-VERSION": VERSION,
    }


def is_signed(transmission: Transmission, body: bytes, signature: str, certificate: x509.Certificate) -> bool:
    """Return whether the certificate's key signed the body's checksum in this transmission."""
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, transmission.message(body), padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def padded_to(crc: int, start: bytes, end: bytes) -> bytes:
    """Return `start`, four bytes and `end`, with the checksum `crc`.

    CRC-32 is linear: the register is run backwards over `end` from the wanted checksum, and the four bytes are what
    leads there from the register after `start`.
    """
    register = crc ^ 0xFFFFFFFF
    for byte in reversed(end):
        register = _backwards(register, byte)
    forward = zlib.crc32(start) ^ 0xFFFFFFFF
    for _ in range(4):
        register = _backwards(register, 0)
    return start + (register ^ forward).to_bytes(4, "little") + end


def _backwards(register: int, byte: int) -> int:
    """Return the register before a byte went through it."""
    for _ in range(8):
        high = register >> 31
        register = ((register ^ (_CRC_TABLE_POLYNOMIAL * high)) << 1 | high) & 0xFFFFFFFF
    return register ^ byte
