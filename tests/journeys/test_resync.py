"""Resync: orders has lost its copies of an order's money and goods, and the event logs no longer have the events;
the owners re-emit the order's state from their own tables, and the copies are restored row by row.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.sale import PaymentMethod
from tests.journeys.sales import a_sale, inks, notebooks
from tests.journeys.shop import Shop

COPIES = ("ledger_entry", "refund", "parcel", "unpacking", "lost_parcel", "shipment", "delivery")
OWNERS = ("payments", "fulfillment")
RESET = """UPDATE orders SET payment_version = 0, received_minor = 0, received_by_hand_minor = 0, refunded_minor = 0,
               marked_minor = 0, balance_minor = due_minor, fulfilment_version = 0, stock = 'not_required',
               line_positions = '[]', ship_packed = 0, ship_shipped = 0, ship_delivered = 0, carriers = '{}'
           WHERE order_id = $1"""
OWN = frozenset({"sequence", "revision", "changed_at"})
"""Columns that orders counts itself: a restored position is a change and gives a new revision."""
RECEIVED = (
    "SELECT to_jsonb(a) - 'revision' - 'cause_id' FROM activity a WHERE order_id = $1 AND kind = ANY($2)"
)
RESYNCED = [
    "payment_received",
    "parcel_packed",
    "parcel_unpacked",
    "shipment_dispatched",
    "delivery_recorded",
]
MAILS = 3
"""Number of mails about such an order: the recap, and one per shipment."""

pytestmark = pytest.mark.rows("C06")


async def test_lost_copies_are_resynced_by_their_owners(shop: Shop) -> None:
    order, mail = await lived(shop)
    async with Databases(shop) as databases, databases.without_logs(order):
        before, history = await databases.copies(order), await databases.history(order)
        assert all(before[name] for name in COPIES), before
        state = await databases.owners_state(order)
        await databases.lose(order)
        assert await databases.copies(order) != before
        await resync(shop, databases, [order])
        assert await databases.copies(order) == before
        assert await databases.history(order) == history
        once = await databases.everything(order)
        await resync(shop, databases, [order])
        assert await databases.everything(order) == once
        assert await databases.owners_state(order) == state
    assert len(shop.mails_now(mail)) == MAILS
    assert await shop.violations() == []


async def test_what_cannot_be_resynced_is_refused_with_the_reason(shop: Shop) -> None:
    body = {"consumer": "orders", "shop": shop.name, "actor": "ann"}
    wrongs: list[tuple[str, dict[str, Any], str]] = [
        ("payments", {"consumer": "notifier"}, "can resync these consumers: orders, not notifier"),
        ("notifier", {}, "replay its events instead"),
        ("payments", {"shop": "nowhere"}, "no such order of shop nowhere"),
        ("fulfillment", {"shop": 7}, "shop is missing"),
        ("fulfillment", {"orders": [str(uuid4())]}, "no such order"),
        ("payments", {"orders": ["A-17"]}, "'A-17' is not an order's id"),
        ("payments", {"orders": []}, "1 to 1,000"),
    ]
    for service, wrong, why in wrongs:
        async with shop.client(service) as http:
            answer = await http.post("/internal/resync", json={**body, **wrong})
        assert (answer.status_code, why in answer.json()["detail"]) == (422, True), answer.text
    async with shop.client("payments", "a-wrong-token") as http:
        assert (await http.post("/internal/resync", json=body)).status_code == 401


async def lived(shop: Shop) -> tuple[str, str]:
    """Create an order that was paid in two parts, partly marked as refunded, packed, unpacked, shipped and partly
    delivered; return its id and the customer's address.
    """
    sale = a_sale(notebooks(3), inks(2), method=PaymentMethod.CHEQUE)
    [order] = await shop.order(sale)
    total = (await shop.until_order(order, fulfilment_status="unfulfilled"))["balance_minor"]
    await shop.receive(order, PaymentMethod.CHEQUE, 1000)
    await shop.receive(order, PaymentMethod.CHEQUE, total - 1000)
    await shop.until_order(order, payment_status="paid")
    apart = await shop.pack(order, {1: 1})
    await shop.do(f"/orders/{order}/parcels/{apart}/unpacking", {})
    parcels = [await shop.pack(order, {1: 2}), await shop.pack(order, {1: 1, 2: 2})]
    shipments = [await shop.ship(order, [one], notify_customer=True) for one in parcels]
    await shop.deliver(order, shipments[0])
    today = datetime.now(UTC).date().isoformat()
    corrected = {"carrier": "Colissimo", "shipped_on": today, "expected_on": today}
    await shop.do(f"/orders/{order}/shipments/{shipments[1]}/correction", corrected)
    await shop.do(f"/orders/{order}/parcels/{parcels[1]}/loss", {"reason": "Enquête close"})
    marked = {"mode": "recorded", "amount_minor": 700, "currency": "EUR", "reason": "Geste"}
    await shop.do(f"/orders/{order}/refunds", marked)
    await shop.until_order(
        order, fulfilment_status="partially_delivered", payment_status="partially_refunded"
    )
    await shop.mails_to(sale.recipient, count=MAILS)
    return order, sale.recipient


async def resync(shop: Shop, databases: "Databases", orders: list[str]) -> None:
    """Count, start the resync, and wait until both owners have published it and orders has handled all of it."""
    body = {"consumer": "orders", "shop": shop.name, "orders": orders, "actor": "ann"}
    for owner in OWNERS:
        async with shop.client(owner) as http:
            counted = (await http.post("/internal/resync", json={**body, "dry": True})).json()
            assert (counted["resync_id"], counted["orders"]) == (None, len(orders))
            resync_id = (await http.post("/internal/resync", json=body)).json()["resync_id"]

            async def over(resync_id: str = resync_id, owner: str = owner) -> int | None:
                return await databases.received_all(owner, UUID(resync_id))

            messages = await shop.until("resync that was heard", over)
            (shown,) = [
                one
                for one in (await http.get("/internal/operations")).json()["resyncs"]
                if one["id"] == resync_id
            ]
        assert (shown["told"], shown["messages"], shown["actor"]) == (len(orders), messages, "ann")


class Databases:
    """Direct access to the services' databases."""

    def __init__(self, shop: Shop) -> None:
        self._urls = shop.system.databases
        self._open = AsyncExitStack()
        self._of: dict[str, asyncpg.Connection[Any]] = {}

    async def __aenter__(self) -> "Databases":
        for service in ("orders", *OWNERS):
            self._of[service] = await asyncpg.connect(self._urls[service])
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(connection.close() for connection in self._of.values()))

    @asynccontextmanager
    async def without_logs(self, order: str) -> AsyncIterator[None]:
        """Remove the order's events from the owners' logs inside the block; they are restored for the auditor."""
        for owner in OWNERS:
            await self._keep(owner, order)
        try:
            yield
        finally:
            for owner in OWNERS:
                assert not await self._of[owner].fetch("SELECT FROM msg.event_log WHERE subject = $1", order)
                await self._of[owner].execute("INSERT INTO msg.event_log SELECT * FROM kept")

    async def _keep(self, owner: str, order: str) -> None:
        connection = self._of[owner]
        await connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM msg.event_log LIMIT 0")
        await connection.execute(
            """WITH gone AS (DELETE FROM msg.event_log WHERE subject = $1 RETURNING *)
               INSERT INTO kept SELECT * FROM gone""",
            order,
        )

    async def lose(self, order: str) -> None:
        """Delete orders' copies of this order, and the activity derived from them."""
        async with self._of["orders"].transaction():
            for name in COPIES:
                await self._of["orders"].execute(f"DELETE FROM {name} WHERE order_id = $1", UUID(order))  # noqa: S608
            await self._of["orders"].execute(RESET, UUID(order))
            await self._of["orders"].execute(
                "DELETE FROM activity WHERE order_id = $1 AND kind = ANY($2)", UUID(order), RESYNCED
            )

    async def everything(self, order: str) -> dict[str, list[str]]:
        """Return all rows that orders has about the order, as text by table."""
        names = ("orders", "activity", "state_change", *COPIES)
        return {name: await self._rows("orders", name, order) for name in names}

    async def copies(self, order: str) -> dict[str, list[str]]:
        """Return the rows that orders copies, without its own counters. A refund is re-emitted with the current
        position.
        """
        found = {name: await self._rows("orders", name, order, ["version"]) for name in COPIES}
        return {**found, "orders": await self._rows("orders", "orders", order, OWN)}

    async def history(self, order: str) -> list[str]:
        """Return the activity about money and goods, with times and actors."""
        rows = await self._of["orders"].fetch(RECEIVED, UUID(order), RESYNCED)
        return sorted(row[0] for row in rows)

    async def owners_state(self, order: str) -> list[list[str]]:
        """Return the owners' own rows with their versions, which a resync must not change."""
        return [
            await self._rows("payments", "account", order),
            await self._rows("fulfillment", "fulfilment_order", order),
        ]

    async def received_all(self, owner: str, resync_id: UUID) -> int | None:
        """Return the number of messages of a resync, once orders has handled them all; None until then."""
        messages = await self._of[owner].fetchval(
            """SELECT messages FROM msg.resync r WHERE id = $1 AND ended_at IS NOT NULL
               AND NOT EXISTS (SELECT FROM msg.dispatch d WHERE d.replay_id = r.id)""",
            resync_id,
        )
        handled = await self._of["orders"].fetchval(
            "SELECT count(*) FROM msg.inbox WHERE source = $1", f"/{owner}#replay-{resync_id}"
        )
        return int(messages) if messages is not None and messages == handled else None

    async def _rows(self, service: str, name: str, order: str, without: Iterable[str] = ()) -> list[str]:
        rows = await self._of[service].fetch(
            f"SELECT (to_jsonb(t) - $2::text[])::text FROM {name} t WHERE order_id = $1",  # noqa: S608
            UUID(order),
            sorted(without),
        )
        return sorted(row[0] for row in rows)
