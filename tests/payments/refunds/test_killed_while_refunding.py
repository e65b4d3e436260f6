"""kill -9 of the process that sends a refund, at each step: the provider makes one refund, the ledger has one entry."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from contracts.payments.refunds import RefundMode
from tests.builders.orders import SHOP
from tests.payments.builders import SECRET, SLUG, refund_order
from tests.payments.cashdesk import CashDesk
from tests.payments.paypal.conftest import Till as PayPalTill
from tests.payments.paypal.conftest import paypal, settings_for
from tests.payments.paypal.conftest import till as paypal_till
from tests.payments.refunds.test_sending_refunds import KEY, Till, effect, provider, till

__all__ = ["paypal", "paypal_till", "provider", "till"]
POINTS = {"effect_in_flight": 0, "before_commit@unit": 1, "after_commit@unit": 1}
"""By failpoint: the refunds that the provider has made when the process dies there."""
AMOUNT = 2000


async def run(cashdesk: CashDesk, settings: dict[str, Any], **environment: str) -> int:
    """Run the sending program to its end; its exit status."""
    url = cashdesk.hub.settings.database_url.get_secret_value()
    program = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "tests.payments.refunds.sending_program",
            url,
            json.dumps(settings, default=str),
        ),
        env={**os.environ, "PYTHONPATH": ".", **environment},
    )
    return await program.wait()


async def die_and_go_on(
    cashdesk: CashDesk, settings: dict[str, Any], point: str, made: Callable[[], int]
) -> None:
    """Kill the first process at a point; the next one ends its work."""
    assert await run(cashdesk, settings, COMPTOIR_FAILPOINT=point) == -signal.SIGKILL
    assert made() == POINTS[point]
    assert await effect(cashdesk) == ("done" if point.startswith("after") else "in_flight")
    assert await run(cashdesk, settings) == 0
    assert (made(), await effect(cashdesk)) == (1, "done")


@pytest.mark.parametrize("point", POINTS)
async def test_a_death_during_the_call_to_stripe_makes_one_refund(till: Till, point: str) -> None:
    cashdesk, order = till.cashdesk, till.order
    await till.ask(AMOUNT)
    endpoint = {"slug": SLUG, "shop": SHOP, "secrets": [SECRET], "livemode": False, "api_key": KEY}
    settings = {"stripe_endpoints": [endpoint], "stripe_api_url": till.api.url}
    await die_and_go_on(cashdesk, settings, point, lambda: len(till.api.refunds))
    await cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    assert [one for one in await cashdesk.entries(order) if one[0] == "refund_paid"] == [
        ("refund_paid", AMOUNT)
    ]
    assert (await cashdesk.account(order))["refunded_minor"] == AMOUNT


@pytest.mark.parametrize("point", POINTS)
async def test_a_death_during_the_call_to_paypal_makes_one_refund(
    paypal_till: PayPalTill, point: str
) -> None:
    desk = paypal_till
    order, _ = await desk.paid()
    await desk.cashdesk.desk.deliver(refund_order(order, AMOUNT, mode=RefundMode.SENT))
    settings = settings_for(desk.paypal)
    await die_and_go_on(desk.cashdesk, settings, point, lambda: len(desk.paypal.account.refunds))
    await desk.settle()
    entries = [one for one in await desk.cashdesk.entries(order) if one[0] == "refund_paid"]
    assert entries == [("refund_paid", AMOUNT)]
    assert (await desk.cashdesk.account(order))["refunded_minor"] == AMOUNT
