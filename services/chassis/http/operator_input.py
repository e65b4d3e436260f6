"""The input of the operators' routes, read from bodies and queries; what is wrong is a `BadRequest`."""

from datetime import UTC, datetime
from typing import Any

from contracts.catalogue import consumed_by, queue_of, queues_of
from contracts.message import LONGEST_ACTOR
from contracts.timestamps import RANGE, is_in_range
from services.chassis.messaging.inbound.parking import storable
from services.chassis.messaging.recovery.lost_messages import no_such_consumer
from services.chassis.messaging.recovery.pausing import LONGEST_REASON
from services.chassis.texts import trimmed


class BadRequest(Exception):
    """The request is invalid; the text names what to send instead."""


def one_or_alike(body: dict[str, Any]) -> tuple[int | None, str | None]:
    """Return the id of a parked message, or the fingerprint of those that failed alike: one of them is given."""
    parked_id, print_ = body.get("id"), entered_text(body, "fingerprint")
    is_id = type(parked_id) is int and 0 < parked_id < 2**63
    if (parked_id is None) == (print_ is None) or not (parked_id is None or is_id):
        raise BadRequest("give either id (one message) or fingerprint (all that failed alike)")
    return parked_id, print_


def consumer_queue(service: str, body: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the queue of the consumer and the events it receives from this service. Commands are never
    replayed: each is issued only once."""
    consumer, wanted = str(body.get("consumer", "")), body.get("types")
    queue = queue_of(consumer, service)
    if queue not in queues_of(consumer):
        raise BadRequest(no_such_consumer(service, consumer))
    types = [
        entry.type for entry in consumed_by(consumer) if entry.sender == service and not entry.is_command
    ]
    if wanted is None:
        return queue, types
    if not isinstance(wanted, list) or not wanted or not set(map(str, wanted)) <= set(types):
        raise BadRequest(f"{consumer} receives these events from {service}: {', '.join(types)}")
    return queue, sorted(set(map(str, wanted)))


def entered_text(body: dict[str, Any], name: str) -> str | None:
    """Return a text that an operator entered, cut to the length of a message's; None when nothing of it can
    be seen.
    """
    return trimmed(storable(str(body.get(name) or "")))[:200] or None


def entered_actor(body: dict[str, Any]) -> str:
    """Return the name of the operator, whole: it is a record. Raises BadRequest for one that is longer than is kept."""
    actor = trimmed(storable(str(body.get("actor") or "")))
    if len(actor) > LONGEST_ACTOR:
        raise BadRequest(f"the actor has {len(actor):,} characters; give at most {LONGEST_ACTOR}")
    return actor or "operator"


def entered_reason(body: dict[str, Any], missing: str) -> str:
    """Return the reason that an operator gave, whole: it is a record, and is never cut.

    Raises BadRequest for one that is longer than is kept, and with the text `missing` for none.
    """
    reason = trimmed(storable(str(body.get("reason") or "")))
    if not reason:
        raise BadRequest(missing)
    if len(reason) > LONGEST_REASON:
        raise BadRequest(f"the reason has {len(reason):,} characters; give at most {LONGEST_REASON}")
    return reason


def parked_id_before(text: str | None) -> int | None:
    """Return the id of the parked message at which a page begins; None for the first page."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) >= 2**63:
        raise BadRequest("before is the id of a parked message")
    return int(text)


def timestamp(body: dict[str, Any], name: str) -> datetime:
    """Return a time of the body in UTC."""
    try:
        at = datetime.fromisoformat(str(body.get(name)))
    except ValueError:
        at = datetime.min  # noqa: DTZ901 - has no time zone either
    if at.tzinfo is None:
        raise BadRequest("give from and to as ISO 8601 times with an offset")
    if not is_in_range(at):
        raise BadRequest(f"{name} is out of range; give a time from {RANGE}")
    return at.astimezone(UTC)
