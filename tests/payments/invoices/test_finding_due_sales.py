"""The search for sales to invoice: it reads no backlog, and no shop waits for another's."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from services.chassis.testing import Desk
from services.payments.invoices.store import FIND_DUE, FIND_DUE_SHOPS, find_due, find_due_shops
from tests.payments.cashdesk import CashDesk

BATCH = 100
BACKLOGS = {"atelier": 3_000, "maison": 3, "verger": 7}
"""Sales due, by shop; the largest backlog is that of the first shop."""


async def with_backlogs(cashdesk: CashDesk) -> Desk:
    """Payments with these sales due, as many again that are not."""
    desk = cashdesk.desk
    for shop, due in BACKLOGS.items():
        await desk.hub.pool.execute(
            """WITH one AS (
                   INSERT INTO account (shop, order_id, code, currency, method, opened_at, version, sequence, due_minor,
                       credited_minor, received_minor, received_by_hand_minor, refunded_minor, marked_minor,
                       disputed_minor, authorised_minor, balance_minor, attempt, flags)
                   SELECT $1, gen_random_uuid(), 'K7F3-QD9M', 'EUR', 'card', now(), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       'none', '{}' FROM generate_series(1, 2 * $2) RETURNING order_id)
               INSERT INTO sale (shop, order_id, placed_at, content, is_due)
               SELECT $1, order_id, now(), '{}', row_number() OVER () <= $2 FROM one""",
            shop,
            due,
        )
    await desk.hub.pool.execute("ANALYZE sale")
    return desk


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


async def test_due_sales_are_found_by_their_index_and_no_backlog_is_read(cashdesk: CashDesk) -> None:
    desk = await with_backlogs(cashdesk)
    stored = await desk.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {FIND_DUE}", BATCH, list(BACKLOGS))
    of_sales = [one for one in nodes(json.loads(stored)[0]["Plan"]) if one.get("Relation Name") == "sale"]
    assert [one.get("Index Name") for one in of_sales] == ["sale_due"]
    read = of_sales[0]["Actual Rows"] * of_sales[0]["Actual Loops"]
    assert read <= BATCH * len(BACKLOGS)
    stored = await desk.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {FIND_DUE_SHOPS}")
    of_sales = [one for one in nodes(json.loads(stored)[0]["Plan"]) if one.get("Relation Name") == "sale"]
    assert {one.get("Index Name") for one in of_sales} == {"sale_due"}
    assert sum(one["Actual Rows"] * one["Actual Loops"] for one in of_sales) <= len(BACKLOGS) + 1


async def test_small_shops_have_their_turn_beside_a_large_backlog(cashdesk: CashDesk) -> None:
    desk = await with_backlogs(cashdesk)
    async with desk.hub.acquire() as connection:
        assert await find_due_shops(connection) == sorted(BACKLOGS)
        found = await find_due(connection, BATCH, BACKLOGS)
        assert Counter(shop for shop, _ in found) == {"atelier": 90, "maison": 3, "verger": 7}
        found = await find_due(connection, BATCH, {"maison", "verger"})
        assert Counter(shop for shop, _ in found) == {"maison": 3, "verger": 7}
        assert await find_due(connection, BATCH, ()) == []
