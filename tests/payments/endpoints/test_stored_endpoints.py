"""Endpoints that are set while payments runs: received for, applied and refunded by at once, in every process."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from cryptography.fernet import Fernet

from contracts.payments.refunds import RefundMode, RefundSent
from deploy.demo.standins.stripe_api import StripeApi
from services.payments.endpoints.loading import load_endpoints
from services.payments.providers.stripe.needed import NEEDED
from services.payments.settings import PaymentsSettings
from services.payments.webhooks.subscriptions import main
from tests.builders.orders import SHOP
from tests.payments.builders import (
    as_body,
    endpoint,
    intent_id,
    of_kind,
    placed,
    refund_order,
    signature,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.refunds.test_sending_refunds import KEY, provider, send

__all__ = ["provider"]
SLUG, SECRET, NEW_SECRET = (
    "set-in-the-back-office",
    "whsec_set-in-the-back-office",
    "whsec_rolled-at-the-provider",
)
SECRETS_KEY = Fernet.generate_key().decode()
ACTOR = "user:camille@maison.example"


@dataclass(frozen=True)
class Client:
    """Requests to payments as the back office makes them."""

    cashdesk: CashDesk

    @property
    def _headers(self) -> dict[str, str]:
        token = self.cashdesk.hub.settings.internal_token.get_secret_value()
        return {"authorization": f"Bearer {token}"}

    async def send(self, path: str, **body: Any) -> httpx2.Response:
        """Post a request in the shop's name."""
        content = {"shop": SHOP, "actor": ACTOR, **body}
        return await self.cashdesk.client.post(
            f"/internal/endpoints{path}", json=content, headers=self._headers
        )

    async def add(self, **changes: Any) -> httpx2.Response:
        """Add the endpoint of these tests."""
        secrets = {"signing_secret": SECRET, "api_key": KEY}
        given = {"provider": "stripe", "slug": SLUG, "livemode": False, "secrets": secrets}
        return await self.send("", **{**given, **changes})

    async def change(self, **changes: Any) -> httpx2.Response:
        """Change it."""
        one = await self.one()
        given = {"livemode": False, "texts": {}, "secrets": {}, "revision": one["revision"]}
        return await self.send(f"/{SLUG}/change", **{**given, **changes})

    async def listed(self, shop: str = SHOP) -> dict[str, Any]:
        """What pages show."""
        answer = await self.cashdesk.client.get(f"/internal/endpoints?shop={shop}", headers=self._headers)
        found: dict[str, Any] = answer.json()
        return found

    async def one(self) -> dict[str, Any]:
        """The endpoint of these tests as pages show it."""
        (found,) = [one for one in (await self.listed())["endpoints"] if one["slug"] == SLUG]
        return dict(found)

    async def post(self, secret: str = SECRET) -> int:
        """Post a webhook to it, signed; the answer's status."""
        body = as_body(succeeded(intent_id(), 2500))
        return await self.cashdesk.post(body, slug=SLUG, stripe_signature=signature(body, secret))


def codes(answer: httpx2.Response) -> list[tuple[str | None, str]]:
    """Field and code of each reason of a refusal."""
    assert answer.status_code == 422, answer.text
    return [(one.get("field"), one["code"]) for one in answer.json()["errors"]]


@pytest.fixture
async def client(cashdesks: CashDesks) -> Client:
    return Client(await cashdesks(payments_secrets_key=SECRETS_KEY))


async def test_an_endpoint_receives_as_soon_as_it_is_added(client: Client) -> None:
    assert await client.post() == 404
    assert (await client.add()).status_code == 201
    assert await client.post() == 200
    assert await client.post("whsec_of-somebody-else-0001") == 400
    assert (await client.send(f"/{SLUG}/remove")).status_code == 200
    assert await client.post() == 404


async def test_another_process_applies_what_was_received_for_it(client: Client, cashdesks: CashDesks) -> None:
    database_url = client.cashdesk.hub.settings.database_url.get_secret_value()
    other = Client(await cashdesks(database_url, payments_secrets_key=SECRETS_KEY))
    await load_endpoints(other.cashdesk.hub)
    await client.add()
    assert await client.post() == 200
    await other.cashdesk.apply()
    assert [end for end, _ in (await other.cashdesk.ends()).values()] == ["waiting"]
    assert await other.post() == 200
    await other.send(f"/{SLUG}/remove")
    assert await client.post() == 200
    await load_endpoints(client.cashdesk.hub)
    assert await client.post() == 404


