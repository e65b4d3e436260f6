"""Verification of a delivery: by PayPal's certificate, else by asking PayPal.

Offline first. Only when the certificate can't be had is PayPal asked (`verify-webhook-signature`), with the
event spliced in byte by byte, since PayPal compares the checksum of what is written there. A certificate that
was had and is not good is refused and never asked about.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence

import httpx2
from cryptography import x509

from services.payments.providers.paypal.calling import PaypalClient
from services.payments.providers.paypal.signature.certificates import (
    Certificates,
    CertificateUnavailable,
    Clock,
    Trust,
)
from services.payments.providers.paypal.signature.transmission import ALGORITHM, VERSION, Transmission
from services.payments.providers.port import (
    ObjectMissing,
    ProviderRefused,
    ProviderUnavailable,
    SignatureRefused,
    VerificationUnavailable,
)
from services.payments.providers.strict_json import JsonRefused, read_object

CERTIFICATE_SECONDS = 3.0
MAX_CERTIFICATE_BYTES = 64 * 1024
ONLINE_SECONDS = 5.0
MOST_ONLINE_CHECKS = 4
"""Simultaneous online checks: forged posts must not make PayPal reject our other calls."""


class CertificateServer:
    """The addresses that certificates are fetched from: no redirects, no proxy, 64 KiB, three seconds."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._http = httpx2.AsyncClient(trust_env=False, verify=tls, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def fetch(self, url: str) -> bytes:
        """Return what is at an allowed address. Raises CertificateUnavailable."""
        try:
            async with asyncio.timeout(CERTIFICATE_SECONDS), self._http.stream("GET", url) as answer:
                if answer.status_code != 200:
                    raise CertificateUnavailable(f"status {answer.status_code} instead of a certificate")
                return await self._limited(answer)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise CertificateUnavailable(f"{type(error).__name__} while fetching a certificate") from error

    async def _limited(self, answer: httpx2.Response) -> bytes:
        found = b""
        async for chunk in answer.aiter_bytes():
            found += chunk
            if len(found) > MAX_CERTIFICATE_BYTES:
                raise CertificateUnavailable(f"a certificate of more than {MAX_CERTIFICATE_BYTES} bytes")
        return found


class Verifier:
    """The verifier of one mode's deliveries."""

    def __init__(
        self, server: CertificateServer, roots: Sequence[x509.Certificate], name: str, clock: Clock
    ) -> None:
        self._certificates = Certificates(server.fetch, Trust(roots, name), clock)
        self._online_checks = 0

    async def verify(self, sent: Transmission, webhook_id: str, body: bytes, client: PaypalClient) -> None:
        """Verify a delivery. Raises SignatureRefused, VerificationUnavailable."""
        try:
            key = await self._certificates.key_at(sent.certificate_url)
        except CertificateUnavailable as unavailable:
            await self._verify_online(sent, webhook_id, body, client, str(unavailable))
        else:
            sent.verify(key, webhook_id, body)

    async def _verify_online(
        self, sent: Transmission, webhook_id: str, body: bytes, client: PaypalClient, why: str
    ) -> None:
        if self._online_checks >= MOST_ONLINE_CHECKS:
            raise VerificationUnavailable("certificate_unavailable", f"{why}; too many checks by PayPal")
        self._online_checks += 1
        try:
            async with asyncio.timeout(ONLINE_SECONDS):
                is_good = await ask(sent, webhook_id, body, client)
        except (ProviderUnavailable, ProviderRefused, ObjectMissing, TimeoutError) as error:
            text = f"{why}; PayPal did not check the signature: {error}"
            raise VerificationUnavailable("certificate_unavailable", text) from error
        finally:
            self._online_checks -= 1
        if not is_good:
            raise SignatureRefused("signature_wrong")


async def ask(sent: Transmission, webhook_id: str, body: bytes, client: PaypalClient) -> bool:
    """Return PayPal's judgement of a delivery.

    Raises SignatureRefused for a body that is not itself a JSON object: spliced in, it could replace the
    fields around it. Raises ProviderUnavailable, ProviderRefused, ObjectMissing.
    """
    try:
        read_object(body)
    except JsonRefused:
        raise SignatureRefused("body_unreadable") from None
    around = {
        "auth_algo": ALGORITHM,
        "auth_version": VERSION,
        "cert_url": sent.certificate_url,
        "transmission_id": sent.id,
        "transmission_sig": sent.signature,
        "transmission_time": sent.time,
        "webhook_id": webhook_id,
    }
    content = json.dumps(around).encode()[:-1] + b', "webhook_event": ' + body + b"}"
    answer = read_object(
        await client.post("v1", "notifications", "verify-webhook-signature", content=content)
    )
    status = answer.get("verification_status")
    if status not in ("SUCCESS", "FAILURE"):
        raise ProviderUnavailable("PayPal answered a check without a verification_status")
    return status == "SUCCESS"
