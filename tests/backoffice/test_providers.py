"""Payment providers in the back office: for owners, secrets go one way, and each mistake has its sentence.

The payments service that stores and tests them is the real one, over real HTTP.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet

from deploy.demo.standins.stripe_api import StripeApi
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.settings.provider_words import PROVIDERS
from services.payments import api
from services.payments.endpoints.listing import forms
from services.payments.providers.stripe.needed import NEEDED
from services.payments.settings import PaymentsSettings
from tests.backoffice.browser import SHOP, Backoffice, Browser, Shown
from tests.backoffice.conftest import Backoffices
from tests.payments.builders import endpoint
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks, cashdesks
from tests.payments.refunds.test_sending_refunds import KEY, provider
from tests.serving import serving

__all__ = ["cashdesks", "provider"]
LIST = "/settings/providers"
SLUG, SECRET, NEW_SECRET = "added-by-an-owner", "whsec_typed-by-an-owner-0001", "whsec_typed-by-an-owner-0002"

CHOSEN = {"mode": "test", "kept_hours": "24"}
"""What the selects of an endpoint's form are left at."""


@dataclass(frozen=True)
class Systems:
    """A back office, the payments service that it asks, and Stripe behind that."""

    backoffice: Backoffice
    cashdesk: CashDesk
    stripe: StripeApi
    payments: AsyncExitStack

    async def stop_payments(self) -> None:
        """Payments does not answer any more."""
        await self.payments.aclose()


@pytest.fixture
async def systems(
    backoffices: Backoffices, cashdesks: CashDesks, provider: tuple[StripeApi, list[bytes]]
) -> AsyncIterator[Systems]:
    cashdesk = await cashdesks(
        stripe_endpoints=(endpoint(shop=SHOP), endpoint(slug="of-another-shop", shop="another-shop")),
        stripe_api_url=provider[0].url,
        payments_secrets_key=Fernet.generate_key().decode(),
    )
    served = api.build(cashdesk.hub, cashdesk.receiver, cashdesk.renderer)
    async with AsyncExitStack() as stack:
        backoffice = await backoffices(payments_url=await stack.enter_async_context(serving(served)))
        yield Systems(backoffice, cashdesk, provider[0], stack)


async def send(browser: Browser, path: str, **fields: str) -> Shown:
    """Send a form of these pages."""
    return await browser.post(f"{LIST}{path}", {"key": str(uuid4()), **fields})


async def add(browser: Browser, **changes: str) -> Shown:
    """Send the form for a Stripe endpoint."""
    given = {"slug": SLUG, "mode": "test", "password_signing_secret": SECRET, "password_api_key": KEY}
    return await send(browser, "/add/stripe", **{**given, **changes})


async def change(browser: Browser, **changes: str) -> Shown:
    """Send the form that the endpoint's page shows, with changes."""
    form = (await browser.get(f"{LIST}/{SLUG}")).form(f"{LIST}/{SLUG}/change")
    return await browser.post(form.action, {**dict(form.fields), **CHOSEN, **changes})


async def press(browser: Browser, action: str) -> Shown:
    """Press a button of the endpoint's page."""
    form = (await browser.get(f"{LIST}/{SLUG}")).form(f"{LIST}/{SLUG}{action}")
    return await browser.post(form.action, form.fields)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ACCOUNTANT, Role.FULFILMENT])
async def test_providers_are_for_owners(systems: Systems, role: Role) -> None:
    browser = await systems.backoffice.signed_in(role)
    for path in ("", f"/{SLUG}", "/add/stripe"):
        assert (await browser.get(f"{LIST}{path}")).status == 403
    assert (await add(browser)).status == 403


