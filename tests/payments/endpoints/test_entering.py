"""What is wrong with an endpoint as a person enters it is named by field, and never with the typed value."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from services.payments.endpoints.vault import SecretUnreadable, Vault, shown_part
from services.payments.providers.endpoint_form import EndpointEntry, faults_of
from services.payments.providers.paypal.settings import PaypalForm
from services.payments.providers.stripe.settings import StripeForm
from tests.builders.orders import SHOP
from tests.payments.builders import endpoint

WHSEC, KEY = "whsec_entered-by-a-person", "sk_test_enteredByAPerson01"
STRIPE = EndpointEntry("stripe-of-the-shop", SHOP, False, {}, {"signing_secret": [WHSEC], "api_key": [KEY]})
PAYPAL = EndpointEntry(
    "paypal-of-the-shop",
    SHOP,
    False,
    {"webhook_id": "1JE4291016473214C", "client_id": "client-entered-by-a-person"},
    {"client_secret": ["secret-entered-by-a-person"]},
)


def stripe_faults(others: Any = (), slugs: Any = (), **changes: Any) -> list[tuple[str | None, str]]:
    """Field and code of each fault of the Stripe entry with changes."""
    entry = EndpointEntry(**{**{name: getattr(STRIPE, name) for name in STRIPE.__slots__}, **changes})
    return [(reason.field, reason.code) for reason in faults_of(StripeForm(), entry, others, slugs)]


def paypal_faults(others: Any = (), standin: bool = False, **changes: Any) -> list[tuple[str | None, str]]:
    """Field and code of each fault of the PayPal entry with changes."""
    entry = EndpointEntry(**{**{name: getattr(PAYPAL, name) for name in PAYPAL.__slots__}, **changes})
    form = PaypalForm(has_standin=standin)
    return [(reason.field, reason.code) for reason in faults_of(form, entry, others, ())]


def test_entries_without_a_fault_become_endpoints() -> None:
    assert stripe_faults() == paypal_faults() == []
    stripe = StripeForm().endpoint(STRIPE)
    assert (stripe.secrets, stripe.api_key) == ((SecretStr(WHSEC),), SecretStr(KEY))
    paypal = PaypalForm(has_standin=False).endpoint(PAYPAL)
    assert (paypal.webhook_id, paypal.client_secret) == (
        "1JE4291016473214C",
        SecretStr("secret-entered-by-a-person"),
    )


@pytest.mark.parametrize("slug", ["", "short", "with blanks in it", "accentuée-é", "../../etc", "a" * 65])
def test_a_slug_is_plain(slug: str) -> None:
    assert stripe_faults(slug=slug) == [("slug", "slug_unusable")]


def test_a_slug_is_used_once() -> None:
    assert stripe_faults(slugs=[STRIPE.slug]) == [("slug", "slug_taken")]


@pytest.mark.parametrize(
    "secret", ["whsec_", "sk_test_enteredByAPerson01", "whsec_with blanks inside", "x" * 40]
)
def test_a_signing_secret_has_its_prefix(secret: str) -> None:
    found = stripe_faults(secrets={"signing_secret": [secret], "api_key": [KEY]})
    assert found == [("signing_secret", "signing_secret_unusable")]


def test_a_missing_secret_is_named() -> None:
    assert stripe_faults(secrets={}) == [("signing_secret", "field_missing")]
    assert paypal_faults(secrets={"client_secret": [""]}) == [("client_secret", "field_missing")]
    assert paypal_faults(texts={"client_id": PAYPAL.texts["client_id"]}) == [("webhook_id", "field_missing")]


@pytest.mark.parametrize(
    ("key", "is_live", "code"),
    [
        ("pk_test_enteredByAPerson01", False, "api_key_unusable"),
        ("whsec_entered-by-a-person", False, "api_key_unusable"),
        ("sk_live_enteredByAPerson01", False, "api_key_is_live"),
        ("rk_test_enteredByAPerson01", True, "api_key_is_test"),
    ],
)
def test_an_api_key_is_of_the_endpoints_mode(key: str, is_live: bool, code: str) -> None:
    found = stripe_faults(is_live=is_live, secrets={"signing_secret": [WHSEC], "api_key": [key]})
    assert found == [("api_key", code)]


def test_restricted_keys_and_those_of_an_organization_are_accepted() -> None:
    for key in ("rk_live_enteredByAPerson01", "sk_org_live_enteredByAPerson01"):
        assert stripe_faults(is_live=True, secrets={"signing_secret": [WHSEC], "api_key": [key]}) == []


def test_one_endpoint_of_a_shop_sends_refunds() -> None:
    assert stripe_faults(others=[endpoint(api_key="sk_test_anotherKey0001")]) == [
        ("api_key", "api_key_taken")
    ]
    assert stripe_faults(others=[endpoint()]) == []
    assert paypal_faults(others=[endpoint()]) == [(None, "paypal_endpoint_taken")]


@pytest.mark.parametrize("webhook_id", ["WEBHOOK_ID", "webhook_id"])
def test_the_simulators_webhook_id_is_refused(webhook_id: str) -> None:
    texts = {**PAYPAL.texts, "webhook_id": webhook_id}
    assert paypal_faults(texts=texts) == [("webhook_id", "webhook_id_of_simulator")]


def test_texts_in_another_form_are_refused() -> None:
    texts = {"webhook_id": "a b", "client_id": "short", "account": "lower-case"}
    assert paypal_faults(texts=texts) == [
        ("webhook_id", "webhook_id_unusable"),
        ("client_id", "client_id_unusable"),
        ("account", "paypal_account_unusable"),
    ]
    assert stripe_faults(texts={"account": "42"}) == [("account", "stripe_account_unusable")]
    assert paypal_faults(secrets={"client_secret": ["short"]}) == [
        ("client_secret", "client_secret_unusable")
    ]
    assert stripe_faults(texts={"client_id": "of another provider"}) == [(None, "field_unknown")]


def test_nothing_is_live_beside_a_standin() -> None:
    assert paypal_faults(standin=True, is_live=True) == [("livemode", "live_beside_standin")]
    assert paypal_faults(is_live=True) == []


def test_no_message_repeats_what_was_typed() -> None:
    wrong = "sk_live_typedIntoTheWrongField"
    entry = EndpointEntry(wrong + "!", SHOP, False, {"account": wrong}, {"signing_secret": [wrong]})
    texts = [reason.message for reason in faults_of(StripeForm(), entry, [], [])]
    assert len(texts) == 3
    assert not any(wrong in text for text in texts)


def test_a_sealed_secret_opens_at_its_place_only() -> None:
    old, new = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
    both = SecretStr(f"{new.get_secret_value()} {old.get_secret_value()}")
    sealed = Vault(old).seal("slug-of-one", "api_key", KEY)
    assert KEY.encode() not in sealed
    assert Vault(both).open("slug-of-one", "api_key", sealed) == KEY
    for vault, slug in (
        (Vault(new), "slug-of-one"),
        (Vault(None), "slug-of-one"),
        (Vault(old), "slug-of-two"),
    ):
        with pytest.raises(SecretUnreadable):
            vault.open(slug, "api_key", sealed)


def test_at_most_four_characters_of_a_secret_are_shown() -> None:
    assert shown_part(KEY) == KEY[-4:]
    assert shown_part("fifteen-letters") == ""
