"""Overdue work: changes, effects, timers, resyncs and bulk actions end in time."""

from collections.abc import AsyncIterator
from datetime import timedelta

from deploy.auditor.finding import Finding, check, shown
from deploy.auditor.inputs import Inputs

ENDS_WITHIN = timedelta(hours=1)
"""Each of these ends within minutes when every service runs."""

_OF_EVERY_SERVICE = """
SELECT 'effect ' || kind || ' ' || key AS what, NULL AS shop, 'done, failed, or settled by a person' AS expected,
       state || ' since ' || date_trunc('second', updated_at) AS found
FROM msg.effect WHERE (state = 'uncertain' AND updated_at < now() - $1::interval)
   OR (state = 'planned' AND next_at < now() - $1::interval)
   OR (state = 'in_flight' AND lease_until < now() - $1::interval)
UNION ALL
SELECT 'timer ' || kind || ' ' || key, NULL, 'fired', 'due since ' || date_trunc('second', due_at)
FROM msg.timer WHERE due_at < now() - $1::interval
UNION ALL
SELECT 'resync ' || id, shop, 'ended', 'open since ' || date_trunc('second', asked_at)
FROM msg.resync WHERE ended_at IS NULL AND asked_at < now() - $1::interval
UNION ALL
SELECT 'parked message ' || id, shop, 'handled or dead', 'waits since ' || date_trunc('second', first_at)
FROM msg.parked WHERE state = 'waiting' AND give_up_at < now() - $1::interval"""


@check
async def no_change_is_overdue(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each change of an order is done or rejected within an hour: an open one blocks further changes."""
    for row in await inputs.orders.fetch(
        """SELECT shop, order_id, edit_id, cause, state, date_trunc('second', requested_at) AS since FROM order_edit
           WHERE state IN ('reducing', 'adding') AND requested_at < now() - $1::interval""",
        ENDS_WITHIN,
    ):
        where = f"change {row['edit_id']} ({row['cause']}) of order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, "done or rejected", f"{row['state']} since {row['since']}")


@check
async def nothing_is_overdue(inputs: Inputs) -> AsyncIterator[Finding]:
    """No effect, timer, resync or waiting message is more than an hour overdue."""
    for service, connection in inputs.connections.items():
        for row in await connection.fetch(_OF_EVERY_SERVICE, ENDS_WITHIN):
            where = f"{row['what']} of {service}" + (f", shop {row['shop']}" if row["shop"] else "")
            yield Finding(where, row["expected"], row["found"])
