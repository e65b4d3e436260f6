"""PayPal's signing certificates: fetched from an allowed address, verified up to a trusted root, and cached.

A certificate that can't be fetched, or comes without its intermediate, is unavailable and not refused: the
caller asks PayPal instead. One that is expired, has another name or another root is refused. A cached one
serves until it ends, and is fetched again after a day; while that fails the cached one goes on serving.
Fetches of one address are shared, few run at once and failures are remembered for a minute, so that forged
posts can't make this process fetch without end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import verification

from services.payments.providers.port import SignatureRefused

MOST_CACHED = 16
MOST_FETCHES = 4
FRESH = timedelta(hours=24)
FAILURE_KEPT = timedelta(seconds=60)
Fetch = Callable[[str], Awaitable[bytes]]
"""Returns what is at an address. Raises CertificateUnavailable."""
Clock = Callable[[], datetime]
T = TypeVar("T")


class CertificateUnavailable(Exception):
    """The certificate could not be fetched, or not verified with what was fetched."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The roots a certificate may end at, and the name it must have."""

    roots: Sequence[x509.Certificate]
    name: str


@dataclass(frozen=True, slots=True)
class _Cached:
    certificate: x509.Certificate
    key: rsa.RSAPublicKey
    fetched_at: datetime

    def is_valid(self, now: datetime) -> bool:
        return self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failure by its class and text. The exception itself would hold the frames of every request that met it,
    with their bodies.
    """

    at: datetime
    kind: type[CertificateUnavailable] | type[SignatureRefused]
    text: str


class Certificates:
    """The verified certificates of one mode, by address."""

    def __init__(self, fetch: Fetch, trust: Trust, clock: Clock) -> None:
        self._fetch, self._trust, self._clock = fetch, trust, clock
        self._cached: dict[str, _Cached] = {}
        self._failed: dict[str, _Failure] = {}
        self._fetching: dict[str, asyncio.Task[rsa.RSAPublicKey]] = {}

    async def key_at(self, url: str) -> rsa.RSAPublicKey:
        """Return the key of the certificate at an allowed address.

        Raises CertificateUnavailable, SignatureRefused.
        """
        now = self._clock()
        known = self._cached.get(url)
        if known is not None and not known.is_valid(now):
            del self._cached[url]
            known = None
        if known is not None and now - known.fetched_at < FRESH:
            return known.key
        try:
            return await self._fetched(url, now)
        except CertificateUnavailable:
            if known is None:
                raise
            return known.key

    async def _fetched(self, url: str, now: datetime) -> rsa.RSAPublicKey:
        failure = self._failed.get(url)
        if failure is not None and now - failure.at < FAILURE_KEPT:
            raise failure.kind(failure.text)
        task = self._fetching.get(url)
        if task is None:
            if len(self._fetching) >= MOST_FETCHES:
                raise CertificateUnavailable("too many certificates are being fetched")
            task = self._fetching[url] = asyncio.create_task(self._fetch_and_verify(url))
            task.add_done_callback(lambda _: self._fetching.pop(url, None))
        return await asyncio.shield(task)

    async def _fetch_and_verify(self, url: str) -> rsa.RSAPublicKey:
        try:
            answer = await self._fetch(url)
            now = self._clock()
            certificate, key = verify(answer, self._trust, now)
        except (CertificateUnavailable, SignatureRefused) as error:
            _keep(self._failed, url, _Failure(self._clock(), type(error), str(error)))
            raise
        self._failed.pop(url, None)
        _keep(self._cached, url, _Cached(certificate, key, now))
        return key


def _keep(kept: dict[str, T], url: str, value: T) -> None:
    kept.pop(url, None)
    while len(kept) >= MOST_CACHED:
        del kept[next(iter(kept))]
    kept[url] = value


def verify(pem: bytes, trust: Trust, now: datetime) -> tuple[x509.Certificate, rsa.RSAPublicKey]:
    """Return the first certificate of a PEM and its key: valid now, with the trusted name, up to a root.

    Raises SignatureRefused, and CertificateUnavailable if the certificates in between are missing.
    """
    try:
        leaf, *between = x509.load_pem_x509_certificates(pem)
        key = leaf.public_key()
    except ValueError:
        raise CertificateUnavailable("no certificate at the address") from None
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise SignatureRefused("certificate_expired")
    if not isinstance(key, rsa.RSAPublicKey) or trust.name not in _names(leaf):
        raise SignatureRefused("certificate_name_wrong")
    _check_chain(leaf, between, trust, now)
    return leaf, key


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.DNSName)


def _check_chain(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], trust: Trust, now: datetime
) -> None:
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(trust.roots)))
        .time(now)
        .build_server_verifier(x509.DNSName(trust.name))
    )
    try:
        verifier.verify(leaf, list(between))
    except verification.VerificationError:
        issuers = {certificate.subject for certificate in (*between, *trust.roots)}
        if leaf.issuer not in issuers:
            raise CertificateUnavailable("the certificate came without its intermediate") from None
        raise SignatureRefused("certificate_untrusted") from None
