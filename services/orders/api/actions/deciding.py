"""Actions that this service carries out itself, requested like commands: once per Idempotency-Key, with an
outcome.

Invariant: the key, the action and its outcome are one transaction. An action requested twice is carried out
once and both requests get the same outcome; a rejected one leaves nothing, not even its key.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.messaging.process import Transactions
from services.chassis.messaging.unit import Unit
from services.orders.api.actions import store as api_store
from services.orders.api.actions.commanding import KeyTaken
from services.orders.order import store
from services.orders.order.unit.actions import OrderResult

Act = Callable[[Unit], Awaitable[dict[str, Any]]]
"""A function that carries out the action in a unit of work and returns its outcome as JSON. Raises Refusal.
"""


@dataclass(frozen=True, slots=True)
class OwnAction:
    """A requested action. `content` is everything the caller decided, as JSON; `type` is written like a
    message's.
    """

    shop: str
    order_id: UUID | None
    key: str
    type: str
    actor: str
    content: str
    command_id: UUID = field(default_factory=uuid7)

    @property
    def request_hash(self) -> bytes:
        """Return the hash that distinguishes a repeat from another request."""
        text = f"{self.type}\n{self.order_id}\n{self.actor}\n{self.content}"
        return hashlib.sha256(text.encode()).digest()


async def decide(process: Transactions, decision: OwnAction, act: Act) -> api_store.Row:
    """Carry out the action unless its key was used; return the row of the command, with its outcome.

    Raises KeyTaken when the key was used for something else, and what `act` raises.
    """
    async with process.unit() as unit:
        command_id = decision.command_id
        if await api_store.add_commands(unit.connection, [decision], unit.now):
            outcome = {"type": decision.type, **await act(unit)}
            row = store.OutcomeRow(command_id, "done", json.dumps(outcome, ensure_ascii=False))
            await store.settle_commands(unit.connection, [row], unit.now)
        else:
            known = await api_store.read_keys(unit.connection, [decision])
            first = known[decision.shop, decision.key]
            if first["request_hash"] != decision.request_hash:
                raise KeyTaken(decision.key, first["command_id"], first["type"])
            command_id = first["command_id"]
        found = await api_store.read_command(unit.connection, decision.shop, command_id)
    assert found is not None, f"command {command_id} was written a moment ago"
    return found


def outcome_of(results: list[OrderResult]) -> dict[str, Any]:
    """Return the result for each order, in the form of an outcome."""
    return {
        "changed": sum(result.changed for result in results),
        "orders": [
            {
                "order_id": str(result.order_id),
                "code": result.code,
                "changed": result.changed,
                "reason": result.reason,
                "detail": result.detail,
            }
            for result in results
        ],
    }
