"""Webhooks of the stand-in are signed as PayPal documents it, and delivered as badly as they are told to be."""

import base64
import json
import ssl
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.verification import PolicyBuilder, Store

from deploy.demo.standins.delivering import Conduct, Journal, Trick
from deploy.demo.standins.paypal.certificates import SIGNING_NAME, Authority
from deploy.demo.standins.paypal.signing import padded_to
from deploy.demo.standins.paypal.standin import PayPal
from tests.demo.paypal.conftest import WEBHOOK_ID, setup
from tests.demo.test_provider import Endpoint


def is_signed(headers: dict[str, str], body: bytes, certificate: x509.Certificate) -> bool:
    """PayPal's rule, written once more: RSA and SHA-256 over id, time, webhook id and CRC-32."""
    given = {name.lower(): value for name, value in headers.items()}
    parts = (given["paypal-transmission-id"], given["paypal-transmission-time"], WEBHOOK_ID)
    message = "|".join((*parts, str(zlib.crc32(body) & 0xFFFFFFFF))).encode()
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(given["paypal-transmission-sig"])
    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not signed
        return False
    return True


async def chain_of(paypal: PayPal) -> list[x509.Certificate]:
    """Fetch the certificates from the address in a delivery, over HTTPS that the root vouches for."""
    trusted = ssl.create_default_context(cafile=paypal.root_file)
    async with httpx2.AsyncClient(verify=trusted, trust_env=False) as client:
        answer = await client.get(paypal.certificate_url)
    return x509.load_pem_x509_certificates(answer.raise_for_status().content)


async def test_a_delivery_is_signed_by_a_certificate_that_the_root_vouches_for(paypal: PayPal) -> None:
    paypal.account.pay("25.00", "EUR")
    leaf, *above = await chain_of(paypal)
    for one in paypal.log.happened:
        body, headers = paypal.signed(one.webhook())
        assert is_signed(headers, body, leaf)
        assert not is_signed(headers, body + b" ", leaf)
    root = x509.load_pem_x509_certificate(paypal.root_file.read_bytes())
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(SIGNING_NAME))
    assert verifier.verify(leaf, above)[-1] == root


async def test_a_certificate_can_be_expired_or_come_without_its_chain(paypal: PayPal) -> None:
    paypal.webhook.shows_chain = False
    ended = datetime.now(UTC) - timedelta(days=2)
    address = paypal.sign_with(paypal.authority.issue(SIGNING_NAME, until=ended))
    assert address == paypal.certificate_url
    (leaf,) = await chain_of(paypal)
    assert leaf.not_valid_after_utc < datetime.now(UTC)
    assert Authority("Another").root != paypal.authority.root


async def test_a_body_padded_to_the_checksum_carries_the_signature(paypal: PayPal) -> None:
    paypal.account.pay("25.00", "EUR")
    body, headers = paypal.signed(paypal.log.happened[-1].webhook())
    forged = padded_to(zlib.crc32(body), body.replace(b'"25.00"', b'"9999.00"')[:-1] + b',"pad":"', b'"}')
    leaf, *_ = await chain_of(paypal)
    assert b"9999.00" in forged
    assert is_signed(headers, forged, leaf)


async def check(paypal: PayPal, http: httpx2.AsyncClient, headers: dict[str, str], event: bytes) -> str:
    """Have PayPal check a delivery, whose event is spliced into the request as it was delivered."""
    body = {
        "auth_algo": headers["PAYPAL-AUTH-ALGO"],
        "cert_url": headers["PAYPAL-CERT-URL"],
        "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
        "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
        "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
        "webhook_id": WEBHOOK_ID,
    }
    content = json.dumps(body).encode()[:-1] + b', "webhook_event": ' + event + b"}"
    answer = await http.post("/v1/notifications/verify-webhook-signature", content=content)
    return str(answer.raise_for_status().json()["verification_status"])


