"""The per-process cache of a shop's kinds, with the approximate number of orders of each.

Invariant: the dictionary is complete whenever a list is read: its rows are never changed or removed while
orders are written, and a migration that numbers the kinds again changes the sum of the numbers. The shares
are PostgreSQL's own statistics, minutes old; they affect the choice of a plan, never the result.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.chassis.storage.database import Connection
from services.orders.listing.finder.kinds import Facet

SHARES_SECONDS = 60.0


@dataclass(slots=True)
class FacetCounts:
    """The kinds of one shop. `orders` is the approximate number of orders of all shops."""

    kinds: Sequence[Facet] = ()
    shares: Mapping[int, float] = field(default_factory=dict)
    shares_at: float = -SHARES_SECONDS
    orders: float = 0.0
    version: tuple[int, int] = (0, 0)
    """The number of kinds in the dictionary when it was read, and the sum of their numbers."""

    def share(self, kinds: Sequence[int]) -> float | None:
        """Return the approximate share of the shop's orders that are of these kinds; None without statistics."""
        every = sum(self.shares.get(kind.kind_id, 0.0) for kind in self.kinds)
        if not every:
            return None
        return sum(self.shares.get(kind_id, 0.0) for kind_id in kinds) / every


class Statistics:
    """The kinds of every shop this process has listed."""

    def __init__(self) -> None:
        self._shops: dict[str, FacetCounts] = {}

    async def of(self, connection: Connection, shop: str) -> FacetCounts:
        """Return the shop's current kinds."""
        known = self._shops.setdefault(shop, FacetCounts())
        version = tuple(await connection.fetchrow(VERSION, shop))
        if version != known.version:
            known.version = version
            known.kinds = [_kind(row) for row in await connection.fetch(KINDS, shop)]
            known.shares_at -= SHARES_SECONDS
        if time.monotonic() - known.shares_at > SHARES_SECONDS:
            row = await connection.fetchrow(SHARES)
            known.shares = dict(zip(row["kinds"], row["shares"], strict=True)) if row else {}
            known.orders = row["orders"] if row else 0.0
            known.shares_at = time.monotonic()
        return known


VERSION = "select count(*), coalesce(sum(kind_id), 0)::numeric from order_kind where shop = $1"
KINDS = """select kind_id, module, payment_method, currency, state, label, payment_status, fulfilment_status, carriers,
                  flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back
           from order_kind where shop = $1"""
SHARES = """select most_common_vals::text::bigint[] as kinds, most_common_freqs as shares,
                   (select reltuples from pg_class where oid = 'public.orders'::regclass) as orders
            from pg_stats where schemaname = 'public' and tablename = 'orders' and attname = 'kind_id'
              and most_common_vals is not null"""


def _kind(row: Mapping[str, Any]) -> Facet:
    return Facet(**{**row, "carriers": tuple(row["carriers"]), "flags": tuple(row["flags"])})
