"""SQL of an order's history (activity and state changes), and of the commands that wait for an outcome."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.store import Row


class StateChangeRow(NamedTuple):
    shop: str
    order_id: UUID
    sequence: int
    previous_state: str | None
    state: str
    previous_label: str
    label: str
    cause_id: UUID
    cause_type: str
    actor: str | None
    revision: Integer


_INSERT_STATE_CHANGES = Bulk(
    StateChangeRow,
    """INSERT INTO state_change ({columns}, changed_at)
       SELECT *, {now}::timestamptz FROM {rows}""",
)


async def insert_state_changes(connection: Writer, rows: Sequence[StateChangeRow], now: datetime) -> None:
    """Append to the history of shown states."""
    await _INSERT_STATE_CHANGES.execute(connection, rows, now=now)


class ActivityRow(NamedTuple):
    shop: str
    order_id: UUID
    kind: str
    item: UUID
    happened_at: datetime
    actor: str
    cause_id: UUID
    data: Json
    revision: Integer | None


_INSERT_ACTIVITY = Bulk(
    ActivityRow,
    """INSERT INTO activity ({columns})
       SELECT * FROM {rows} AS r ({columns})
       WHERE NOT EXISTS (SELECT FROM deleted_order d WHERE (d.shop, d.order_id) = (r.shop, r.order_id))
       ON CONFLICT DO NOTHING""",
)


async def insert_activity(connection: Writer, rows: Sequence[ActivityRow]) -> None:
    """Insert activity; existing entries are left unchanged, and a deleted order gets no history."""
    await _INSERT_ACTIVITY.execute(connection, rows)


_LOCK_COMMANDS = Bulk(
    tuple[UUID],
    """SELECT c.* FROM {rows} AS k (command_id)
       CROSS JOIN LATERAL (SELECT command_id, shop, order_id, type, actor, state FROM command
                           WHERE command.command_id = k.command_id
                             AND (command.state IN ('pending', 'parked')
                                  OR command.outcome ->> 'type' = 'orders.command.ended')
                           FOR UPDATE) AS c""",
)


async def lock_commands(connection: Connection, ids: Sequence[UUID]) -> list[Row]:
    """Lock and return those of these ids that are commands of ours, still open or ended by staff, in the
    order of the ids.
    """
    return await _LOCK_COMMANDS.fetch(connection, [(command_id,) for command_id in ids])


class OutcomeRow(NamedTuple):
    command_id: UUID
    state: str
    outcome: Json


_SETTLE_COMMANDS = Bulk(
    OutcomeRow,
    """UPDATE command AS c SET state = r.state, outcome = r.outcome, settled_at = {now}
       FROM {rows} AS r ({columns})
       WHERE c.command_id = r.command_id""",
)


async def settle_commands(connection: Writer, rows: Sequence[OutcomeRow], now: datetime) -> None:
    """Write the outcome of locked commands."""
    await _SETTLE_COMMANDS.execute(connection, rows, now=now)


async def read_history(connection: Connection, shop: str, order_id: UUID, since: int | None) -> list[Row]:
    """Return activity and state changes of an order, newest first, or only those that led to a later revision
    than `since`: kind, at, actor, revision, data (with the text of a comment), item, cause_id, cause_type.
    """
    return await connection.fetch(
        """SELECT a.kind, a.happened_at AS at, a.actor, a.revision, a.item, a.cause_id, NULL AS cause_type,
                  CASE WHEN c.text IS NULL THEN a.data ELSE a.data || jsonb_build_object('comment', c.text) END AS data
           FROM activity AS a
           LEFT JOIN comment AS c ON c.shop = a.shop AND c.order_id = a.order_id
                                 AND c.comment_id = (a.data ->> 'comment_id')::uuid
           WHERE a.shop = $1 AND a.order_id = $2 AND ($3::integer IS NULL OR a.revision > $3)
           UNION ALL
           SELECT 'state_changed', changed_at, actor, revision, NULL, cause_id, cause_type,
                  jsonb_build_object('previous_state', previous_state, 'state', state,
                                     'previous_label', previous_label, 'label', label)
           FROM state_change
           WHERE shop = $1 AND order_id = $2 AND ($3::integer IS NULL OR revision > $3)
           ORDER BY at DESC, revision DESC NULLS LAST, kind""",
        shop,
        order_id,
        since,
    )
