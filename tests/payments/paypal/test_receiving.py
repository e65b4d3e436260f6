"""What is posted to PayPal's endpoint: stored if PayPal signed it, whatever is wrong with it turned away."""

import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.demo.standins.delivering import Trick
from deploy.demo.standins.paypal.certificates import SIGNING_NAME, Authority
from deploy.demo.standins.paypal.signing import padded_to
from deploy.demo.standins.paypal.standin import PayPal
from deploy.demo.standins.serving import InjectedFault
from services.payments.webhooks.receiving import MAX_BODY_BYTES
from tests.payments.conftest import CashDesks
from tests.payments.paypal.conftest import SLUG, Till, endpoint, settings_for


async def a_delivery(till: Till) -> tuple[bytes, dict[str, str]]:
    """A genuine delivery about a capture, not posted."""
    till.paypal.account.pay("50.00", "EUR")
    return till.paypal.signed(till.paypal.log.happened[-1].webhook())


async def stored(till: Till) -> int:
    return int(await till.cashdesk.desk.fetchval("SELECT count(*) FROM webhook"))


async def refused(till: Till) -> dict[str, int]:
    """Reasons for which posts were turned away, with their counts."""
    return {reason: count for (_, reason), count in till.cashdesk.refusals._counts.items()}


async def test_a_genuine_delivery_is_stored_once_however_often_it_comes(till: Till) -> None:
    body, headers = await a_delivery(till)
    assert [await till.post(body, headers) for _ in range(3)] == [200, 200, 200]
    assert await stored(till) == 1
    assert await till.cashdesk.desk.fetchval("SELECT deliveries FROM webhook") == 3


@pytest.mark.parametrize("trick", [Trick.FORGED, Trick.CHANGED])
async def test_a_forged_or_changed_delivery_is_rejected(till: Till, trick: Trick) -> None:
    till.paypal.account.pay("50.00", "EUR")
    body, headers = till.paypal._forge(till.paypal.log.happened[-1].webhook().body, trick)
    assert (body != till.paypal.log.happened[-1].webhook().body) is (trick is Trick.CHANGED)
    if trick is Trick.CHANGED:
        _, headers = till.paypal.signed(till.paypal.log.happened[-1].webhook())
    assert await till.post(body, headers) == 400
    assert await stored(till) == 0
    assert await refused(till) == {"signature_wrong": 1}


async def test_a_truncated_body_is_rejected(till: Till) -> None:
    body, headers = await a_delivery(till)
    assert await till.post(body[:-1], headers) == 400


async def test_another_webhooks_delivery_is_rejected(paypal: PayPal, cashdesks: CashDesks) -> None:
    till = Till(paypal, await cashdesks(**settings_for(paypal, webhook_id="5GP028458E2496506")))
    body, headers = await a_delivery(till)
    assert await till.post(body, headers) == 400


async def test_kind_and_size_are_checked_before_the_signature(till: Till) -> None:
    body, headers = await a_delivery(till)
    assert await till.post(body, {**headers, "Content-Type": "text/plain"}) == 415
    assert await till.post(body, {**headers, "Content-Encoding": "gzip"}) == 415
    assert await till.post(b" " * (MAX_BODY_BYTES + 1), headers) == 413
    assert await till.post(body, headers, slug="another-slug") == 404
    assert await till.post(body, {"Content-Type": "application/json"}) == 400
    assert await stored(till) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYPAL-AUTH-ALGO", "MD5withRSA"),
        ("PAYPAL-AUTH-VERSION", "v1"),
        ("PAYPAL-TRANSMISSION-ID", "a|b"),
        ("PAYPAL-TRANSMISSION-SIG", "not base64!"),
        ("PAYPAL-TRANSMISSION-TIME", "yesterday | today"),
        ("PAYPAL-CERT-URL", "https://api.paypal.com.example.org/v1/notifications/certs/CERT-1"),
        ("PAYPAL-CERT-URL", "https://api.paypal.com/v1/notifications/certs/CERT-1"),
    ],
)
async def test_headers_of_another_form_are_rejected_unread(till: Till, name: str, value: str) -> None:
    """The last one is of the live mode, which a sandbox endpoint does not hear."""
    body, headers = await a_delivery(till)
    assert await till.post(body, {**headers, name: value}) == 400
    assert sum(till.paypal.api.requests.values()) == 0


async def test_an_expired_certificate_is_refused(till: Till) -> None:
    ended = till.paypal.authority.issue(SIGNING_NAME, until=datetime.now(UTC) - timedelta(minutes=1))
    till.paypal.sign_with(ended)
    assert await till.post(*await a_delivery(till)) == 400
    assert await refused(till) == {"certificate_expired": 1}


async def test_a_foreign_certificate_is_refused(till: Till) -> None:
    till.paypal.sign_with(Authority("Foreign").issue(SIGNING_NAME))
    assert await till.post(*await a_delivery(till)) == 400
    assert await refused(till) == {"certificate_untrusted": 1}


