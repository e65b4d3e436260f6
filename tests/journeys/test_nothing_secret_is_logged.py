"""The logs, at the most verbose level, contain no password, no token, no secret and no signature."""

import re
import secrets
from random import Random
from urllib.parse import unquote, urlsplit

from contracts.sale import PaymentMethod
from deploy.demo.standins.provider import payment_succeeded
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop, payment

SIGNATURE = re.compile(r"v1=[0-9a-f]{64}")


async def test_after_whole_lives_and_every_refusal_the_logs_keep_all_secrets(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    body = payment_succeeded(sale, Random(secrets.randbits(64)))
    assert await shop.post_webhook(body, f"t=1,v1={'a' * 64}") == 400
    assert await shop.post_webhook(body) == 200
    await shop.until_order(order, payment_status="paid")
    await shop.deliver(order, await shop.ship(order, [await shop.pack(order, {1: 2})], notify_customer=True))
    await shop.mails_to(sale.recipient, count=2)
    refused = await shop.ask(f"/orders/{order}/payments", payment(PaymentMethod.CARD, 1))
    assert refused.status_code == 422
    async with shop.client("orders", "not-a-token-of-ours-0000") as stranger:
        assert (await stranger.get("/v1/orders")).status_code == 401

    logs = {
        path.name: path.read_text(errors="replace") for path in (shop.system.folder / "log").glob("*.log")
    }
    assert {f"{service}.log" for service in shop.system.databases} <= logs.keys()
    fields = {
        f"{name} holds {what}"
        for name, text in logs.items()
        for what, secret in {**_secrets(shop), "a wrong token": "not-a-token-of-ours"}.items()
        if secret in text
    }
    assert fields == set()
    assert [name for name, text in logs.items() if SIGNATURE.search(text)] == []
    assert [name for name, text in logs.items() if sale.recipient in text] == []


def _secrets(shop: Shop) -> dict[str, str]:
    kept = shop.system.secrets
    databases = {
        f"{service}'s database password": unquote(urlsplit(url).password or "?")
        for service, url in shop.system.databases.items()
    }
    return {
        **{f"{user}'s broker password": password for user, password in kept.passwords.items()},
        **{f"the API token of {name}": token for name, token in kept.api_tokens.items()},
        **databases,
        "the operators' token": kept.internal_token,
        "Stripe's secret": shop.system.accounts.stripe_secret,
        "PayPal's secret": shop.system.accounts.paypal_client_secret,
    }
