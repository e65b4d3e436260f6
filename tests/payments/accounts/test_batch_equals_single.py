"""Random commands on three paid orders end in the same books and answers, one by one or in one batch."""

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.orders.changes import ChangeCause
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import BalanceChanged, ReassignPayment, ReversePayment
from contracts.payments.refunds import (
    ConfirmRefundMark,
    GrantCredit,
    RefundCause,
    RefundConfirmed,
    RefundMode,
)
from tests.builders.envelopes import Answer, answers, deliver, enveloped
from tests.builders.orders import deleted, edited
from tests.payments.builders import event, placed, record, refund, refund_order, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks

SEEDS = range(60)
CHANGES = [ChangeCause.EDITED, ChangeCause.CANCELLED, ChangeCause.REINSTATED]
FIGURES = ("due", "credited", "received", "received_by_hand", "refunded", "marked", "balance")
CHEQUES = "SELECT order_id, id FROM ledger_entry WHERE kind = 'payment_received' AND provider = 'manual'"


class Story:
    """Draws one command after the other; what it can name are the orders, their payments and earlier refunds."""

    def __init__(
        self, chance: random.Random, seed: int, orders: list[OrderPlaced], cheques: dict[UUID, UUID]
    ):
        self.chance, self.seed, self.orders, self.cheques = chance, seed, orders, cheques
        self.edits: dict[UUID, UUID] = {}
        self.refunds: list[UUID] = []

    def draw(self) -> Message:
        """One message about one of the orders."""
        order = self.chance.choice(self.orders)
        kinds: list[tuple[Callable[[OrderPlaced], Message], int]] = [
            (self._record, 3),
            (self._credit, 4),
            (self._reverse, 2),
            (self._edit, 4),
            (deleted, 1),
            (self._refund, 8),
            (self._confirm, 2),
            (self._reassign, 4),
            (self._place, 1),
        ]
        weights = [weight for _, weight in kinds]
        return self.chance.choices([kind for kind, _ in kinds], weights)[0](order)

    def _about(self, order: OrderPlaced) -> dict[str, Any]:
        return {"shop": order.shop, "order_id": order.order_id, "actor": "marie"}

    def _record(self, order: OrderPlaced) -> Message:
        return record(order, self.chance.randint(-1, 2000))

    def _credit(self, order: OrderPlaced) -> Message:
        credit = self.chance.randint(1, 4000)
        return GrantCredit(**self._about(order), amount_minor=credit, currency="EUR", reason="Geste")

    def _reverse(self, order: OrderPlaced) -> Message:
        return ReversePayment(
            **self._about(order), entry_id=self.cheques.get(order.order_id, UUID(int=1)), reason="Impayé"
        )

    def _edit(self, order: OrderPlaced) -> Message:
        change, why = self.chance.choice([-3000, -500, 700]), self.chance.choice(CHANGES)
        edit = edited(order, change, why, previous_edit_id=self.edits.get(order.order_id))
        self.edits[order.order_id] = edit.edit_id
        return edit

    def _refund(self, order: OrderPlaced) -> Message:
        self.refunds.append(uuid7())
        return refund_order(
            order,
            self.chance.randint(1, 4000),
            cause=self.chance.choice(list(RefundCause)),
            mode=self.chance.choice([RefundMode.RECORDED, RefundMode.RECORDED, RefundMode.SENT]),
            refund_id=self.chance.choice(self.refunds[-3:]),
        )

    def _confirm(self, order: OrderPlaced) -> Message:
        refund_id = self.chance.choice(self.refunds) if self.refunds else UUID(int=2)
        return ConfirmRefundMark(**self._about(order), refund_id=refund_id, reference="VIR-1")

    def _reassign(self, order: OrderPlaced) -> Message:
        by_entry: list[dict[str, Any]] = [{"entry_id": entry} for entry in self.cheques.values()]
        intents = [f"pi_{self.seed}_{number}" for number in range(3)]
        by_name = [{"provider": "stripe", "provider_reference": intent} for intent in intents]
        foreign = {"provider": "stripe", "provider_reference": f"pi_{self.seed}_of_nobody"}
        return ReassignPayment(
            **self._about(order), **self.chance.choice([*by_entry, *by_name, foreign, foreign])
        )

    def _place(self, _: OrderPlaced) -> Message:
        """Another order, whose payment may be one that is known already."""
        number = self.chance.choice(["0", "1", "new", "of_nobody"])
        order = placed(self.chance.randint(0, 4000), reference=f"pi_{self.seed}_{number}")
        self.orders.append(order)
        return order


