"""TLS of every connection: contexts that trust a private authority, certificates of our own servers, and reasons for
which a connection can't be trusted, each a sentence with the setting that corrects it.

Certificate and host name are always verified, and nothing falls back to a connection without TLS.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import structlog

log = structlog.get_logger()
_EXPIRED, _NOT_YET_VALID, _WRONG_NAMES = 10, 9, (62, 64)
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21, 24)
"""OpenSSL's results of verification (X509_V_ERR_…)."""
_NO_TLS = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
)
_WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA")


class TlsUnusable(ValueError):
    """A file of TLS can't be used; the text is a sentence."""


@dataclass(frozen=True)
class Peer:
    """A server that we connect to, by its name and the settings of its address, authorities and our certificate."""

    name: str
    url: str
    authorities: str
    certificate: str | None = None


def trusting(authorities: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a PEM file alone, or the system's. Raises TlsUnusable."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise TlsUnusable(_unusable(authorities, error, "certificate")) from None


def check_pair(certificate: Path, key: Path) -> None:
    """Check that a certificate chain and its private key can be used together. Raises TlsUnusable."""
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key)


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for file in (certificate, key):
        try:
            file.read_bytes()
        except OSError as error:
            raise TlsUnusable(_unusable(file, error, "")) from None
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsUnusable(f"{key} is not the private key of {certificate}") from None
        raise TlsUnusable(
            f"{certificate} and {key} must hold a certificate chain and its private key in PEM, without a password "
            f"({error.reason or 'unreadable'})"
        ) from None
    except ValueError:
        raise TlsUnusable(f"{key} is protected by a password; give one without") from None


def _no_password() -> str:
    """Return what OpenSSL refuses, instead of letting it prompt for a password on the terminal."""
    return ""


def _unusable(file: Path | None, error: OSError, content: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"{file} holds no {content} in PEM"
    return f"could not read {file} ({(error.strerror or type(error).__name__).lower()})"


class OwnCertificate:
    """The certificate of a server of ours. `context` follows its files: a renewed certificate is used from the next
    connection on; one that can't be used leaves the present one in use, and is logged once."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._seen = self._stamp()
        self._fault = ""
        self._current = self._made()
        self.context = self._made()
        self.context.sni_callback = self._follow

    def _made(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        _load(context, *self._files)
        return context

    def _stamp(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns for file in self._files)

    def _follow(self, connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        """Let a new connection use the newest certificate. OpenSSL calls it before it sends one."""
        try:
            if (stamp := self._stamp()) != self._seen:
                self._seen, self._current, self._fault = stamp, self._made(), ""
        except (OSError, TlsUnusable) as error:  # perhaps half written: the next connection looks again
            if self._fault != (fault := str(error)):
                self._fault = fault
                log.error("renewed certificate can't be used; serving the one before", error=fault)
        connection.context = self._current


class Contradiction(ValueError):
    """A URL already has another value of a parameter; the text is the parameter's name."""


def extended(url: str, wanted: Mapping[str, str]) -> str:
    """Return a URL with further parameters. Raises Contradiction."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    for part, value in wanted.items():
        if query.setdefault(part, value) != value:
            raise Contradiction(part)
    # libpq reads %20 as a space, and + as itself
    return parts._replace(query=urlencode(query, quote_via=quote)).geturl() if wanted else url


def of_database(authorities: Path) -> dict[str, str]:
    """Return the parameters of a PostgreSQL URL with which certificate and host name are verified."""
    return {"sslmode": "verify-full", "sslrootcert": str(authorities)}


def why_untrusted(error: BaseException, peer: Peer) -> str | None:
    """Return why a connection with TLS was not made, and what to do; None for any other error, such as no answer."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(cause, peer)
        if isinstance(cause, ssl.SSLError):
            return _failed(cause.reason or "", peer)
        if isinstance(cause, ConnectionError) and "rejected SSL upgrade" in str(cause):
            return _without_tls(peer)
    return None


def _untrusted(error: ssl.SSLCertVerificationError, peer: Peer) -> str:
    if error.verify_code == _EXPIRED:
        return f"the certificate of {peer.name} has expired; renew it there"
    if error.verify_code == _NOT_YET_VALID:
        return f"the certificate of {peer.name} is not valid yet; check the clocks of both machines"
    if error.verify_code in _WRONG_NAMES:
        return (
            f"the certificate of {peer.name} is for another host ({error.verify_message.rstrip('.')}); use in "
            f"{peer.url} a name that it is for, or renew it with this name"
        )
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return (
            f"the certificate of {peer.name} is not signed by an authority that is trusted here; set "
            f"{peer.authorities} to the PEM file of the one that signed it ({error.verify_message})"
        )
    return (
        f"the certificate of {peer.name} is refused ({error.verify_message}); renew it, or correct "
        f"{peer.authorities}"
    )


def _failed(reason: str, peer: Peer) -> str:
    if any(part in reason for part in _NO_TLS):
        return _without_tls(peer)
    if peer.certificate and any(part in reason for part in _WANTS_CERTIFICATE):
        return (
            f"{peer.name} refuses our certificate or requires one ({reason}); set or renew {peer.certificate}"
        )
    return f"{peer.name} and this process find no common TLS ({reason}); check {peer.url} and the server's TLS settings"


def _without_tls(peer: Peer) -> str:
    return f"{peer.name} does not offer TLS at the address in {peer.url}; enable it there, or correct the address"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
