"""Of a webhook that ended its content goes after its time; that it came, and what it booked, stays."""

from typing import Any

from services.chassis.background.retention import forget_due
from services.payments.webhooks.retention import RULES
from tests.builders.orders import SHOP
from tests.payments.builders import event, intent, intent_id, names, placed, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.webhooks.test_money_is_seen import TOKEN
from tests.payments.webhooks.test_webhook_before_its_order import fire_timers


async def _let_go(cashdesk: CashDesk) -> dict[str, bool]:
    """Forget what ended 91 days ago; by event id, whether the content is still there."""
    cashdesk.hub.is_clock_doubtful = False
    await cashdesk.desk.hub.pool.execute("UPDATE webhook SET handled_at = now() - interval '91 days'")
    await forget_due(cashdesk.hub, RULES)
    rows = await cashdesk.desk.fetch("SELECT event_id, length(body) > 2 AS is_kept FROM webhook")
    return {row["event_id"]: row["is_kept"] for row in rows}


async def test_the_content_of_an_applied_webhook_goes_and_a_repeat_is_still_known(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    paid, unknown = succeeded(payment), succeeded(intent_id())
    await cashdesk.pay(paid, unknown)
    before, entries = await cashdesk.ends(), await cashdesk.entries(order)
    cashdesk.hub.is_clock_doubtful = False
    await forget_due(cashdesk.hub, RULES)
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM webhook WHERE length(body) > 2") == 2
    await cashdesk.desk.hub.pool.execute("UPDATE webhook SET handled_at = now() - interval '91 days'")
    await forget_due(cashdesk.hub, RULES)
    rows = await cashdesk.desk.fetch("SELECT state, body, headers FROM webhook")
    emptied = {row["state"] for row in rows if row["body"] == b"{}" and row["headers"] == "{}"}
    kept = {row["state"] for row in rows if len(row["body"]) > 2}
    assert emptied == {"applied"}
    assert kept <= {"waiting", "parked"}
    assert await cashdesk.post(paid) == 200
    assert (await cashdesk.ends(), await cashdesk.entries(order)) == (before, entries)
    assert await cashdesk.desk.fetchval("SELECT max(deliveries) FROM webhook") == 2


async def test_money_that_was_set_aside_keeps_its_content_and_joins_an_order_that_names_it(
    cashdesk: CashDesk,
) -> None:
    payment = intent_id()
    one = succeeded(payment, 7000)
    await cashdesk.pay(one)
    word = {"actor": "marie", "reason": "Lien de paiement d’une autre boutique"}
    named: dict[str, Any] = {"shop": SHOP, "provider": "stripe", "provider_reference": payment, **word}
    await cashdesk.client.post("/internal/unmatched/set_aside", json=named, headers=TOKEN)
    assert await cashdesk.end_of(one) == ("irrelevant", "set_aside")
    assert await _let_go(cashdesk) == {one["id"]: True}
    await cashdesk.desk.deliver(order := placed(7000, reference=payment))
    await cashdesk.apply()
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_news_that_lost_its_content_stays_as_it_ended_when_its_order_comes(cashdesk: CashDesk) -> None:
    order = placed()
    news = event("payment_intent.created", intent(intent_id(), **names(order)))
    await cashdesk.pay(news)
    await fire_timers(cashdesk)
    assert await cashdesk.end_of(news) == ("irrelevant", "order_unknown")
    assert await _let_go(cashdesk) == {news["id"]: False}
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert await cashdesk.end_of(news) == ("irrelevant", "order_unknown")
