"""PayPal's signature, judged by itself: no bit may change, no header may be doubtful."""

import base64
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.standins.paypal.signing import padded_to
from services.payments.providers.paypal.signature.transmission import HEADERS, read_headers
from services.payments.providers.port import SignatureRefused

HOSTS = frozenset(("api.paypal.com", "127.0.0.1:8443"))
WEBHOOK_ID = "1JE4291016473214C"
URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-5edc0ebc"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BODY = b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED"}'


def signed(body: bytes, **changes: str) -> dict[str, list[str]]:
    """The headers of a genuine delivery, some changed afterwards."""
    message = f"tid-1|2026-11-29T09:00:00Z|{WEBHOOK_ID}|{zlib.crc32(body)}".encode()
    signature = base64.b64encode(KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
    values = ["tid-1", "2026-11-29T09:00:00Z", signature, URL, "SHA256withRSA", "v2"]
    found = dict(zip(HEADERS, values, strict=True))
    found.update({f"paypal-{name.replace('_', '-')}": value for name, value in changes.items()})
    return {name: [value] for name, value in found.items()}


def verify(headers: dict[str, list[str]], body: bytes = BODY, webhook_id: str = WEBHOOK_ID) -> None:
    read_headers(headers, HOSTS).verify(KEY.public_key(), webhook_id, body)


def test_a_genuine_delivery_passes() -> None:
    verify(signed(BODY))


def test_the_checksum_is_unsigned() -> None:
    """A checksum with its highest bit set is a negative number where it is taken as signed."""
    body = next(body for n in range(99) if zlib.crc32(body := BODY + b" " * n) > 2**31)
    verify(signed(body), body)


@given(st.integers(0, 8 * len(BODY) - 1))
def test_no_bit_of_the_body_may_change(bit: int) -> None:
    changed = bytearray(BODY)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureRefused):
        verify(signed(BODY), bytes(changed))


@given(st.integers(0, 8 * 256 - 1))
def test_no_bit_of_the_signature_may_change(bit: int) -> None:
    headers = signed(BODY)
    raw = bytearray(base64.b64decode(headers["paypal-transmission-sig"][0]))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureRefused):
        verify({**headers, "paypal-transmission-sig": [base64.b64encode(bytes(raw)).decode()]})


@pytest.mark.parametrize(
    "changes", [{"transmission_id": "tid-2"}, {"transmission_time": "2026-11-29T09:00:01Z"}]
)
def test_what_is_signed_with_the_body_may_not_change(changes: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        verify(signed(BODY, **changes))


def test_the_webhook_id_is_ours_alone() -> None:
    with pytest.raises(SignatureRefused):
        verify(signed(BODY), webhook_id="WEBHOOK_ID")


def test_a_padded_body_passes_which_is_why_no_amount_is_taken_from_it() -> None:
    verify(signed(BODY), padded_to(zlib.crc32(BODY), b'{"amount":"9999.00","note":"', b'"}'))


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("api.paypal.com", "api.paypal.com.example.org"),
        URL.replace("api.paypal.com", "evilapi.paypal.com"),
        URL.replace("api.paypal.com", "API.PAYPAL.COM"),
        URL.replace("api.paypal.com", "api.paypal.com:8443"),
        URL.replace("api.paypal.com", "user@api.paypal.com"),
        URL.replace("api.paypal.com", "api.sandbox.paypal.com"),
        URL.replace("/certs/", "/certs/../certs/"),
        URL.replace("/v1/notifications/certs/", "/elsewhere/"),
        URL + "?next=https://example.org",
        URL + "#fragment",
        URL + "/more",
        URL + "%2e",
        URL + "\n",
        URL + "A" * 600,
        "https://[::1/v1/notifications/certs/CERT-1",
        "//api.paypal.com/v1/notifications/certs/CERT-1",
        "",
    ],
)
def test_a_certificate_comes_from_an_allowed_address_only(url: str) -> None:
    with pytest.raises(SignatureRefused, match="certificate_address_wrong"):
        verify(signed(BODY, cert_url=url))


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("count", [0, 2])
def test_each_header_comes_once(name: str, count: int) -> None:
    headers = signed(BODY)
    with pytest.raises(SignatureRefused, match="header_malformed"):
        verify({**headers, name: headers[name] * count})


@given(st.dictionaries(st.sampled_from(HEADERS), st.lists(st.text(max_size=60), max_size=2)))
def test_whatever_is_in_the_headers_it_is_refused(changes: dict[str, Any]) -> None:
    genuine = signed(BODY)
    headers = {**genuine, **changes}
    if headers == genuine:
        return
    with pytest.raises(SignatureRefused):
        verify(headers)
