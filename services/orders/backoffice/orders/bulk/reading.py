"""A run in its current state: its row, its items, and the states of their commands."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.message import Reason
from services.chassis.storage.database import Connection
from services.orders.backoffice.orders.bulk import store
from services.orders.backoffice.orders.bulk.runs import Item, ItemState, Run, Verb, item_state

Row = Mapping[str, Any]


async def read_run(connection: Connection, shop: str, run_id: UUID) -> Run | None:
    """Return a run of the shop with its items and their states."""
    row = await store.read_run(connection, shop, run_id)
    if row is None:
        return None
    items = [_item(one, row) for one in await store.read_items(connection, shop, run_id)]
    return Run(
        run_id=row["run_id"],
        shop=row["shop"],
        verb=Verb(row["verb"]),
        actor=row["actor"],
        request=json.loads(row["asked"]),
        faults=json.loads(row["faults"]),
        back=row["back"],
        planned_at=row["planned_at"],
        started_at=row["started_at"],
        stopped_at=row["stopped_at"],
        items=items,
    )


def _item(row: Row, run: Row) -> Item:
    state = item_state(
        is_requested=row["asked"] is not None,
        is_refused=row["reasons"] is not None,
        command_state=row["command_state"],
        is_started=run["started_at"] is not None,
        is_stopped=run["stopped_at"] is not None,
    )
    return Item(
        row["position"], row["order_id"], row["code"], json.loads(row["told"]), state, _why(row, state)
    )


def _why(row: Row, state: ItemState) -> Sequence[Reason]:
    own = json.loads(row["reasons"] or "[]")
    reasons = json.loads(row["outcome"] or "{}").get("reasons", []) if state is ItemState.REFUSED else []
    return [Reason.model_validate(one) for one in own or reasons]
