"""The worker of started runs: sends items in order, each once, however often it is restarted.

Invariant: an item's command is stored under the item's own idempotency key, in the transaction that also sends it;
so after a kill at any point the items without one are exactly those still to be sent. Several processes may
do this simultaneously. A failure of one item never blocks the others; while the database is unavailable the worker
waits.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from contracts.fulfillment.parcels import PackParcel
from contracts.fulfillment.shipments import DispatchShipment
from contracts.message import Command, Reason
from services.chassis.background.workers import Worker
from services.chassis.errors import describe
from services.chassis.messaging.process import Process
from services.chassis.storage.database import is_conflict, is_outage
from services.orders.api.actions.action import Action, Actions, command
from services.orders.api.actions.change_actions import cancel
from services.orders.backoffice.orders.bulk import store
from services.orders.backoffice.orders.bulk.planning import reasons_of
from services.orders.backoffice.orders.bulk.runs import Verb, key_of
from services.orders.changes.requests import CancellationRequest
from services.orders.order.refusal import Refusal

log = structlog.get_logger()
WORKER = "bulk runs"
BATCH = 25
"""Maximum items sent in one batch."""
IDLE_SECONDS = 1.0
PLANS_FOR, RUNS_FOR = timedelta(days=1), timedelta(days=90)
Row = Mapping[str, Any]


def bulk_worker(actions: Actions) -> Worker:
    """Return the worker; call `nudge(WORKER)` after starting a run."""

    async def run(process: Process) -> bool:
        return await send_next(process, actions)

    return Worker(WORKER, run, IDLE_SECONDS)


async def send_next(process: Process, actions: Actions) -> bool:
    """Send the next items of the run that has waited longest. Return whether there may be more."""
    async with process.acquire() as connection:
        run = await store.next_run(connection)
        if run is None:
            return False
        items = await store.unsent_items(connection, run["run_id"], BATCH)
        if not items:
            await store.mark_sent(connection, run["run_id"], datetime.now(UTC))
            return True
    await _send(process, actions, run, items)
    return True


async def delete_old_runs(process: Process) -> None:
    """Delete plans that were never started and old runs."""
    now = datetime.now(UTC)
    async with process.acquire() as connection:
        await store.delete_runs(connection, now - PLANS_FOR, now - RUNS_FOR)


async def _send(process: Process, actions: Actions, run: Row, items: Sequence[Row]) -> None:
    """Send items: commands share a transaction, changes of orders have one each, one after the other."""
    if run["verb"] == Verb.CANCEL:
        for item in items:
            await _send_item(process, actions, run, item)
        return
    results = await asyncio.gather(
        *(_send_item(process, actions, run, item) for item in items), return_exceptions=True
    )
    for failed in results:
        if isinstance(failed, BaseException):
            raise failed


async def _send_item(process: Process, actions: Actions, run: Row, item: Row) -> None:
    """Send one item; a rejection, or an internal error, is recorded on it."""
    try:
        await actions.send(action_of(run, item))
        return
    except Refusal as refusal:
        reasons = reasons_of(refusal)
    except Exception as error:
        if is_outage(error) or is_conflict(error):
            raise
        log.error("bulk run item failed", run_id=str(run["run_id"]), code=item["code"], error=describe(error))
        reasons = [Reason(code="item_broken", message="The server failed at this order; nothing was done.")]
    text = json.dumps([one.model_dump() for one in reasons])
    async with process.acquire() as connection:
        await store.refuse_item(connection, run["run_id"], item["position"], text)


def action_of(run: Row, item: Row) -> Action:
    """Return the action of an item, under the item's own key."""
    request, key = json.loads(item["asked"]), key_of(run["run_id"], item["position"])
    if run["verb"] == Verb.CANCEL:
        cancellation = CancellationRequest.model_validate(request)
        return cancel(run["shop"], item["order_id"], key, run["actor"], cancellation)

    def message(command_id: UUID) -> Command:
        about = {"shop": run["shop"], "order_id": item["order_id"], "actor": run["actor"], **request}
        if run["verb"] == Verb.PACK:
            return PackParcel.model_validate({**about, "parcel_id": command_id})
        return DispatchShipment.model_validate({**about, "shipment_id": command_id})

    return command(run["shop"], item["order_id"], key, message)
