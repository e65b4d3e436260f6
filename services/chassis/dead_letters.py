"""What the broker gave up on: messages returned so often that they probably kill the process that takes them.

Each is first parked as dead, visibly, and acked. Then it is tried once more, alone, since a whole window of innocent
messages is usually returned with the guilty one. If that try kills the process too, the parked row remains.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.envelope import Envelope, EnvelopeUnreadable
from services.chassis import parking, store
from services.chassis.arriving import Arrival, dedupe_key, fingerprint
from services.chassis.committing import End
from services.chassis.consuming import QueueReader

if TYPE_CHECKING:
    from services.chassis.hub import Hub

CODE = "delivery_limit"


class DeadLetterReader(QueueReader):
    """Reads `<service>.dead`, one message at a time."""

    def __init__(self, queue: str, hub: "Hub") -> None:
        super().__init__(queue, self._keep, batch_size=1)
        self._hub = hub

    async def _keep(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            original = replace(arrival, queue=_first_queue(arrival))
            parked_id = await self._park(original)
            if parked_id is not None:
                await self._try_alone(original, parked_id)

    async def _park(self, arrival: Arrival) -> int | None:
        envelope = _envelope(arrival)
        detail = "returned to the queue too often; it may have killed the process that took it"
        print_ = fingerprint(arrival.queue, envelope.type if envelope else None, CODE)
        setback = parking.Setback(arrival, envelope, CODE, detail, print_, remembered=False)
        async with self._hub.unit() as unit:
            row = parking.row_of(setback, unit.now)
            row["dedupe_key"] = "dead " + hashlib.sha256(dedupe_key(arrival, envelope).encode()).hexdigest()
            await store.park(unit.connection, [row])
            parked: int | None = await unit.connection.fetchval(
                "SELECT id FROM msg.parked WHERE dedupe_key = $1 AND state = 'dead'", row["dedupe_key"]
            )
        return parked

    async def _try_alone(self, arrival: Arrival, parked_id: int) -> None:
        handled = await self._hub.committer.commit([arrival])
        if handled[0].end in (End.HANDLED, End.DUPLICATE, End.WAITING):
            async with self._hub.unit() as unit:
                await store.resolve(unit.connection, [parked_id], datetime.now(UTC))


def _first_queue(arrival: Arrival) -> str:
    queue: Any = arrival.headers.get("x-first-death-queue")
    if isinstance(queue, str):
        return queue
    deaths: Any = arrival.headers.get("x-death")
    first = deaths[-1].get("queue") if isinstance(deaths, list) and deaths else None
    return first if isinstance(first, str) else arrival.queue


def _envelope(arrival: Arrival) -> Envelope | None:
    try:
        return Envelope.read(arrival.headers)
    except EnvelopeUnreadable:
        return None
