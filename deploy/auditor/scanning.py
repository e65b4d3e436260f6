"""Scans of the continuous auditor: at changes, at earlier findings, and at a piece of everything else.

The cost of a scan follows the amount of change, and everything is checked repeatedly, however large the
data. A small system is checked as a whole each time.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog

from contracts.envelope import uuid7_floor
from deploy.auditor.auditing import run_checks
from deploy.auditor.finding import CHECKS, Violation
from deploy.auditor.inputs import Inputs, Journals
from deploy.auditor.scope import Scope, within

FOR_PEOPLE = frozenset(("nothing_is_parked",))
"""Not checked here: a parked message is on the Operations page, with the actions available for it."""
EACH_TIME = (
    "outboxes_are_empty",
    "no_effect_is_left",
    "no_webhook_failed",
    "no_change_is_overdue",
    "nothing_is_overdue",
)
"""Checks whose queries read only indexes of unfinished work: part of every scan."""
AS_A_WHOLE = (
    "every_submission_is_answered",
    "every_claimed_key_is_an_order",
    "webhooks_add_up",
    "received_amounts_are_the_providers",
    "refunds_in_webhooks_are_recorded",
    "no_accepted_webhook_is_lost",
    "no_more_goes_back_than_came_in",
    "transfers_out_are_transfers_in",
    "reserved_stock_is_open_reservations",
    "no_stock_is_negative",
    "movements_explain_every_level",
    "no_mail_went_twice",
    "every_sent_mail_was_accepted",
    "every_accepted_mail_was_planned",
)
"""Checks that see more than one order at once; each is a piece of its own."""
ORDERS_OF_A_PIECE = 1000
PIECES_SECONDS = 2.0
"""Time that a scan spends on pieces of everything else."""
OVERLAP = timedelta(minutes=1)
"""Overlap with the last scan: events whose ids are older than it by up to this may have been committed since."""
HEADS = {
    "orders": ("orders", "deleted_order"),
    "payments": ("account",),
    "fulfillment": ("fulfilment_order",),
    "notifier": ("addressee",),
}
"""Table in which each service keeps one row for each order."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHANGED = """SELECT DISTINCT shop, subject FROM msg.event_log WHERE id >= $1 AND shop IS NOT NULL
    AND subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"""

_NAMED = "SELECT DISTINCT shop, subject FROM msg.event_log WHERE subject = ANY($1) AND type = 'orders.order.placed.v1'"
_LOST = """SELECT DISTINCT e.shop, e.subject FROM msg.event_log e WHERE e.type = 'orders.order.placed.v1'
    AND NOT EXISTS (SELECT FROM orders o WHERE o.order_id = e.subject::uuid AND o.shop = e.shop)
    AND NOT EXISTS (SELECT FROM deleted_order d WHERE d.order_id = e.subject::uuid AND d.shop = e.shop)"""

Orders = dict[str, set[UUID]]
"""Ids of orders by shop."""
log = structlog.get_logger()


def by_order() -> list[str]:
    """Return the checks that see one order at a time."""
    apart = {*FOR_PEOPLE, *EACH_TIME, *AS_A_WHOLE}
    return [name for name in CHECKS if name not in apart]


@dataclass
class Progress:
    """Progress of the scans: when the last one began, and how the last full scan went."""

    began: datetime | None = None
    orders: int = 0
    full_scan_at: datetime | None = None
    full_scan_seconds: float | None = None
    full_scan_orders: int = 0


class Scanner:
    """Scanner of one set of databases, piece by piece. Unusable once a connection was lost."""

    def __init__(self, inputs: Inputs, progress: Progress) -> None:
        self._inputs, self.progress = inputs, progress
        self._pieces: AsyncIterator[Scope | str] | None = None
        self._full_scan_began, self._full_scan_orders = 0.0, 0

    async def scan(
        self, suspected: Collection[Violation], journals: Callable[[], Journals] | None = None
    ) -> list[Violation]:
        """Check what has changed since the last scan, at what was suspected then, and at some pieces of everything
        else.

        `journals` are read again after the scan began. Raises ConnectionLost.
        """
        began, self.progress.orders = datetime.now(UTC), 0
        if journals is not None:
            self._inputs = replace(self._inputs, journals=journals())
        again = {one.check for one in suspected}
        found = await run_checks(self._inputs, [*EACH_TIME, *(name for name in AS_A_WHOLE if name in again)])
        for scope in await self._due(suspected):
            found += await self._scan_scope(scope)
        self.progress.began = began
        found += await self._some_pieces()
        return list(dict.fromkeys(found))

    async def _due(self, suspected: Collection[Violation]) -> list[Scope]:
        """Return the subjects of messages since the last scan, and what is suspected."""
        due: Orders = defaultdict(set)
        if self.progress.began is not None:
            since = uuid7_floor(self.progress.began - OVERLAP)
            for connection in self._inputs.connections.values():
                for row in await connection.fetch(_CHANGED, since):
                    due[row["shop"]].add(UUID(row["subject"]))
        apart = {*EACH_TIME, *AS_A_WHOLE}
        named = [
            {UUID(text) for text in _UUID.findall(one.where)} for one in suspected if one.check not in apart
        ]
        known = await self._orders_among(set().union(*named))
        for shop, orders in known.items():
            due[shop] |= orders
        every = set().union(*known.values())
        rest = [Scope(None)] if any(every.isdisjoint(ids) for ids in named) else []
        return [Scope(shop, ids) for shop, orders in due.items() for ids in _parts(sorted(orders))] + rest

    async def _orders_among(self, ids: set[UUID]) -> Orders:
        found: Orders = defaultdict(set)
        for service, names in HEADS.items():
            for name in names if ids else ():
                sql = f"SELECT shop, order_id FROM {name} WHERE order_id = ANY($1)"  # noqa: S608
                for row in await self._inputs.connections[service].fetch(sql, list(ids)):
                    found[row["shop"]].add(row["order_id"])
        for row in await self._inputs.orders.fetch(_NAMED, list(map(str, ids))) if ids else ():
            found[row["shop"]].add(UUID(row["subject"]))
        return found

    async def _scan_scope(self, scope: Scope) -> list[Violation]:
        self.progress.orders += len(scope.orders)
        return await run_checks(within(self._inputs, scope), by_order())

    async def _some_pieces(self) -> list[Violation]:
        """Continue the full scan for a while; the next one begins when it ends."""
        until, found = monotonic() + PIECES_SECONDS, []
        while monotonic() < until:
            if self._pieces is None:
                self._pieces = pieces(self._inputs)
                self._full_scan_began, self._full_scan_orders = monotonic(), 0
            piece = await anext(self._pieces, None)
            if piece is None:
                self._end_full_scan()
                break
            if isinstance(piece, Scope):
                self._full_scan_orders += len(piece.orders)
                found += await self._scan_scope(piece)
            else:
                found += await run_checks(self._inputs, [piece])
        return found

    def _end_full_scan(self) -> None:
        self._pieces = None
        self.progress.full_scan_at = datetime.now(UTC)
        self.progress.full_scan_seconds = monotonic() - self._full_scan_began
        self.progress.full_scan_orders = self._full_scan_orders
        log.info(
            "full scan finished",
            orders=self._full_scan_orders,
            seconds=round(self.progress.full_scan_seconds, 1),
        )


def _parts(ids: list[UUID]) -> list[list[UUID]]:
    return [ids[start : start + ORDERS_OF_A_PIECE] for start in range(0, len(ids), ORDERS_OF_A_PIECE)]


async def pieces(inputs: Inputs) -> AsyncIterator[Scope | str]:
    """Yield everything in pieces: the orders of each shop, rows that belong to no order, and the checks of
    more than one order.
    """
    for shop in await _shops(inputs):
        after = UUID(int=0)
        while ids := await _next_orders(inputs, shop, after):
            yield Scope(shop, ids)
            after = ids[-1]
    lost: Orders = defaultdict(set)
    for row in await inputs.orders.fetch(_LOST):
        lost[row["shop"]].add(UUID(row["subject"]))
    for shop, orders in lost.items():
        for part in _parts(sorted(orders)):
            yield Scope(shop, part)
    yield Scope(None)
    for name in AS_A_WHOLE:
        yield name


async def _shops(inputs: Inputs) -> list[str]:
    found = set()
    for service, names in HEADS.items():
        for name in names:
            sql = f"""WITH RECURSIVE shops AS (
                          (SELECT shop FROM {name} ORDER BY shop LIMIT 1) UNION ALL
                          SELECT (SELECT t.shop FROM {name} t WHERE t.shop > shops.shop ORDER BY t.shop LIMIT 1)
                          FROM shops WHERE shops.shop IS NOT NULL)
                      SELECT shop FROM shops WHERE shop IS NOT NULL"""  # noqa: S608
            found |= {row["shop"] for row in await inputs.connections[service].fetch(sql)}
    return sorted(found)


async def _next_orders(inputs: Inputs, shop: str, after: UUID) -> list[UUID]:
    """Return the next orders by id that any service has recorded; at most as many as each service was asked
    for.
    """
    found, ends = set(), []
    for service, names in HEADS.items():
        for name in names:
            sql = f"SELECT order_id FROM {name} WHERE shop = $1 AND order_id > $2 ORDER BY order_id LIMIT $3"  # noqa: S608
            rows = await inputs.connections[service].fetch(sql, shop, after, ORDERS_OF_A_PIECE)
            ids = [row["order_id"] for row in rows]
            found |= set(ids)
            ends += ids[-1:] if len(ids) == ORDERS_OF_A_PIECE else []
    last = min(ends, default=None)
    return sorted(order_id for order_id in found if last is None or order_id <= last)
