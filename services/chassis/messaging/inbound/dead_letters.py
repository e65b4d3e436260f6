"""Dead letters: messages redelivered so often that they probably kill the process that handles them.

Each is first parked as dead, so that it is visible. Then it is tried once more, separately, since a whole
window of innocent messages is usually returned with the guilty one. If that attempt kills the process too,
the message is redelivered, found parked, and left to an operator.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from contracts.envelope import Envelope, EnvelopeUnreadable
from services.chassis.messaging import parked_store
from services.chassis.messaging.inbound import parking
from services.chassis.messaging.inbound.message_reader import read_envelope
from services.chassis.messaging.inbound.queue_reader import Commit, QueueReader
from services.chassis.messaging.inbound.raw_message import RawMessage, dedupe_key, fingerprint
from services.chassis.messaging.unit import Unit

CODE = "delivery_limit"
OpenUnit = Callable[[], AbstractAsyncContextManager[Unit]]


class DeadLetterReader(QueueReader):
    """Reader of `<service>.dead`, one message at a time. `commit` handles a message as its own queue's reader
    would."""

    def __init__(self, queue: str, unit: OpenUnit, commit: Commit) -> None:
        super().__init__(queue, self._keep, batch_size=1)
        self._unit, self._commit_again = unit, commit
        self._untried: dict[str, int] = {}

    async def _keep(self, arrivals: Sequence[RawMessage]) -> None:
        for arrival in arrivals:
            original = replace(arrival, queue=_queue_of_death(arrival))
            key = "dead " + hashlib.sha256(dedupe_key(original, _envelope(original)).encode()).hexdigest()
            if await self._park(original, key):
                await self._try_one(original, self._untried[key])
                self._untried.pop(key)

    async def _park(self, arrival: RawMessage, key: str) -> bool:
        """Park it as dead. Return False when an earlier process has: it was killed by this message, or
        stopped while it tried."""
        if key in self._untried:
            return True
        envelope = _envelope(arrival)
        detail = "returned to the queue too often; it may have killed the process that took it"
        print_ = fingerprint(arrival.queue, envelope.type if envelope else None, CODE)
        failure = parking.ProcessingFailure(arrival, envelope, CODE, detail, print_, remembered=False)
        async with self._unit() as unit:
            row = parking.row_of(failure, unit.now)._replace(dedupe_key=key)
            if not await parked_store.park(unit.connection, [row]):
                return False
            parking.emit_parked(unit, failure)
            parked_id = await parked_store.find_parked(unit.connection, key)
        self._untried[key] = parked_id
        return True

    async def _try_one(self, arrival: RawMessage, parked_id: int) -> None:
        """Try it; the outcome is then recorded under its own key: handled, duplicate, waiting or
        parked."""
        await self._commit_again([arrival])
        async with self._unit() as unit:
            await parked_store.resolve(unit.connection, [parked_id], unit.now)


def _queue_of_death(arrival: RawMessage) -> str:
    """Return the queue it came from. The broker writes the newest death first; later entries may be forged by
    a publisher."""
    deaths: Any = arrival.headers.get("x-death")
    newest: Any = deaths[0] if isinstance(deaths, list) and deaths else None
    queue = newest.get("queue") if isinstance(newest, dict) else None
    return queue if isinstance(queue, str) else arrival.queue


def _envelope(arrival: RawMessage) -> Envelope | None:
    try:
        return read_envelope(arrival.headers)
    except EnvelopeUnreadable:
        return None
