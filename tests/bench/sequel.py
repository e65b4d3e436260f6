"""What follows a message in a life: the events that real services said because of it, to be said again by the floor.

Read from the event logs of a run. Where a service said something because of a person or a provider (a webhook, a
command over HTTP), the message before it in the life takes the cause's place: the floor has no people.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.catalogue import CATALOGUE, type_of
from contracts.envelope import Envelope
from contracts.fulfillment.parcels import PackParcel, ParcelPacked
from contracts.fulfillment.shipments import DispatchShipment, RecordDelivery, ShipmentDispatched
from contracts.notifier.mails import MailSent
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentSettled
from contracts.storefront import OrderSubmitted
from tests.bench.sales import MODULE, SHOP

SUBMITTED = type_of(OrderSubmitted, "storefront")
PLACED = type_of(OrderPlaced, "orders")
MAIL_SENT = type_of(MailSent, "notifier")
IN_PLACE_OF_PEOPLE = {
    type_of(PackParcel, "orders"): type_of(PaymentSettled, "payments"),
    type_of(DispatchShipment, "orders"): type_of(ParcelPacked, "fulfillment"),
    type_of(RecordDelivery, "orders"): type_of(ShipmentDispatched, "fulfillment"),
}
_EVENTS = """
    SELECT id, type, time, shop, subject, sequence, correlation_id, causation_id, traceparent, body
    FROM msg.event_log WHERE subject = ANY($1) ORDER BY id"""
_ONE_MAIL_SENT = "SELECT * FROM msg.event_log WHERE type = $1 ORDER BY id LIMIT 1"


@dataclass(frozen=True, slots=True)
class Published:
    """One event as it was said. `exchange` is None for what is only logged."""

    envelope: Envelope
    body: bytes
    exchange: str | None
    routing_key: str
    mandatory: bool


Sequels = Mapping[str, Sequence[Sequence[Published]]]
"""By the type heard: for each order's rank, what is said then."""


async def read_types(connections: Mapping[str, Any], order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The type of every message of these orders, by its id, over all services."""
    types = dict.fromkeys(order_ids, SUBMITTED)
    for connection in connections.values():
        rows = await connection.fetch(
            "SELECT id, type FROM msg.event_log WHERE subject = ANY($1)", [str(each) for each in order_ids]
        )
        types |= {row["id"]: row["type"] for row in rows}
    return types


async def read_sequels(
    service: str, connection: Any, order_ids: Sequence[UUID], types: Mapping[UUID, str]
) -> Sequels:
    """What a service said of these orders, by what it had heard."""
    ranks = {str(order_id): rank for rank, order_id in enumerate(order_ids)}
    found: dict[str, list[list[Published]]] = {}
    for row in await connection.fetch(_EVENTS, list(ranks)):
        received = _received(row, types)
        found.setdefault(received, [[] for _ in order_ids])[ranks[row["subject"]]].append(
            published_of(service, row)
        )
    return found


async def read_mail_sent(connection: Any) -> Published | None:
    """One report of sent mails; it is about no order."""
    rows = await connection.fetch(_ONE_MAIL_SENT, MAIL_SENT)
    return published_of("notifier", rows[0]) if rows else None


def mails_reported(expected: Published, count: int) -> bytes:
    """The body of a report of so many mails, each as long as the first one there."""
    report = json.loads(expected.body)["mails"][0]
    return b'{"mails":[' + b",".join([json.dumps(report).encode()] * count) + b"]}"


def published_of(service: str, row: Mapping[str, Any]) -> Published:
    """A row of the event log as the relay would send it."""
    names = (
        "id",
        "type",
        "time",
        "shop",
        "subject",
        "sequence",
        "correlation_id",
        "causation_id",
        "traceparent",
    )
    envelope = Envelope(source=f"/{service}", **{name: row[name] for name in names})
    entry = CATALOGUE[row["type"]]
    goes_out = entry.public or bool(entry.listeners)
    key = f"{SHOP}.{MODULE.value}.{entry.type}" if entry.public else entry.type
    return Published(envelope, row["body"], entry.exchange if goes_out else None, key, not entry.public)


def mails_after(event_type: str) -> int:
    """How many mails a life sends when the notifier hears this."""
    return {PLACED: 2, type_of(ShipmentDispatched, "fulfillment"): 1}.get(event_type, 0)


def _received(row: Mapping[str, Any], types: Mapping[UUID, str]) -> str:
    if row["type"] in IN_PLACE_OF_PEOPLE:
        return IN_PLACE_OF_PEOPLE[row["type"]]
    return types.get(row["causation_id"], PLACED)


def published(sequels: Iterable[Sequels]) -> float:
    """Messages a life publishes, on the average of these orders, without the submission and the mails' reports."""
    total = ranks = 0
    for sequel in sequels:
        for by_rank in sequel.values():
            ranks = max(ranks, len(by_rank))
            total += sum(event.exchange is not None for each in by_rank for event in each)
    return total / ranks if ranks else 0.0
