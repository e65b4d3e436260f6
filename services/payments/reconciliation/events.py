"""Events from the provider's own list: those that no webhook brought are stored in the same inbox, and applied.

The list is walked hour by hour, oldest first, from an hour before what was reached. It ends some minutes ago: a
webhook that is on its way is not missing. An event that is in the inbox already is left as it is.
"""

import json
from datetime import datetime, timedelta

from contracts.envelope import uuid7
from services.payments.providers.listing import ListedEvent
from services.payments.reconciliation.running import Run
from services.payments.webhooks import store
from services.payments.webhooks.reading import WORKER as WEBHOOKS
from services.payments.webhooks.store import Posted

OVERLAP = timedelta(hours=1)
IN_FLIGHT = timedelta(minutes=5)
"""The age below which an event's webhook may still be on its way."""
WINDOW = timedelta(hours=1)
KEPT_BY_PROVIDERS = timedelta(days=29)
"""How far back lists of events reach; older ones are found by their money only."""


async def compare_events(run: Run) -> None:
    """Store the events that are missing, window by window."""
    until = run.now - IN_FLIGHT
    start = max(run.row["reached_at"] - OVERLAP, run.now - KEPT_BY_PROVIDERS)
    run.steps = max(1, -(-(until - start) // WINDOW))
    while start < until:
        end = min(start + WINDOW, until)
        await _compare_window(run, start, end)
        start = end


async def _compare_window(run: Run, start: datetime, end: datetime) -> None:
    listed = [one async for one in run.listing.list_events(run.endpoint, start, end)]
    posts = {one.event_id: _posted(run, one) for one in listed}
    async with run.process.unit() as unit:
        new = await store.keep_missing(unit.connection, [posts[key] for key in sorted(posts)])
        await run.step(unit.connection, seen=len(listed), found=len(new), reached_at=end)
    if new:
        run.process.nudge(WEBHOOKS)


def _posted(run: Run, event: ListedEvent) -> Posted:
    return Posted(
        id=uuid7(),
        provider=run.provider,
        endpoint=run.endpoint,
        shop=run.shop,
        event_id=event.event_id,
        event_type=event.event_type,
        body=event.body,
        headers=json.dumps({}),
        received_at=run.now,
    )
