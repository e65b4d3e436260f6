"""Stripe's own SDK agrees with our side: it verifies what the stand-in signs, signs what the service verifies, and
works with the stand-in's API as with Stripe's.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from random import Random

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.standins.provider import payment_succeeded, sign
from deploy.demo.standins.stripe_api import StripeApi, refund_events, refund_made
from deploy.local.ports import free_ports
from services.payments.providers.stripe.signature import verify
from tests.demo.test_provider import card_sale

SECRET = "whsec_" + "5" * 32
KEY = "sk_test_of-the-oracle-1"
INTENT = "pi_of_the_oracle"


def test_the_sdk_verifies_every_event_of_the_stand_in() -> None:
    bodies = [payment_succeeded(card_sale(), Random(1)), *refund_events(refund_made(INTENT, 500, {}))]
    types = [
        stripe.Webhook.construct_event(body, sign(body, SECRET, int(time.time())), SECRET).type
        for body in bodies
    ]
    assert types == ["payment_intent.succeeded", "refund.created", "charge.refunded", "refund.updated"]


@given(text=st.text(), secret=st.text("abcdef0123456789", min_size=16), stamp=st.integers(1, 2_000_000_000))
def test_three_signers_agree(text: str, secret: str, stamp: int) -> None:
    body = text.encode("utf-8", "ignore")
    theirs = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, stamp)
    assert sign(body, secret, stamp) == theirs
    assert verify(theirs, body, [secret], stamp) == 0


def test_the_sdk_refuses_what_the_service_refuses() -> None:
    body = payment_succeeded(card_sale(), Random(1))
    header = sign(body, "whsec_" + "0" * 32, int(time.time()))
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, SECRET)


@pytest.fixture
async def api() -> AsyncIterator[StripeApi]:
    """The stand-in for Stripe's API, which tells nobody."""

    async def with_fitting_story(_: bytes) -> None:
        """Post nothing."""

    async with StripeApi(free_ports(1)[0], KEY, with_fitting_story) as standin:
        yield standin


def client(api: StripeApi, key: str = KEY) -> stripe.StripeClient:
    """Return the SDK's client, which makes one request after another at the stand-in."""
    return stripe.StripeClient(key, base_addresses={"api": api.url}, max_network_retries=2)


async def refund(sdk: stripe.StripeClient, amount: int, key: str) -> stripe.Refund:
    """Ask for a refund by the SDK."""
    wanted: stripe.params.RefundCreateParams = {"payment_intent": INTENT, "amount": amount}
    return await asyncio.to_thread(sdk.v1.refunds.create, wanted, {"idempotency_key": key})


async def test_a_repeated_key_gives_the_first_refund_again(api: StripeApi) -> None:
    sdk, key = client(api), secrets.token_hex(8)
    api.faults.extend([500, 500])
    first, again = await refund(sdk, 500, key), await refund(sdk, 500, key)
    assert first.id == again.id
    assert list(api.refunds) == [first.id]
    assert (first.amount, first.currency, first.status) == (500, "eur", "succeeded")


async def test_refunds_are_listed_page_by_page_the_newest_first(api: StripeApi) -> None:
    sdk = client(api)
    made = [(await refund(sdk, amount, f"key-{amount}")).id for amount in range(1, 8)]

    def all_of_them() -> list[str]:
        page = sdk.v1.refunds.list({"payment_intent": INTENT, "limit": 3})
        return [each.id for each in page.auto_paging_iter()]

    assert await asyncio.to_thread(all_of_them) == made[::-1]


async def test_refusals_are_what_the_sdk_expects(api: StripeApi) -> None:
    api.paid[INTENT] = 1000
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await refund(client(api), 1001, "too-much")
    with pytest.raises(stripe.AuthenticationError):
        await refund(client(api, "sk_test_of-somebody-else"), 10, "a-stranger")
