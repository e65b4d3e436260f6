"""An event id that comes again with other content is told and judged by a person, never counted as a repeat."""

import asyncio
import json
from typing import Any

import pytest

from tests.builders.orders import SHOP
from tests.payments.builders import as_body, intent_id, placed, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.webhooks.test_money_is_seen import TOKEN


def _pair(payment: str) -> tuple[dict[str, Any], dict[str, Any]]:
    first, second = succeeded(payment, 3000), succeeded(payment, 9000)
    return first, {**second, "id": first["id"]}


async def _rows(cashdesk: CashDesk) -> list[tuple[Any, ...]]:
    rows = await cashdesk.desk.fetch(
        "SELECT state, reason, deliveries, amount_minor FROM webhook ORDER BY state, reason"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("together", [True, False])
async def test_other_content_under_a_known_event_id_waits_for_a_person(
    cashdesk: CashDesk, together: bool
) -> None:
    order = placed(9000, reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    first, second = _pair(payment)
    if together:
        await asyncio.gather(*(cashdesk.post(one) for one in (first, first, second, second)))
    else:
        for one in (first, first, second, second):
            await cashdesk.post(one)
    await cashdesk.apply()
    states = {row[0]: row[1:] for row in await _rows(cashdesk)}
    assert set(states) == {"applied", "parked"}
    assert states["parked"][:2] == ("other_content", 2)
    assert states["applied"][1] == 2
    await cashdesk.check_ledger()


async def test_a_person_has_it_applied(cashdesk: CashDesk) -> None:
    order = placed(9000, reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    first, second = _pair(payment)
    await cashdesk.pay(first)
    await cashdesk.pay(second)
    assert (await cashdesk.account(order))["received_minor"] == 3000
    webhook_id = await cashdesk.desk.fetchval("SELECT id FROM webhook WHERE state = 'parked'")
    answer = await cashdesk.client.post(
        f"/internal/webhooks/{webhook_id}/redrive", json={"shop": SHOP, "actor": "marie"}, headers=TOKEN
    )
    assert answer.status_code == 202
    await cashdesk.apply()
    assert (await cashdesk.account(order))["received_minor"] == 9000


async def test_the_same_content_in_other_bytes_is_a_repeat(cashdesk: CashDesk) -> None:
    """Stripe counts the deliveries that are left in the event itself; two endpoints may have other versions."""
    order = placed(3000, reference=(payment := intent_id()))
    await cashdesk.desk.deliver(order)
    first = succeeded(payment, 3000)
    await cashdesk.pay(first, {**first, "pending_webhooks": 2})
    await cashdesk.post(json.dumps(first).encode())
    await cashdesk.apply()
    assert [row[:2] for row in await _rows(cashdesk)] == [
        ("applied", None),
        ("duplicate", None),
        ("duplicate", None),
    ]
    assert (await cashdesk.account(order))["received_minor"] == 3000


async def test_a_repeat_is_a_delivery_more_whatever_became_of_the_first(cashdesk: CashDesk) -> None:
    one = succeeded(intent_id())
    await cashdesk.pay(one)
    assert await cashdesk.post(as_body(one)) == 200
    assert await _rows(cashdesk) == [("waiting", "order_unknown", 2, 5000)]
