"""Events that an endpoint must be subscribed to are compared with those it has, by page and by command."""

import asyncio

import pytest

from services.payments.providers.paypal.event import KINDS
from services.payments.providers.paypal.needed import NEEDED
from services.payments.providers.port import EVERY_EVENT
from services.payments.settings import PaymentsSettings
from services.payments.webhooks.subscriptions import compare, main
from tests.payments.builders import endpoint as stripe_endpoint
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.paypal.conftest import SLUG, Till, settings_for


def test_every_event_that_is_read_is_needed_and_no_other() -> None:
    assert set(NEEDED) == set(KINDS)


def of(cashdesk: CashDesk) -> PaymentsSettings:
    """The settings of a process."""
    assert isinstance(cashdesk.hub.settings, PaymentsSettings)
    return cashdesk.hub.settings


async def answer(till: Till) -> list[dict[str, object]]:
    token = till.cashdesk.hub.settings.internal_token.get_secret_value()
    headers = {"authorization": f"Bearer {token}"}
    found = await till.cashdesk.client.get("/internal/webhooks/subscriptions", headers=headers)
    return [one for one in found.json()["endpoints"] if one["provider"] == "paypal"]


async def test_a_complete_webhook_lacks_nothing(till: Till) -> None:
    (one,) = await answer(till)
    assert (one["endpoint"], one["missing"], one["error"]) == (SLUG, [], None)
    assert one["needed"] == list(NEEDED)


async def test_what_a_webhook_lacks_is_named(till: Till) -> None:
    till.paypal.webhook.subscribed -= {"PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.CREATED"}
    (one,) = await answer(till)
    assert one["missing"] == ["PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.CREATED"]
    till.paypal.webhook.subscribed = {EVERY_EVENT}
    (one,) = await answer(till)
    assert one["missing"] == []


async def test_a_webhook_that_cannot_be_read_is_not_called_complete(till: Till) -> None:
    till.paypal.api.faults += [503]
    (one,) = await answer(till)
    assert "503" in str(one["error"])
    till.paypal.webhook.webhook_id = "ANOTHER"
    (one,) = await answer(till)
    assert "COMPTOIR_PAYPAL_ENDPOINTS" in str(one["error"])


async def test_the_answer_needs_the_token(till: Till) -> None:
    assert (await till.cashdesk.client.get("/internal/webhooks/subscriptions")).status_code == 401


async def test_the_command_states_what_is_missing_and_fails(
    till: Till, cashdesks: CashDesks, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = of(await cashdesks(**settings_for(till.paypal), stripe_endpoints=()))
    till.paypal.webhook.subscribed.discard("PAYMENT.CAPTURE.DENIED")
    assert await asyncio.to_thread(main, settings, []) == 1
    assert "not subscribed to PAYMENT.CAPTURE.DENIED" in capsys.readouterr().out
    till.paypal.webhook.subscribed.add("PAYMENT.CAPTURE.DENIED")
    settings = of(await cashdesks(**settings_for(till.paypal), stripe_endpoints=()))
    assert await asyncio.to_thread(main, settings, []) == 0
    assert await asyncio.to_thread(main, settings, ["more"]) == 2


async def test_an_endpoint_without_credentials_shows_it(cashdesks: CashDesks) -> None:
    settings = of(await cashdesks(stripe_endpoints=(stripe_endpoint(),)))
    (one,) = await compare(settings)
    assert "api_key" in (one.error or "")
    assert not one.is_complete