async def test_an_endpoint_is_added_shown_and_removed(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in(language="fr")
    assert "Défini dans l’environnement" in (await browser.get(LIST)).words
    added = await add(browser)
    assert (added.status, added.headers["location"]) == (303, f"{LIST}/{SLUG}")
    shown = await browser.get(f"{LIST}/{SLUG}")
    assert f"se termine par …{SECRET[-4:]}" in shown.words
    assert f"se termine par …{KEY[-4:]}" in shown.words
    assert f"/webhooks/stripe/{SLUG}" in (await browser.get(LIST)).words
    assert (await press(browser, "/remove")).status == 303
    assert SLUG not in (await browser.get(LIST)).words


async def test_no_page_audit_or_row_holds_a_secret(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    pages = [await add(browser, slug="x"), await add(browser), await browser.get(f"{LIST}/{SLUG}")]
    pages += [await browser.get(LIST), await change(browser, password_signing_secret=NEW_SECRET)]
    pages += [await press(browser, "/test"), await browser.get(f"{LIST}/{SLUG}")]
    assert not [page.status for page in pages for one in (SECRET, NEW_SECRET, KEY) if one in page.text]
    rows = await systems.backoffice.audit()
    details = [str(row["detail"]) for row in rows if row["action"].startswith("provider.")]
    assert any("signing_secret" in one and SLUG in one for one in details)
    found = await systems.backoffice.desk.fetch(
        """SELECT table_name FROM information_schema.tables
           WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
             AND query_to_xml(format('SELECT 1 FROM %I.%I AS one WHERE one::text ~ %L', table_schema, table_name,
                 $1::text), true, true, '')::text <> ''""",
        f"{SECRET}|{NEW_SECRET}|{KEY}",
    )
    assert found == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"slug": "court"}, "Enter 8 to 64 letters"),
        ({"slug": "of-another-shop"}, "Another endpoint already has this URL."),
        ({"password_signing_secret": ""}, "This field is required."),
        ({"password_signing_secret": "sk_test_inTheWrongField"}, "A signing secret begins with whsec_."),
        ({"password_api_key": "pk_test_inTheWrongField"}, "An API key begins with sk_test_"),
        ({"password_api_key": "sk_live_ofTheOtherMode01"}, "This is a live key"),
        ({"mode": "live"}, "This is a test key"),
        ({"mode": ""}, "Choose an option from the list."),
        ({"account": "42"}, "A connected account begins with acct_."),
    ],
)
async def test_a_mistake_has_its_sentence_and_typed_text_stays(
    systems: Systems, changes: dict[str, str], sentence: str
) -> None:
    browser = await systems.backoffice.signed_in()
    refused = await add(browser, **{"account": "acct_typedByAnOwner", **changes})
    assert (refused.status, sentence in refused.words) == (422, True)
    kept = dict(refused.form(f"{LIST}/add/stripe").fields)
    assert kept["account"] == changes.get("account", "acct_typedByAnOwner")
    assert kept["slug"] == changes.get("slug", SLUG)
    assert kept["password_signing_secret"] == kept["password_api_key"] == ""