async def test_the_online_check_needs_the_event_byte_by_byte(
    paypal: PayPal, http: httpx2.AsyncClient
) -> None:
    paypal.account.pay("25.00", "EUR")
    body, headers = paypal.signed(paypal.log.happened[-1].webhook())
    assert await check(paypal, http, headers, body) == "SUCCESS"
    assert await check(paypal, http, headers, json.dumps(json.loads(body)).encode()) == "FAILURE"
    assert await check(paypal, http, {**headers, "PAYPAL-TRANSMISSION-ID": "another-one"}, body) == "FAILURE"


async def test_events_of_version_1_have_its_amounts(paypal: PayPal, http: httpx2.AsyncClient) -> None:
    paypal.version, paypal.has_negative_refunds = 1, True
    capture = paypal.account.pay("25.00", "EUR")
    await http.post(f"/v2/payments/captures/{capture['id']}/refund", json={})
    completed, refunded = (one.content for one in paypal.log.happened[-2:])
    assert "resource_version" not in completed
    assert completed["resource"]["amount"] == {"total": "25.00", "currency": "EUR"}
    assert refunded["resource"]["amount"] == {"total": "-25.00", "currency": "EUR"}
    assert refunded["resource"]["capture_id"] == capture["id"]


async def test_two_types_can_share_one_id(paypal: PayPal) -> None:
    paypal.shares_ids = True
    paypal.account.pay("25.00", "EUR")
    assert [one.type for one in paypal.log.happened[-2:]] == [
        "CHECKOUT.ORDER.COMPLETED",
        "PAYMENT.CAPTURE.COMPLETED",
    ]
    assert len({one.id for one in paypal.log.happened[-2:]}) == 1


async def delivered(folder: Path, conduct: Conduct, payments: int) -> tuple[PayPal, list[dict[str, Any]]]:
    """Let buyers pay and the conduct deliver it: the stand-in and the accepted events' content."""
    endpoint = Endpoint()
    async with endpoint.listening() as url:
        journal = Journal(folder / "webhooks.jsonl")
        async with PayPal(setup(folder, url), journal, Random(2), conduct) as paypal:
            for _ in range(payments):
                paypal.account.pay("25.00", "EUR")
            await paypal.courier.settled()
            leaf, *_ = await chain_of(paypal)
    genuine = [body for headers, body in endpoint.received if is_signed(headers, body, leaf)]
    return paypal, [json.loads(body) for body in genuine]


async def test_every_event_is_delivered_once_as_a_rule(tmp_path: Path) -> None:
    paypal, received = await delivered(tmp_path, Conduct(), 3)
    assert sorted(each["id"] for each in received) == sorted(one.id for one in paypal.log.happened)


async def test_events_are_lost_repeated_and_out_of_sequence_on_request(tmp_path: Path) -> None:
    conduct = Conduct(lost=0.3, repeated=0.5, delayed=1.0, longest_delay_seconds=0.3, forged=0.3)
    paypal, received = await delivered(tmp_path, conduct, 10)
    ids, happened = [each["id"] for each in received], [one.id for one in paypal.log.happened]
    lost = {event.id for event in paypal.courier.lost}
    assert 0 < len(lost) < len(happened)
    assert set(ids) == set(happened) - lost
    assert len(ids) > len(set(ids))
    firsts = list(dict.fromkeys(ids))
    assert firsts != [each for each in happened if each in set(firsts)]
    tricks = {post.trick for post in paypal.courier.journal.posts}
    assert tricks == {Trick.NOTHING, Trick.FORGED, Trick.CHANGED}


async def test_what_was_lost_is_posted_when_it_is_sent_again(tmp_path: Path) -> None:
    endpoint = Endpoint()
    async with endpoint.listening() as url:
        journal = Journal(tmp_path / "webhooks.jsonl")
        async with PayPal(setup(tmp_path, url), journal, Random(3)) as paypal:
            paypal.courier.lose_next = 3
            paypal.account.pay("25.00", "EUR")
            await paypal.courier.settled()
            assert endpoint.received == []
            paypal.log.again(paypal.log.happened[-1].id)
            await paypal.courier.settled()
    assert [json.loads(body)["event_type"] for _, body in endpoint.received] == ["PAYMENT.CAPTURE.COMPLETED"]
