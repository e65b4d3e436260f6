"""Messages of a period, read from the four databases as the auditor reads them: nothing can be written."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.catalogue import SERVICES
from contracts.envelope import uuid7_floor
from deploy.auditor.inputs import Inputs
from deploy.traces.spans import Event, Handled, MailAttempt, Period

WINDOW = timedelta(minutes=5)
"""Messages that are in memory at once: those of this time."""
_EVENT = "id, type, time, shop, subject, correlation_id, causation_id, traceparent"


def windows(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of a period, of five minutes each."""
    while since < until:
        end = min(since + WINDOW, until)
        yield since, end
        since = end


class Reader:
    """Reads an export's periods. What was sent before its `beginning` has no spans, unless an earlier export that
    ended there, made at `exported_at`, has sent them."""

    def __init__(self, inputs: Inputs, beginning: datetime, exported_at: datetime | None) -> None:
        self._inputs = inputs
        self._first = uuid7_floor(beginning)
        self._exported_at = exported_at
        self._late: set[Handled] = set()

    async def read(self, since: datetime, until: datetime) -> Period:
        """Return the messages of a period with what their parents need.

        Handled messages of before the export are among them if the earlier one can't have seen that they were handled.
        """
        period = await _read(self._inputs, since, until)
        if self._exported_at is None:
            return replace(
                period,
                causes=tuple(event for event in period.causes if event.id >= self._first),
                earlier=tuple(one for one in period.earlier if one.event_id >= self._first),
            )
        late = {one for one in period.earlier if self._is_late(one, self._exported_at)} - self._late
        self._late |= late
        return replace(period, handled=(*period.handled, *late))

    def _is_late(self, handled: Handled, exported_at: datetime) -> bool:
        return handled.event_id < self._first and handled.at > exported_at


async def _read(inputs: Inputs, since: datetime, until: datetime) -> Period:
    ids = uuid7_floor(since), uuid7_floor(until)
    events = [event for name in SERVICES for event in await _events_between(inputs, name, *ids)]
    handled = [one for name in SERVICES for one in await _handled_between(inputs, name, *ids)]
    mails = await _mails(inputs, since, until)
    causes = {event.causation_id for event in events if event.causation_id} | {
        mail.cause_id for mail in mails
    }
    before = sorted(cause for cause in causes if cause < ids[0])
    known = [event for name in SERVICES for event in await _events_of(inputs, name, before)]
    earlier = [one for name in SERVICES for one in await _handled_of(inputs, name, before)]
    return Period(tuple(events), tuple(handled), tuple(mails), tuple(known), tuple(earlier))


async def _events_between(inputs: Inputs, service: str, first: UUID, before: UUID) -> list[Event]:
    rows = await inputs.connections[service].fetch(
        f"SELECT {_EVENT} FROM msg.event_log WHERE id >= $1 AND id < $2 ORDER BY id",  # noqa: S608 - a constant of ours
        first,
        before,
    )
    return [Event(sender=service, **row) for row in rows]


async def _events_of(inputs: Inputs, service: str, ids: Iterable[UUID]) -> list[Event]:
    rows = await inputs.connections[service].fetch(
        f"SELECT {_EVENT} FROM msg.event_log WHERE id = ANY($1) ORDER BY id",  # noqa: S608 - a constant of ours
        list(ids),
    )
    return [Event(sender=service, **row) for row in rows]


_HANDLED = (
    "SELECT event_id, consumer AS listener, source, seen_at AS at FROM msg.inbox WHERE consumer = $1 AND"
)


async def _handled_between(inputs: Inputs, service: str, first: UUID, before: UUID) -> list[Handled]:
    rows = await inputs.connections[service].fetch(
        f"{_HANDLED} event_id >= $2 AND event_id < $3 ORDER BY event_id", service, first, before
    )
    return [Handled(**row) for row in rows]


async def _handled_of(inputs: Inputs, service: str, ids: Iterable[UUID]) -> list[Handled]:
    rows = await inputs.connections[service].fetch(
        f"{_HANDLED} event_id = ANY($2) ORDER BY event_id", service, list(ids)
    )
    return [Handled(**row) for row in rows]


async def _mails(inputs: Inputs, since: datetime, until: datetime) -> list[MailAttempt]:
    rows = await inputs.notifier.fetch(
        """SELECT mail.id, mail.cause_id, mail.template, mail.shop, mail.created_at AS planned_at,
                  effect.updated_at, effect.state
           FROM mail JOIN msg.effect ON effect.key = mail.id::text AND effect.kind = 'mail'
           WHERE mail.created_at >= $1 AND mail.created_at < $2 ORDER BY mail.created_at, mail.id""",
        since,
        until,
    )
    return [MailAttempt(**row) for row in rows]
