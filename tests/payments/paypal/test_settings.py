"""A service whose PayPal settings are missing, doubtful or made for a demonstration does not start live."""

import json
from typing import Any

import pytest

from services.chassis.settings import load_settings
from services.payments.settings import PaymentsSettings
from tests.payments.builders import SLUG as STRIPE_SLUG
from tests.payments.paypal.conftest import CLIENT_SECRET, endpoint
from tests.payments.test_settings import COMMON
from tests.payments.test_settings import one as stripe


def load(monkeypatch: pytest.MonkeyPatch, *endpoints: dict[str, Any], **more: str) -> PaymentsSettings:
    given = {"STRIPE_ENDPOINTS": json.dumps([stripe()]), "PAYPAL_ENDPOINTS": json.dumps(endpoints)}
    for name, value in {**COMMON, **given, **more}.items():
        monkeypatch.setenv(f"COMPTOIR_{name}", value)
    return load_settings(PaymentsSettings)


def test_endpoints_come_from_one_variable_and_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, endpoint(livemode=True))
    assert [one.livemode for one in settings.paypal_endpoints] == [True]
    assert CLIENT_SECRET not in repr(settings)


def test_a_merchant_without_paypal_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPTOIR_PAYPAL_ENDPOINTS", raising=False)
    monkeypatch.setenv("COMPTOIR_STRIPE_ENDPOINTS", "[]")
    for name, value in COMMON.items():
        monkeypatch.setenv(f"COMPTOIR_{name}", value)
    assert load_settings(PaymentsSettings).paypal_endpoints == ()


@pytest.mark.parametrize("webhook_id", ["WEBHOOK_ID", "webhook_id", "", " ", "a|b"])
def test_the_simulators_webhook_id_stops_the_service(
    monkeypatch: pytest.MonkeyPatch, webhook_id: str
) -> None:
    with pytest.raises(SystemExit, match="PAYPAL_ENDPOINTS"):
        load(monkeypatch, endpoint(webhook_id=webhook_id))


@pytest.mark.parametrize("secret", ["", "short", " " * 20, CLIENT_SECRET + " "])
def test_a_secret_that_is_none_stops_the_service(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        load(monkeypatch, endpoint(client_secret=secret))
    assert CLIENT_SECRET not in str(stopped.value)


@pytest.mark.parametrize("name", ["PAYPAL_STANDIN_HOST", "PAYPAL_STANDIN_ROOT_FILE"])
def test_a_standin_beside_a_live_endpoint_stops_the_service(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(SystemExit, match="demonstrations"):
        load(monkeypatch, endpoint(livemode=True), **{name: "127.0.0.1:8443"})
    settings = load(monkeypatch, endpoint(livemode=False), **{name: "127.0.0.1:8443"})
    assert len(settings.paypal_endpoints) == 1


def test_slugs_differ_between_providers_and_a_shop_has_one_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="same slug"):
        load(monkeypatch, endpoint(slug=STRIPE_SLUG))
    with pytest.raises(SystemExit, match="two endpoints"):
        load(monkeypatch, endpoint(), endpoint(slug="another-slug"))
