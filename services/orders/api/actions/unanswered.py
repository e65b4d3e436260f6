"""Commands without an answer, since a queue lost their message or its answer: listed, and ended by staff.

Ending a command only means that nobody waits for it any longer: it is rejected with that person's reason, which
a repeat of its Idempotency-Key gets as well. Invariant: an ended command stays ended. An answer that arrives
later still changes its order, and is recorded in the activity. Commands that orders carries out itself are
not ended here: such a change waits for the answer to a request, and ends with it.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contracts.message import Reason
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.orders.api.actions.store import Row
from services.orders.order import history_store
from services.orders.order.refusal import Refusal
from services.orders.order.unit.actions import new_action, open_orders
from services.orders.order.unit.edits.edit import COMMAND_TYPES
from services.orders.projections.outcomes import ENDED

OPEN_FOR = timedelta(minutes=15)
"""The minimum age of a command before staff may end it."""
LONGEST_REASON = 500
END = "orders.command.end"


class CommandNotUnanswered(Refusal):
    """The command is unknown, has its outcome, was requested too recently, or is a change that orders makes
    itself.
    """

    code = "command_not_unanswered"
    status = 409

    def __init__(self, command_id: UUID) -> None:
        super().__init__(
            f"command {command_id} is not one that has waited for {OPEN_FOR.seconds // 60} minutes without an answer; "
            "look at the list again"
        )


class EndWithoutReason(Refusal):
    """The reason is missing or longer than the limit."""

    code = "reason_unusable"

    def __init__(self, length: int) -> None:
        super().__init__(f"the reason has {length} characters; write 1 to {LONGEST_REASON}")


async def list_unanswered(connection: Connection, shop: str, now: datetime, limit: int) -> Sequence[Row]:
    """List the shop's commands that have waited too long, the oldest first: command_id, type, actor,
    requested_at, order_id and the order's code (None when it is about none).
    """
    return await connection.fetch(
        """select c.command_id, c.type, c.actor, c.requested_at, c.order_id, o.code
           from command as c left join orders as o on o.order_id = c.order_id and o.shop || '' = c.shop
           where c.shop = $1 and c.state = 'pending' and c.requested_at < $2 and c.type <> all($3)
           order by c.requested_at, c.command_id limit $4""",
        *(shop, now - OPEN_FOR, list(COMMAND_TYPES.values()), limit),
    )


async def read_unanswered(connection: Connection, shop: str, command_id: UUID, now: datetime) -> Row | None:
    """Read one of those commands by its id: command_id, type, actor, order_id."""
    return await connection.fetchrow(
        """select command_id, type, actor, order_id from command
           where command_id = $2 and shop = $1 and state = 'pending' and requested_at < $3 and type <> all($4)""",
        *(shop, command_id, now - OPEN_FOR, list(COMMAND_TYPES.values())),
    )


async def end(unit: Unit, shop: str, command_id: UUID, reason: str, actor: str) -> None:
    """End a command that got no answer, and record on its order who did so and why.

    Raises CommandNotUnanswered, EndWithoutReason.
    """
    if not 0 < len(reason) <= LONGEST_REASON:
        raise EndWithoutReason(len(reason))
    command = await read_unanswered(unit.connection, shop, command_id, unit.now)
    if command is None:
        raise CommandNotUnanswered(command_id)
    order_id = command["order_id"]
    work = await open_orders(unit, shop, [order_id] if order_id else [])
    if [row["state"] for row in await history_store.lock_commands(unit.connection, [command_id])] != [
        "pending"
    ]:
        raise CommandNotUnanswered(command_id)
    cause = new_action(unit, END, actor)
    rejection = Reason(
        code="command_ended", message=f"{actor} ended the command, which got no answer: {reason}"
    )
    reasons = [rejection.model_dump(exclude_none=True)]
    outcome = {"type": ENDED, "event_id": str(cause.id), "actor": actor, "reasons": reasons}
    work.outcomes[command_id] = ("rejected", json.dumps(outcome, ensure_ascii=False))
    if order_id:
        data = {"command_type": command["type"], "asked_by": command["actor"], "reasons": reasons}
        work.note(shop, order_id, "command_ended", command_id, actor, cause, data)
    await work.save()
