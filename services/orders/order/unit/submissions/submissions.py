"""Submissions of one unit: owners of idempotency keys, codes of orders, rows to insert.

Invariant: a key is claimed, and the code and id of an order are found free, in the transaction that places
the sale; a storefront that sends twice through two processes waits here for the first answer. A key whose
sales were all refused is free again when the transaction ends.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from contracts.message import Reason
from contracts.sale import Module
from contracts.storefront import OrderSubmitted
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order import store
from services.orders.order.record import Order
from services.orders.order.short_code import code_of
from services.orders.order.state import Stage
from services.orders.order.unit.checkouts import checkout_store
from services.orders.order.unit.submissions import placed_store, submission_store
from services.orders.order.unit.submissions.submission import (
    Accepted,
    Claim,
    ClaimKey,
    Names,
    Received,
    is_foreign,
    key_of,
    names_of,
    order_id_of,
    received,
)

_REASONS = TypeAdapter(list[Reason])
RefusalKey = tuple[str, Module, str, bytes]
"""Shop, module, idempotency key and content hash of a refused submission."""


class Intake:
    """Claims by key, codes by order, submissions as received, and the rows of placed and refused sales."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._received: dict[int, Received] = {}
        self._inserted: dict[ClaimKey, UUID] = {}
        self.claims: dict[ClaimKey, Claim] = {}
        self.codes: dict[store.OrderKey, str] = {}
        self.orders: list[placed_store.PlacedOrderRow] = []
        self.placed_checkouts: list[checkout_store.PlacedCheckoutRow] = []
        self.lines: list[placed_store.LineRow] = []
        self.refusals: dict[RefusalKey, submission_store.RefusalRow] = {}
        self.joined: dict[store.OrderKey, submission_store.ReferenceRow] = {}

    async def load(
        self,
        deliveries: Sequence[ReceivedMessage[OrderSubmitted]],
        checkouts: Collection[store.OrderKey],
        known: Mapping[store.OrderKey, Order],
    ) -> None:
        """Choose a free code for every future order, claim the keys, and read the owners of those already
        claimed.

        `checkouts` may become visible orders; `known` are the existing, locked orders.
        """
        own = []
        for delivery in deliveries:
            self._received[id(delivery)] = received(delivery.message)
            if not is_foreign(delivery.user_id, delivery.message):
                own.append(delivery)
        keys = {(one.message.shop, order_id_of(one.message, one.envelope.id)) for one in own} | set(checkouts)
        self.codes = {key: order.code for key, order in known.items() if order.stage is not Stage.PLACED}
        if new := [key for key in keys if key not in known]:
            await self._choose_codes(new)
        if own:
            await self._claim(own)

    async def _choose_codes(self, keys: Sequence[store.OrderKey]) -> None:
        """Assign each order the first code that is free in its shop; an id that is taken gets none."""
        salts = dict.fromkeys(keys, 0)
        while salts:
            chosen = {(shop, code) for (shop, _), code in self.codes.items()}
            tried: dict[store.OrderKey, str] = {}
            for (shop, order_id), salt in salts.items():
                while (shop, code := code_of(order_id, salt)) in chosen:
                    salt += 1
                chosen.add((shop, code))
                tried[shop, order_id], salts[shop, order_id] = code, salt
            found = await placed_store.find_taken(
                self._connection, [placed_store.NewOrderRow(*key, code=code) for key, code in tried.items()]
            )
            retried = {
                (row["shop"], row["order_id"]) for row in found if row["code_taken"] and not row["id_taken"]
            }
            self.codes |= {
                (row["shop"], row["order_id"]): tried[row["shop"], row["order_id"]]
                for row in found
                if not row["code_taken"] and not row["id_taken"]
            }
            salts = {key: salts[key] + 1 for key in retried}

    async def _claim(self, deliveries: Sequence[ReceivedMessage[OrderSubmitted]]) -> None:
        wanted: dict[ClaimKey, tuple[OrderSubmitted, UUID, Received]] = {}
        for one in deliveries:
            wanted.setdefault(key_of(one.message), (one.message, one.envelope.id, self.received(one)))
        await self._claim_wanted(wanted)

    async def _claim_wanted(self, wanted: Mapping[ClaimKey, tuple[OrderSubmitted, UUID, Received]]) -> None:
        """Claim these keys and read the owners of those already claimed.

        A key without an order is released and claimed.
        """
        await self._claim_keys([wanted[key] for key in sorted(wanted)])
        await self._read_claims(wanted.keys() - self.claims.keys())
        if unused := sorted(key for key in wanted if not self._is_used(key)):
            await submission_store.free_refused_keys(self._connection, unused)
            await self._claim_keys([wanted[key] for key in unused])
            await self._read_claims([key for key in unused if not self._is_used(key)])

    async def _read_claims(self, keys: Collection[ClaimKey]) -> None:
        for row in await submission_store.read_claims(self._connection, sorted(keys)) if keys else ():
            self.claims[row["shop"], row["module"], row["idempotency_key"]] = _claim_of(row)

    def _is_used(self, key: ClaimKey) -> bool:
        """Return whether this unit claimed the key or an order has it; otherwise its order was deleted, or it
        is left over.
        """
        claim = self.claims.get(key)
        return claim is not None and (claim.is_fresh or claim.answer is not None)

    async def _claim_keys(self, wanted: Sequence[tuple[OrderSubmitted, UUID, Received]]) -> None:
        rows = [
            _claim_row(key_of(sale), _fresh(sale, event_id, content)) for sale, event_id, content in wanted
        ]
        free = await submission_store.claim_keys(self._connection, rows, self._now)
        for sale, event_id, content in wanted:
            if key_of(sale) in free:
                self.claims[key_of(sale)] = _fresh(sale, event_id, content)
                self._inserted[key_of(sale)] = event_id

    def received(self, received: ReceivedMessage[OrderSubmitted]) -> Received:
        """Return a submission of this unit in the form in which it is stored and compared."""
        return self._received[id(received)]

    def learning(self, deliveries: Sequence[ReceivedMessage[OrderSubmitted]]) -> set[store.OrderKey]:
        """Return the placed orders to which repeated submissions add a reference."""
        found = set()
        for one in deliveries:
            claim = self.claims.get(key_of(one.message))
            if (
                claim is not None
                and claim.answer is not None
                and claim.names.unknown_in(names_of(one.message)) != Names()
            ):
                found.add((one.message.shop, claim.answer.order_id))
        return found

    async def claim(self, sale: OrderSubmitted, submission_id: UUID) -> Claim | None:
        """Return the claim on the key of a sale that is about to be placed; None when another sale owns it."""
        key, content = key_of(sale), received(sale)
        if key not in self.claims:
            await self._claim_wanted({key: (sale, submission_id, content)})
        claim = self.claims.get(key)
        if claim is None or not claim.is_free:
            return None
        claim.hold(sale, submission_id, content)
        return claim

    async def save(self, writes: Writer) -> None:
        """Insert placed and refused sales."""
        await self._save_claims(writes)
        if self.placed_checkouts:
            await checkout_store.place_orders(writes, self.placed_checkouts, self._now)
        if self.orders:
            await placed_store.insert_orders(writes, self.orders, self._now)
        if self.lines:
            await placed_store.insert_lines(self._connection, self.lines)
        if self.refusals:
            await submission_store.insert_refusals(writes, list(self.refusals.values()), self._now)
        if self.joined:
            await submission_store.join_references(writes, self.joined)

    async def _save_claims(self, writes: Writer) -> None:
        """Release the keys with which no sale was placed; where the owner is not the first submission, write
        the owner.
        """
        fresh = {key: claim for key, claim in self.claims.items() if claim.is_fresh}
        if free := sorted(key for key, claim in fresh.items() if claim.is_free):
            await submission_store.free_keys(writes, free)
        handed = [
            _claim_row(key, claim)
            for key, claim in sorted(fresh.items())
            if not claim.is_free and claim.submission_id != self._inserted[key]
        ]
        if handed:
            await submission_store.hand_keys(writes, handed)


def _fresh(sale: OrderSubmitted, submission_id: UUID, content: Received) -> Claim:
    return Claim(submission_id, content.content_hash, content.body, names_of(sale), is_fresh=True)


def _claim_row(key: ClaimKey, claim: Claim) -> submission_store.SubmissionRow:
    return submission_store.SubmissionRow(
        *key,
        submission_id=claim.submission_id,
        content_hash=claim.content_hash,
        body=claim.body.decode(),
        checkout_id=claim.names.checkout_id,
    )


def _claim_of(row: store.Row) -> Claim:
    body = json.loads(row["body"])
    payment = body.get("payment") or {}
    claim = Claim(
        row["submission_id"],
        row["content_hash"],
        row["body"].encode(),
        Names(
            row["source_reference"] or body.get("source_reference"),
            row["checkout_id"],
            payment.get("provider"),
            payment.get("provider_reference"),
        ),
    )
    if row["code"] is not None:
        claim.answer = Accepted(
            row["order_id"], row["code"], claim.names.source_reference, row["total_minor"], row["currency"]
        )
    return claim


def reasons_json(reasons: list[Reason]) -> str:
    """Return reasons as stored JSON."""
    return _REASONS.dump_json(reasons, exclude_none=True).decode()
