"""Certificates of a certificate authority of the stand-in's own: root, intermediate, and what they sign.

PayPal signs webhooks with a leaf whose chain ends at a public root. Here the root is made for one run and written to a
file, which the service under test is given as its trusted root. Foreign and expired leaves can be made as well.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.demo.standins.serving import TlsFiles

SIGNING_NAME = "messageverificationcerts.sandbox.paypal.com"
"""Whose certificate signs webhooks of the sandbox."""
YEAR = timedelta(days=365)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


@dataclass(frozen=True)
class Holder:
    """A certificate with its key, and the certificates above it, nearest first, without the root."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    above: tuple[x509.Certificate, ...] = ()

    def chain_pem(self, *, whole: bool = True) -> bytes:
        """Return the certificate in PEM, with those above it when `whole`."""
        shown = (self.certificate, *(self.above if whole else ()))
        return b"".join(one.public_bytes(Encoding.PEM) for one in shown)

    def key_pem(self) -> bytes:
        """Return the private key in PEM."""
        return _key_pem(self.key)


class Issuer(NamedTuple):
    """A certificate that signs others."""

    certificate: x509.Certificate
    key: PrivateKey


def quick_key() -> ec.EllipticCurvePrivateKey:
    """Return a new private key of an elliptic curve, which is quick to generate."""
    return ec.generate_private_key(ec.SECP256R1())


class Authority:
    """A root and an intermediate certificate; those in `file` if there are any, which are kept there otherwise.

    A client that trusts the root keeps trusting a stand-in that is restarted. `make_key` makes the keys of both.
    """

    def __init__(
        self, name: str = "Stand-in", file: Path | None = None, make_key: Callable[[], PrivateKey] = quick_key
    ) -> None:
        if file is not None and file.exists():
            self.root, self._intermediate = _read(file)
            return
        self.root, self._intermediate = _new(name, make_key)
        if file is not None:
            file.touch(mode=0o600)
            certificate, key = self._intermediate
            file.write_bytes(self.root_pem + certificate.public_bytes(Encoding.PEM) + _key_pem(key))

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def issue(
        self, name: str, *, until: datetime | None = None, alternatives: tuple[x509.GeneralName, ...] = ()
    ) -> Holder:
        """Return a server's certificate for a host name, valid for a year or until a moment that may be past."""
        names = (x509.DNSName(name), *alternatives)
        extensions = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(signs_certificates=False), True),
            (_SERVER, False),
            (x509.SubjectAlternativeName(names), False),
        ]
        lifetime = until - datetime.now(UTC) if until else YEAR
        key = new_key()
        certificate = _certify(name, key, self._intermediate, extensions, lifetime)
        return Holder(certificate, key, (self._intermediate.certificate,))

    @cached_property
    def signing(self) -> Holder:
        """Return the certificate that signs webhooks."""
        return self.issue(SIGNING_NAME)

    @cached_property
    def _local(self) -> Holder:
        loopback = (x509.IPAddress(ipaddress.ip_address("127.0.0.1")),)
        return self.issue("localhost", alternatives=loopback)

    def local_tls(self, folder: Path) -> TlsFiles:
        """Write a certificate for this machine's loopback address, with which HTTPS is served."""
        holder = self._local
        files = TlsFiles(folder / "tls-chain.pem", folder / "tls-key.pem")
        files.chain.write_bytes(holder.chain_pem())
        files.key.touch(mode=0o600)
        files.key.write_bytes(holder.key_pem())
        return files


def _new(name: str, make_key: Callable[[], PrivateKey]) -> tuple[x509.Certificate, Issuer]:
    root_key, key = make_key(), make_key()
    root = _certify(f"{name} Root CA", root_key, None, _authority_extensions(1), YEAR)
    above = Issuer(root, root_key)
    return root, Issuer(_certify(f"{name} Intermediate CA", key, above, _authority_extensions(0), YEAR), key)


def _read(file: Path) -> tuple[x509.Certificate, Issuer]:
    content = file.read_bytes()
    root, certificate = x509.load_pem_x509_certificates(content)
    key = load_pem_private_key(content, None)
    assert isinstance(key, PrivateKey)
    return root, Issuer(certificate, key)


Extensions = list[tuple[x509.ExtensionType, bool]]


def _authority_extensions(path_length: int) -> Extensions:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(signs_certificates=True), True),
    ]


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def new_key() -> rsa.RSAPrivateKey:
    """Return a new private key of the kind that PayPal signs with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certify(
    name: str, key: PrivateKey, issuer: Issuer | None, extensions: Extensions, lifetime: timedelta
) -> x509.Certificate:
    """Return a certificate of a key; without an issuer it signs itself."""
    now = datetime.now(UTC)
    end = now + lifetime
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(signer, hashes.SHA256())
