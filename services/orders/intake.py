"""The submissions of one unit: who owns which idempotency key, which code each order gets, what is inserted.

Invariant: a key is claimed, and the code and id of an order found free, in the transaction that places or refuses it; a
storefront that sends twice through two processes waits here for the first one's answer.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from contracts.message import Reason
from contracts.storefront import OrderSubmitted
from services.chassis.database import Connection
from services.chassis.subscribers import Delivery
from services.chassis.writing import Writer
from services.orders import checkout_store, store
from services.orders.order import Stage
from services.orders.record import Order
from services.orders.short_code import code_of
from services.orders.submission import (
    Accepted,
    Claim,
    ClaimKey,
    Refused,
    body_of,
    content_hash,
    is_foreign,
    key_of,
    order_id_of,
)

_REASONS = TypeAdapter(list[Reason])


class Intake:
    """Claims by key, codes and bodies by submission id, and the rows of what was placed and refused."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self.claims: dict[ClaimKey, Claim] = {}
        self.codes: dict[store.OrderKey, str] = {}
        self.bodies: dict[UUID, bytes] = {}
        self.hashes: dict[UUID, bytes] = {}
        self.orders: list[tuple[Any, ...]] = []
        self.placed_checkouts: list[tuple[Any, ...]] = []
        self.lines: list[tuple[Any, ...]] = []
        self.refusals: list[tuple[Any, ...]] = []

    async def load(
        self,
        deliveries: Sequence[Delivery[OrderSubmitted]],
        checkouts: Collection[store.OrderKey],
        known: Mapping[store.OrderKey, Order],
    ) -> None:
        """Find a free code for every order to be, claim the keys, and read who has those already claimed.

        `checkouts` may become orders to be shown; `known` are the orders that are there and locked.
        """
        own = []
        for delivery in deliveries:
            self.bodies[delivery.envelope.id] = body_of(delivery.message)
            if not is_foreign(delivery.user_id, delivery.message):
                own.append(delivery)
        keys = {(one.message.shop, order_id_of(one.message, one.envelope.id)) for one in own} | set(checkouts)
        self.codes = {key: order.code for key, order in known.items() if order.stage is not Stage.PLACED}
        if new := [key for key in keys if key not in known]:
            await self._choose_codes(new)
        if own:
            await self._claim(own)

    async def _choose_codes(self, keys: Sequence[store.OrderKey]) -> None:
        """Give each order the first code that no order of its shop has; an id that is taken gets none."""
        salts = dict.fromkeys(keys, 0)
        while salts:
            chosen = {(shop, code) for (shop, _), code in self.codes.items()}
            tried: dict[store.OrderKey, str] = {}
            for (shop, order_id), salt in salts.items():
                while (shop, code := code_of(order_id, salt)) in chosen:
                    salt += 1
                chosen.add((shop, code))
                tried[shop, order_id], salts[shop, order_id] = code, salt
            found = await store.find_taken(self._connection, [(*key, code) for key, code in tried.items()])
            retried = {
                (row["shop"], row["order_id"]) for row in found if row["code_taken"] and not row["id_taken"]
            }
            self.codes |= {
                (row["shop"], row["order_id"]): tried[row["shop"], row["order_id"]]
                for row in found
                if not row["code_taken"] and not row["id_taken"]
            }
            salts = {key: salts[key] + 1 for key in retried}

    async def _claim(self, deliveries: Sequence[Delivery[OrderSubmitted]]) -> None:
        wanted: dict[ClaimKey, tuple[Any, ...]] = {}
        keys: set[ClaimKey] = set()
        for delivery in deliveries:
            sale, event_id = delivery.message, delivery.envelope.id
            key = key_of(sale)
            keys.add(key)
            self.hashes[event_id] = content_hash(sale, self.bodies[event_id])
            if key not in wanted and (sale.shop, order_id_of(sale, event_id)) in self.codes:
                wanted[key] = self._claiming(sale, event_id)
        if wanted:
            await self._claim_keys([wanted[key] for key in sorted(wanted)])
        taken = sorted(keys - self.claims.keys())
        if taken:
            for row in await store.read_claims(self._connection, taken):
                self.claims[row["shop"], row["module"], row["idempotency_key"]] = _claim_of(row)

    def _claiming(self, sale: OrderSubmitted, submission_id: UUID) -> tuple[Any, ...]:
        content = self.hashes[submission_id], self.bodies[submission_id].decode()
        return (*key_of(sale), submission_id, *content, sale.checkout_id)

    async def _claim_keys(self, rows: Sequence[tuple[Any, ...]]) -> None:
        fresh = await store.claim_keys(self._connection, rows, self._now)
        self.claims |= {row[:3]: Claim(row[3], row[4], is_fresh=True) for row in rows if row[3] in fresh}

    async def claim(self, sale: OrderSubmitted, submission_id: UUID) -> Claim | None:
        """Claim the key of a sale that nobody submitted; None when it is somebody's already."""
        if key_of(sale) in self.claims:
            return None
        self.bodies[submission_id] = body_of(sale)
        self.hashes[submission_id] = content_hash(sale, self.bodies[submission_id])
        await self._claim_keys([self._claiming(sale, submission_id)])
        return self.claims.get(key_of(sale))

    async def save(self, writes: Writer) -> None:
        """Insert what was placed and what was refused."""
        if self.placed_checkouts:
            await checkout_store.place_orders(writes, self.placed_checkouts, self._now)
        if self.orders:
            await store.insert_orders(writes, self.orders, self._now)
        if self.lines:
            await store.insert_lines(self._connection, self.lines)
        if self.refusals:
            await store.insert_refusals(writes, self.refusals, self._now)


def _claim_of(row: store.Row) -> Claim:
    claim = Claim(row["submission_id"], row["content_hash"])
    if row["code"] is not None:
        claim.answer = Accepted(
            row["order_id"], row["code"], row["source_reference"], row["total_minor"], row["currency"]
        )
    elif row["reasons"] is not None:
        claim.answer = Refused(_REASONS.validate_json(row["reasons"]))
    return claim


def reasons_json(reasons: list[Reason]) -> str:
    """Reasons as they are kept."""
    return _REASONS.dump_json(reasons, exclude_none=True).decode()
