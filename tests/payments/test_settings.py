"""A service whose secrets are missing, blank or doubtful does not start, and says what to do."""

import json
from typing import Any

import pytest

from services.chassis.settings import load_settings
from services.payments.settings import PaymentsSettings
from tests.payments.builders import SECRET, SLUG

COMMON = {
    "DATABASE_URL": "postgresql://127.0.0.1/x",
    "AMQP_URL": "amqp://127.0.0.1/",
    "INTERNAL_TOKEN": "a-token-for-tests-only",
    "HTTP_PORT": "0",
}


def load(monkeypatch: pytest.MonkeyPatch, endpoints: list[dict[str, Any]] | None) -> PaymentsSettings:
    for name, value in COMMON.items():
        monkeypatch.setenv(f"COMPTOIR_{name}", value)
    if endpoints is None:
        monkeypatch.delenv("COMPTOIR_STRIPE_ENDPOINTS", raising=False)
    else:
        monkeypatch.setenv("COMPTOIR_STRIPE_ENDPOINTS", json.dumps(endpoints))
    return load_settings(PaymentsSettings)


def one(**changes: Any) -> dict[str, Any]:
    return {"slug": SLUG, "shop": "atelier", "secrets": [SECRET], "livemode": False, **changes}


def test_endpoints_come_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, [one(), one(slug="another-slug", secrets=[SECRET, SECRET + "2"])])
    assert [len(endpoint.secrets) for endpoint in settings.stripe_endpoints] == [1, 2]
    assert SECRET not in repr(settings)


def test_no_endpoint_at_all_is_a_choice_one_states(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, []).stripe_endpoints == ()
    with pytest.raises(SystemExit, match="COMPTOIR_STRIPE_ENDPOINTS"):
        load(monkeypatch, None)


@pytest.mark.parametrize("secrets", [[], [""], ["   "], ["short"], [SECRET, ""], [SECRET + " "], [" " * 40]])
def test_a_secret_that_is_none_stops_the_service(monkeypatch: pytest.MonkeyPatch, secrets: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        load(monkeypatch, [one(secrets=secrets)])
    assert "STRIPE_ENDPOINTS" in str(stopped.value)
    assert SECRET not in str(stopped.value)


def test_two_endpoints_with_one_slug_stop_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="same slug"):
        load(monkeypatch, [one(), one(shop="other")])
