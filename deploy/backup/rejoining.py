"""What brings four restored databases and the broker together again: empty queues, messages sent again, resyncs.

Safe to repeat: a message that was handled meanwhile is a duplicate, and a copy that is the owner's stays as it is.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2

from contracts.catalogue import CATALOGUE, SERVICES, STOREFRONT, queue_of
from deploy import lost_messages, topology
from deploy.backup.filling import fetch
from deploy.cli.failures import Unreachable
from deploy.cli.services import Services
from deploy.topology import Management
from services.chassis.messaging.recovery.restored import UNFINISHED

BEFORE = timedelta(hours=1)
"""Messages are compared since so long before the backup."""
POLL_SECONDS = 1.0
FINISH_SECONDS = 60.0
RESYNCED = {
    "payments": "SELECT DISTINCT shop FROM account WHERE closed_at IS NULL ORDER BY shop",
    "fulfillment": """SELECT DISTINCT shop FROM fulfilment_order
                      WHERE deleted_at IS NULL AND (sequence > 0 OR version > 1) ORDER BY shop""",
}
"""The shops whose orders an owner re-emits to orders."""

_DONE = """SELECT shop FROM msg.resync WHERE consumer = 'orders' AND orders IS NULL AND ended_at IS NOT NULL
           AND asked_at > (SELECT max(restored_at) FROM msg.restore)"""


def reset_broker(environment: Mapping[str, str]) -> int:
    """Apply the topology and empty the queues; return how many messages were removed. Raises Refused, Unreachable.

    Messages of the time after the backup tell of what no database knows. Orders that storefronts submitted and nobody
    handled stay, and so do dead letters.
    """
    with topology.explain_failures(environment):
        broker = topology.broker_of(environment)
        topology.apply(broker.management, broker.passwords, broker.storefronts)
        return sum(_empty(broker.management, row) for row in _queues(broker.management))


def _queues(management: Management) -> list[dict[str, Any]]:
    ours = {
        queue_of(listener, entry.sender)
        for entry in CATALOGUE.values()
        for listener in entry.listeners
        if entry.sender != STOREFRONT
    }
    rows: list[dict[str, Any]] = management.get(f"queues/{quote(management.vhost, safe='')}")
    return [row for row in rows if row["name"] in ours or row["name"].startswith(f"{STOREFRONT}.")]


def _empty(management: Management, row: Mapping[str, Any]) -> int:
    path = f"queues/{quote(management.vhost, safe='')}/{quote(row['name'], safe='')}/contents"
    try:
        management.send("DELETE", path)
    except httpx2.HTTPStatusError as error:
        if error.response.status_code != httpx2.codes.NOT_FOUND:
            raise
    return int(row.get("messages") or 0)


def wait_for_services(services: Services, seconds: float, on_look: Callable[[int], None]) -> None:
    """Wait until every service can do its work. Raises Unreachable naming those that can't."""
    deadline = time.monotonic() + seconds
    while why := missing_services(services):
        on_look(len(SERVICES) - len(why))
        if time.monotonic() > deadline:
            words = "; ".join(why.values())
            raise Unreachable(f"{words}. Start all processes and run the restore again: it goes on from here")
        time.sleep(POLL_SECONDS)


def missing_services(services: Services) -> dict[str, str]:
    """Return why services can't do their work, by service; those that can are left out."""
    return {service: words for service in SERVICES if (words := _missing(services, service))}


def wait_until_finished(services: Services) -> None:
    """Wait until every service has seen that the restore is finished; they look every few seconds. Raises Unreachable
    naming those that have not within a minute."""
    deadline = time.monotonic() + FINISH_SECONDS
    while unaware := [
        service for service in SERVICES if UNFINISHED in services.get(service, "operations")["warnings"]
    ]:
        if time.monotonic() > deadline:
            raise Unreachable(
                f"the restore is finished, and {', '.join(unaware)} did not see it within {FINISH_SECONDS:g} seconds: "
                "restart what does not look at its database any more"
            )
        time.sleep(POLL_SECONDS / 4)


def _missing(services: Services, service: str) -> str:
    try:
        missing = services.get(service, "operations")["missing"]
    except Unreachable as failure:
        return str(failure)
    return f"{service}: {', '.join(missing)}" if missing else ""


def pairs() -> list[tuple[str, str]]:
    """Return every sender with each of its consumers, storefronts left out: their messages are in no log here."""
    found = {
        (entry.sender, listener)
        for entry in CATALOGUE.values()
        for listener in entry.listeners
        if entry.sender != STOREFRONT
    }
    return sorted(found)


def send_lost(
    services: Services, sender: str, consumer: str, since: datetime, until: datetime, actor: str
) -> int:
    """Send a consumer again what it never handled of this time; return how many messages. Raises Failure."""
    span = {"from": since.isoformat(), "to": until.isoformat()}
    found = lost_messages.find(services, sender, consumer, span)
    return lost_messages.send(services, sender, consumer, list(found), actor) if found else 0


async def shops_to_resync(owner: str, url: str) -> list[str]:
    """Return the shops that have orders at an owner, without those it has re-emitted completely since the restore."""
    done = {row["shop"] for row in await fetch(owner, url, _DONE)}
    return [row["shop"] for row in await fetch(owner, url, RESYNCED[owner]) if row["shop"] not in done]