@pytest.mark.parametrize("name", ["www.paypal.com", "messageverificationcerts.paypal.com", "example.org"])
async def test_a_trusted_certificate_of_another_name_is_refused(till: Till, name: str) -> None:
    till.paypal.sign_with(till.paypal.authority.issue(name))
    assert await till.post(*await a_delivery(till)) == 400
    assert await refused(till) == {"certificate_name_wrong": 1}


async def test_paypal_is_queried_when_its_certificate_cannot_be_had(till: Till) -> None:
    body, headers = await a_delivery(till)
    till.paypal.webhook.certificate_faults += [500]
    assert await till.post(body, headers) == 200
    requests = "POST /v1/notifications/verify-webhook-signature"
    assert till.paypal.api.requests[requests] == 1
    assert await till.post(body + b" ", headers) == 400
    assert till.paypal.api.requests[requests] == 2


async def test_paypal_is_queried_when_the_intermediate_is_missing(till: Till) -> None:
    till.paypal.webhook.shows_chain = False
    assert await till.post(*await a_delivery(till)) == 200
    assert till.paypal.api.requests["POST /v1/notifications/verify-webhook-signature"] == 1


@pytest.mark.parametrize(
    "fault", [503, 429, InjectedFault(content=b"<html>"), InjectedFault(content=b"{}"), 403]
)
async def test_without_certificate_and_answer_the_sender_comes_again(
    till: Till, fault: int | InjectedFault
) -> None:
    body, headers = await a_delivery(till)
    till.paypal.webhook.certificate_faults += [500]
    till.paypal.api.faults += [fault]
    assert await till.post(body, headers) == 503
    assert await refused(till) == {"certificate_unavailable": 1}
    assert await till.post(body, headers) == 200


async def test_a_body_cannot_replace_the_fields_of_the_online_check(till: Till) -> None:
    _, headers = await a_delivery(till)
    till.paypal.webhook.certificate_faults += [500]
    genuine = till.paypal.log.happened[-1].webhook().body
    body = b'{}, "webhook_id": "5GP028458E2496506", "webhook_event": ' + genuine
    assert await till.post(body, headers) == 400
    assert till.paypal.api.requests["POST /v1/notifications/verify-webhook-signature"] == 0


async def test_a_used_header_set_carries_no_other_body(till: Till) -> None:
    body, headers = await a_delivery(till)
    assert await till.post(body, headers) == 200
    assert await till.post(padded(body, {"id": "WH-FORGED"}), headers) == 400
    assert await refused(till) == {"transmission_reused": 1}
    assert await till.post(body, headers) == 200
    assert await stored(till) == 1


def padded(genuine: bytes, changes: dict[str, Any]) -> bytes:
    """A changed event with the checksum of a genuine one."""
    event = json.dumps({**json.loads(genuine), **changes}).encode()
    for blank in range(4096):
        start = event[:-1] + b', "note": "' + f"{blank:04d}".encode()
        made = padded_to(zlib.crc32(genuine), start, b'"}')
        try:
            json.loads(made)
        except ValueError:
            continue
        return made
    raise AssertionError("no padding is valid JSON")


async def test_a_body_padded_to_a_signed_checksum_writes_no_money(till: Till) -> None:
    """A thief has one genuine delivery that never reached us. It passes the signature, and only names an object."""
    order, reference = await till.order(999900)
    body, headers = await a_delivery(till)
    capture = {
        "id": "FORGEDCAPTURE0001",
        "status": "COMPLETED",
        "amount": {"value": "9999.00", "currency_code": "EUR"},
        "custom_id": str(order.order_id),
        "supplementary_data": {"related_ids": {"order_id": reference}},
    }
    assert await till.post(padded(body, {"id": "WH-FORGED", "resource": capture}), headers) == 200
    for _ in range(6):
        await till.work()
        await till.hurry()
    assert await till.cashdesk.entries(order) == [("order_total", 999900)]
    assert await till.end_of("PAYMENT.CAPTURE.COMPLETED") == ("parked", "object_unknown")


async def test_a_forged_amount_of_a_real_capture_posts_what_was_paid(till: Till) -> None:
    order, reference = await till.order(5000)
    capture = till.paypal.account.pay("50.00", "EUR", order_id=reference)
    body, headers = till.paypal.signed(till.paypal.log.happened[-1].webhook())
    resource = {**capture, "amount": {"value": "9999.00", "currency_code": "EUR"}}
    assert await till.post(padded(body, {"resource": resource}), headers) == 200
    await till.work()
    assert await till.cashdesk.entries(order) == [("order_total", 5000), ("payment_received", 5000)]


async def test_a_repeat_in_the_other_endpoints_name_is_not_ours(paypal: PayPal, cashdesks: CashDesks) -> None:
    given = settings_for(paypal)
    other = endpoint(slug="of-another-shop", shop="brocante", webhook_id="5GP028458E2496506")
    given["paypal_endpoints"] = (*given["paypal_endpoints"], other)
    till = Till(paypal, await cashdesks(**given))
    body, headers = await a_delivery(till)
    assert await till.post(body, headers, slug="of-another-shop") == 400
    assert await till.post(body, headers, slug=SLUG) == 200