async def test_refunds_are_sent_with_its_key(
    cashdesks: CashDesks, provider: tuple[StripeApi, list[bytes]]
) -> None:
    api, _ = provider
    client = Client(await cashdesks(payments_secrets_key=SECRETS_KEY, stripe_api_url=api.url))
    order, intent = placed(5000), intent_id()
    await client.cashdesk.desk.deliver(order)
    await client.cashdesk.pay(succeeded(intent, 5000, metadata={"comptoir_order_id": str(order.order_id)}))
    await client.add()
    await client.cashdesk.desk.deliver(refund_order(order, 2000, mode=RefundMode.SENT))
    assert len(of_kind(await send(client.cashdesk), RefundSent)) == 1
    assert len(api.refunds) == 1


async def test_secrets_are_stored_encrypted_and_never_answered(client: Client) -> None:
    await client.add()
    one = await client.one()
    assert [(each["name"], each["ends_in"], each["set_by"]) for each in one["secrets"]] == [
        ("api_key", KEY[-4:], ACTOR),
        ("signing_secret", SECRET[-4:], ACTOR),
    ]
    stored = await client.cashdesk.desk.fetch("SELECT sealed FROM provider_secret")
    assert all(SECRET.encode() not in row["sealed"] and KEY.encode() not in row["sealed"] for row in stored)
    shown = str(await client.listed())
    assert SECRET not in shown
    assert KEY not in shown
    assert client.cashdesk.desk.emitted() == []


async def test_a_rolled_secret_is_accepted_until_it_expires(client: Client) -> None:
    await client.add()
    assert (await client.change(secrets={"signing_secret": NEW_SECRET}, kept_hours=24)).status_code == 200
    assert (await client.post(NEW_SECRET), await client.post(SECRET)) == (200, 200)
    new, old = [one for one in (await client.one())["secrets"] if one["name"] == "signing_secret"]
    assert (new["expires_at"], new["ends_in"]) == (None, NEW_SECRET[-4:])
    assert old["expires_at"] is not None
    await client.cashdesk.desk.fetch(
        "UPDATE provider_secret SET expires_at = now() - interval '1 s' WHERE expires_at IS NOT NULL RETURNING 1"
    )
    await load_endpoints(client.cashdesk.hub)
    assert (await client.post(NEW_SECRET), await client.post(SECRET)) == (200, 400)
    assert await client.cashdesk.desk.fetchval("SELECT count(*) FROM provider_secret") == 2


async def test_a_secret_that_leaked_ends_at_once(client: Client) -> None:
    await client.add()
    await client.change(secrets={"signing_secret": NEW_SECRET}, kept_hours=0)
    assert (await client.post(NEW_SECRET), await client.post(SECRET)) == (200, 400)
    secrets = {one["name"]: one["id"] for one in (await client.one())["secrets"]}
    needed = await client.send(f"/{SLUG}/secrets/{secrets['signing_secret']}/remove")
    assert codes(needed) == [(None, "secret_needed")]
    assert (await client.send(f"/{SLUG}/secrets/{secrets['api_key']}/remove")).status_code == 200
    assert [one["name"] for one in (await client.one())["secrets"]] == ["signing_secret"]


async def test_an_old_page_changes_nothing(client: Client) -> None:
    await client.add()
    revision = (await client.one())["revision"]
    assert (await client.change(secrets={"signing_secret": NEW_SECRET})).status_code == 200
    late = await client.change(secrets={"signing_secret": SECRET}, revision=revision)
    assert codes(late) == [(None, "endpoint_changed")]
    assert await client.post(NEW_SECRET) == 200


async def test_what_is_wrong_is_named_and_changes_nothing(client: Client) -> None:
    await client.add()
    assert codes(await client.add(secrets={"signing_secret": SECRET})) == [("slug", "slug_taken")]
    assert codes(await client.change(livemode=True)) == [("api_key", "api_key_is_test")]
    other = await client.send(f"/{SLUG}/remove", shop="another-shop")
    assert other.status_code == 404
    assert (await client.add(provider="klarna")).status_code == 422
    wrong = await client.add(secrets={"signing_secret": [SECRET]})
    assert (wrong.status_code, SECRET in wrong.text) == (422, False)
    assert await client.post() == 200