async def test_paypals_mistakes_have_their_sentences(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    given = {"slug": "paypal-of-the-shop", "mode": "test", "client_id": "client-typed-by-an-owner"}
    given |= {"webhook_id": "WEBHOOK_ID", "password_client_secret": "short"}
    refused = await send(browser, "/add/paypal", **given)
    assert (refused.status, "WEBHOOK_ID is the value that PayPal’s simulator uses" in refused.words) == (
        422,
        True,
    )
    assert "A client secret has at least 16 characters" in refused.words
    given |= {"webhook_id": "1JE4291016473214C", "password_client_secret": "secret-typed-by-an-owner"}
    assert (await send(browser, "/add/paypal", **given)).status == 303
    again = await send(browser, "/add/paypal", **{**given, "slug": "another-for-paypal"})
    assert (again.status, "This shop already has a PayPal endpoint." in again.words) == (422, True)


async def test_while_payments_is_down_the_form_shows_it_and_keeps_its_text(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    await add(browser)
    form = (await browser.get(f"{LIST}/{SLUG}")).form(f"{LIST}/{SLUG}/change")
    await systems.stop_payments()
    assert "has not responded" in (await browser.get(LIST)).words
    assert "has not responded" in (await browser.get(f"{LIST}/{SLUG}")).words
    refused = await add(browser, account="acct_typedByAnOwner")
    assert (refused.status, "The service is not responding." in refused.words) == (422, True)
    assert dict(refused.form(f"{LIST}/add/stripe").fields)["account"] == "acct_typedByAnOwner"
    typed = {**dict(form.fields), **CHOSEN, "account": "acct_typedByAnOwner"}
    changed = await browser.post(form.action, typed)
    assert (changed.status, "The service is not responding." in changed.words) == (422, True)
    assert dict(changed.form(form.action).fields)["account"] == "acct_typedByAnOwner"


async def test_a_secret_is_rolled_and_the_old_one_removed(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    await add(browser)
    assert (await change(browser, password_signing_secret=NEW_SECRET)).status == 303
    shown = await browser.get(f"{LIST}/{SLUG}")
    assert f"ends in …{NEW_SECRET[-4:]}" in shown.words
    assert "Accepted until" in shown.words
    removals = [
        form for form in shown.forms if form.action.endswith("/remove") and "/secrets/" in form.action
    ]
    assert len(removals) == 2
    for form in removals:
        assert (await browser.post(form.action, form.fields)).status == 303
    left = await browser.get(f"{LIST}/{SLUG}")
    assert "Accepted until" not in left.words
    assert KEY[-4:] not in left.words
    removed = [row["detail"] for row in await systems.backoffice.audit() if "remove_secret" in row["action"]]
    assert [one in str(removed) for one in ("api_key", "signing_secret")] == [True, True]


async def test_an_old_page_is_refused(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    await add(browser)
    form = (await browser.get(f"{LIST}/{SLUG}")).form(f"{LIST}/{SLUG}/change")
    await change(browser, password_signing_secret=NEW_SECRET)
    late = await browser.post(form.action, {**dict(form.fields), **CHOSEN, "account": "acct_typedByAnOwner"})
    assert (late.status, "Somebody changed the endpoint in the meantime." in late.words) == (422, True)


async def test_the_button_tests_what_is_set(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    await add(browser)
    assert "has no webhook for this URL" in (await press(browser, "/test")).words
    events = [one for one in NEEDED if one != "refund.failed"]
    address = f"https://pay.example.com/webhooks/stripe/{SLUG}"
    systems.stripe.webhook_endpoints = [{"url": address, "enabled_events": events}]
    tested = await press(browser, "/test")
    assert (tested.status, "does not send these events" in tested.words) == (200, True)
    systems.stripe.webhook_endpoints[0]["enabled_events"] = list(NEEDED)
    assert "sends all required events" in (await press(browser, "/test")).words
    systems.stripe.faults.append(503)
    assert "returned an unexpected response" in (await press(browser, "/test")).words
    await change(browser, password_api_key="sk_test_ofSomebodyElse0001")
    assert "Invalid API Key provided." in (await press(browser, "/test")).words
    unset = await send(browser, "/hook-of-the-tests/test")
    assert "Without an API key, Stripe can’t be queried." in unset.words


async def test_endpoints_of_the_environment_and_of_other_shops_are_not_changed(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    own = (await browser.get(LIST)).text.split("/webhooks/stripe/")[1].split("<")[0]
    assert [
        form.action for form in (await browser.get(f"{LIST}/{own}")).forms if "/providers/" in form.action
    ] == [f"{LIST}/{own}/test"]
    assert (await send(browser, f"/{own}/remove")).status == 404
    assert (await browser.get(f"{LIST}/of-another-shop")).status == 404
    assert (await send(browser, "/of-another-shop/test")).status == 404


async def test_without_a_key_the_page_states_what_is_possible(
    backoffices: Backoffices, systems: Systems
) -> None:
    settings = systems.cashdesk.hub.settings
    assert isinstance(settings, PaymentsSettings)
    settings.payments_secrets_key = None
    browser = await systems.backoffice.signed_in()
    for path in ("", "/add/stripe"):
        shown = (await browser.get(f"{LIST}{path}")).words
        assert "COMPTOIR_PAYMENTS_SECRETS_KEY" in shown


async def test_the_forms_have_the_fields_that_payments_has(systems: Systems) -> None:
    settings = systems.cashdesk.hub.settings
    assert isinstance(settings, PaymentsSettings)
    here: dict[str, Any] = {
        name: {
            "texts": {one.name: one.is_required for one in words.texts},
            "secrets": {one.name: (one.is_required, one.rotates) for one in words.secrets},
        }
        for name, words in PROVIDERS.items()
    }
    assert here == {
        form["provider"]: {
            "texts": {one["name"]: one["required"] for one in form["texts"]},
            "secrets": {one["name"]: (one["required"], one["rotates"]) for one in form["secrets"]},
        }
        for form in forms(settings)
    }
