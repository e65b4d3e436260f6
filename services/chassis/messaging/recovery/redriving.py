"""Parked messages are retried: on an operator's request, or once a version runs that knows their type."""

from collections.abc import Iterable, Sequence

from contracts.service import MessageRedriven
from services.chassis.messaging import parked_store
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Row

UPGRADE = "upgrade"
"""Actor of a retry that no person requested."""


async def redrive(
    unit: Unit, actor: str, parked_id: int | None, fingerprint: str | None, shop: str | None
) -> int:
    """Have dead messages retried, one by id or all of a fingerprint; return how many. Only a shop's if one is given."""
    rows = await parked_store.redrive(unit.connection, actor, parked_id, fingerprint, unit.now, shop)
    return _emit(unit, rows, actor)


async def redrive_known(unit: Unit, types: Sequence[str]) -> int:
    """Have messages of these types retried that an earlier version parked as unknown; return how many."""
    rows = await parked_store.redrive_known(unit.connection, types, UPGRADE, unit.now)
    return _emit(unit, rows, UPGRADE)


def _emit(unit: Unit, rows: Iterable[Row], actor: str) -> int:
    messages = [
        MessageRedriven(message_id=row["event_id"], message_type=row["type"], queue=row["queue"], actor=actor)
        for row in rows
    ]
    for message in messages:
        unit.emit(message)
    return len(messages)
