"""Of a webhook that ended its content goes after its time; that it came, and what it booked, stays."""

from services.chassis.retention import forget_due
from services.payments.retention import RULES
from tests.payments.builders import intent_id, placed, succeeded
from tests.payments.cashdesk import CashDesk


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