async def test_the_environments_endpoints_are_listed_and_stay(client: Client) -> None:
    listed = await client.listed()
    (one,) = listed["endpoints"]
    assert (one["source"], one["secrets"], one["set"]) == ("environment", [], ["signing_secret"])
    own = listed["endpoints"][0]["slug"]
    assert (await client.send(f"/{own}/remove")).status_code == 404
    assert codes(await client.add(slug=own)) == [("slug", "slug_taken")]


async def test_a_slug_is_stored_once_however_often_it_is_requested(client: Client) -> None:
    answers = await asyncio.gather(*(client.add() for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert await client.cashdesk.desk.fetchval("SELECT count(*) FROM provider_secret") == 2


async def test_the_environment_comes_before_a_stored_endpoint_of_the_same_slug(
    client: Client, cashdesks: CashDesks
) -> None:
    await client.add()
    url = client.cashdesk.hub.settings.database_url.get_secret_value()
    own = (endpoint(slug=SLUG, secrets=[NEW_SECRET]),)
    other = Client(await cashdesks(url, payments_secrets_key=SECRETS_KEY, stripe_endpoints=own))
    await load_endpoints(other.cashdesk.hub)
    assert (await other.post(NEW_SECRET), await other.post(SECRET)) == (200, 400)
    shown = [
        (one["source"], one["fault"] and one["fault"]["code"]) for one in (await other.listed())["endpoints"]
    ]
    assert shown == [("environment", None), ("back_office", "slug_taken")]


async def test_without_a_key_nothing_is_stored(cashdesks: CashDesks) -> None:
    client = Client(await cashdesks())
    assert (await client.listed())["can_store"] is False
    assert codes(await client.add()) == [(None, "secrets_key_missing")]


async def test_an_endpoint_whose_key_is_gone_is_named_and_can_be_set_again(
    client: Client, cashdesks: CashDesks
) -> None:
    await client.add()
    url = client.cashdesk.hub.settings.database_url.get_secret_value()
    other = Client(await cashdesks(url, payments_secrets_key=Fernet.generate_key().decode()))
    assert await other.post() == 404
    assert (await other.one())["fault"]["code"] == "secret_unreadable"
    assert codes(await other.change(secrets={"signing_secret": NEW_SECRET})) == [
        ("api_key", "secret_unreadable")
    ]
    both = {"signing_secret": NEW_SECRET, "api_key": KEY}
    assert (await other.change(secrets=both)).status_code == 200
    assert ((await other.one())["fault"], await other.post(NEW_SECRET)) == (None, 200)


async def test_the_test_states_the_state_of_the_endpoint(
    cashdesks: CashDesks, provider: tuple[StripeApi, list[bytes]]
) -> None:
    api, _ = provider
    client = Client(
        await cashdesks(payments_secrets_key=SECRETS_KEY, stripe_api_url=api.url, stripe_endpoints=())
    )
    await client.add()

    async def outcome() -> tuple[str, list[str]]:
        found = (await client.send(f"/{SLUG}/test")).json()
        return found["outcome"], found["missing"]

    assert await outcome() == ("not_found", [])
    events = [one for one in NEEDED if one != "refund.failed"]
    api.webhook_endpoints = [
        {"url": f"https://pay.example.com/webhooks/stripe/{SLUG}", "enabled_events": events}
    ]
    assert await outcome() == ("incomplete", ["refund.failed"])
    api.webhook_endpoints[0]["enabled_events"] = ["*"]
    assert await outcome() == ("complete", [])
    api.faults.append(500)
    assert await outcome() == ("unavailable", [])
    await client.change(secrets={"api_key": "sk_test_ofSomebodyElse0001"})
    assert await outcome() == ("refused", [])
    assert (await client.send("/no-such-endpoint/test")).status_code == 404


async def test_the_command_compares_stored_endpoints_too(
    cashdesks: CashDesks, provider: tuple[StripeApi, list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    api, _ = provider
    given = {"payments_secrets_key": SECRETS_KEY, "stripe_api_url": api.url, "stripe_endpoints": ()}
    client = Client(await cashdesks(**given))
    await client.add()
    settings = client.cashdesk.hub.settings
    assert isinstance(settings, PaymentsSettings)
    assert await asyncio.to_thread(main, settings, []) == 1
    assert f"stripe {SLUG} (shop {SHOP}): not compared" in capsys.readouterr().out


async def test_every_route_needs_the_token(client: Client) -> None:
    assert (await client.cashdesk.client.get("/internal/endpoints?shop=x")).status_code == 401
    assert (await client.cashdesk.client.post("/internal/endpoints", json={})).status_code == 401