async def _open(cashdesk: CashDesk, chance: random.Random, seed: int) -> list[OrderPlaced]:
    """Three orders, each paid by card (more or less than is due) and by a cheque; one was refunded at the provider."""
    orders, events = [], []
    for number in range(3):
        intent = f"pi_{seed}_{number}"
        orders.append(placed(chance.randint(1000, 6000), reference=intent))
        events.append(succeeded(intent, chance.randint(500, 6000)))
    events.append(succeeded(f"pi_{seed}_of_nobody", 700))
    events.append(event("refund.created", refund(f"re_{seed}", f"pi_{seed}_0", 300), 20))
    await deliver(cashdesk.desk, enveloped("payments", orders), together=True)
    await cashdesk.pay(*events)
    cheques = [record(order, chance.randint(100, 2000)) for order in orders]
    await deliver(cashdesk.desk, enveloped("payments", cheques), together=True)
    return orders


AccountTables = tuple[list[Any], list[Answer], list[bool]]


async def _play(cashdesk: CashDesk, seed: int, *, together: bool) -> AccountTables:
    """The books and answers at the end. A refund made at the provider may confirm a recorded one by the way, which a
    batch tells once: of confirmations only the answers to commands count.
    """
    chance = random.Random(seed)
    orders = await _open(cashdesk, chance, seed)
    cheques = {row["order_id"]: row["id"] for row in await cashdesk.desk.fetch(CHEQUES)}
    ours = {order.order_id for order in orders}
    story = Story(chance, seed, orders, {o: e for o, e in sorted(cheques.items()) if o in ours})
    batch = enveloped("payments", [story.draw() for _ in range(chance.randint(4, 16))])
    outcomes = await deliver(cashdesk.desk, batch, together=together)
    books = [await _tables_of(cashdesk, order) for order in orders]
    confirmed = [
        bool(outcome.messages_of(RefundConfirmed))
        for outcome, (_, message, _) in zip(outcomes, batch, strict=True)
        if isinstance(message, ConfirmRefundMark)
    ]
    return books, answers(outcomes, but=(BalanceChanged, RefundConfirmed)), confirmed


async def _tables_of(cashdesk: CashDesk, order: OrderPlaced) -> tuple[Any, ...]:
    row = await cashdesk.account(order)
    figures = tuple(row[f"{name}_minor"] for name in FIGURES)
    sent = await cashdesk.desk.fetchval(
        "SELECT count(*) FROM msg.effect WHERE payload->>'order_id' = $1", str(order.order_id)
    )
    objects = await cashdesk.desk.fetch(
        """SELECT object_id, moved_to IS NOT NULL AS moved FROM provider_object
           WHERE coalesce(moved_to, order_id) = $1 ORDER BY object_id""",
        order.order_id,
    )
    entries = await cashdesk.entries(order)
    state = (row["flags"], row["closed_at"] is not None, row["version"])
    return (*figures, *state, entries, sent, [tuple(one) for one in objects])


async def test_a_batch_is_as_one_by_one(cashdesks: CashDesks) -> None:
    one, other = await cashdesks(), await cashdesks()
    different = [
        seed
        for seed in SEEDS
        if await _play(one, seed, together=False) != await _play(other, seed, together=True)
    ]
    assert different == []
    await other.check_ledger()
