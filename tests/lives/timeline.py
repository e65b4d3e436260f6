"""What a failing journey prints: where everything stands, service by service, and what the logs say last."""

from typing import Any

import asyncpg

from contracts.catalogue import SERVICES
from deploy.local.system import System

_EVERYWHERE = {
    "events": "SELECT time, type, subject, sequence FROM msg.event_log ORDER BY id DESC LIMIT 25",
    "outbox": "SELECT routing_key, attempts, lease_until FROM msg.dispatch LIMIT 20",
    "parked": """SELECT queue, type, state, reason, detail, wait_key, attempts, next_at FROM msg.parked
                 WHERE state IN ('waiting', 'dead') LIMIT 20""",
    "effects": "SELECT kind, state, attempts, detail, count(*) FROM msg.effect GROUP BY 1, 2, 3, 4",
    "inbox": "SELECT source, count(*), max(seen_at) FROM msg.inbox GROUP BY 1",
}
_OWN = {
    "orders": {
        "orders": """SELECT order_id, state, payment_status, fulfilment_status, balance_minor, payment_version
                     FROM orders ORDER BY placed_at DESC LIMIT 12""",
        "commands": "SELECT type, state, requested_at, outcome FROM command WHERE state <> 'done'",
    },
    "payments": {
        "webhooks": "SELECT state, reason, event_type, event_id, received_at FROM webhook ORDER BY 5 DESC LIMIT 12"
    },
}


async def where_everything_stands(system: System) -> str:
    """The timeline, outbox, inbox, parked rows and log tails of a system, as text."""
    parts = []
    for service in SERVICES:
        parts.append(f"==== {service} (deaths {system.supervisor.deaths(service)})")
        connection = await asyncpg.connect(system.databases[service])
        try:
            for name, query in {**_EVERYWHERE, **_OWN.get(service, {})}.items():
                parts += [f"-- {name}", *(_line(row) for row in await connection.fetch(query))]
        finally:
            await connection.close()
        parts += ["-- log", system.supervisor.log_tail(service)[-1500:]]
    return "\n".join(parts)


def _line(row: Any) -> str:
    return "   " + " | ".join(str(value)[:300] for value in row.values())
