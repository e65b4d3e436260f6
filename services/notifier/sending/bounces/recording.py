"""Facts about mails, and what follows from one: the mail's end, the suppression of its address, an alarm.

A fault of the address suppresses it, a full mailbox only after several in a row, a fault of our own
reputation never: it would suppress every customer of a shop whose mail server is on a block list.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from contracts.notifier.bounces import (
    AddressSuppressed,
    BouncedMail,
    BounceKind,
    MailBounced,
    SuppressionKind,
)
from services.chassis.addresses import comparable
from services.chassis.background.effects import decide, states_of
from services.chassis.messaging.unit import Unit
from services.notifier.mails.mail import Mail
from services.notifier.mails.resending import report
from services.notifier.sending.bounces import store
from services.notifier.sending.bounces.alarm import note_refusal
from services.notifier.sending.bounces.kinds import Kind
from services.notifier.sending.bounces.reports import Report

FULL_FAULTS = 3
FULL_WITHIN = timedelta(days=14)
FULL_PAUSE = timedelta(days=14)
_COUNTED = (Kind.FULL, Kind.OTHER)
_NAMESPACE = UUID("3c0c9a52-3f4e-5c58-8a43-0f2c63a8a0d7")
_RETURNED = "a report says that it came back"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a report or a refusal says about one mail. `id` is the same for a repeated report."""

    id: UUID
    mail: Mail
    recipient: str
    report: Report
    inbound_id: UUID | None = None


def id_of(token_hash: bytes, report: Report) -> UUID:
    """Return the id of a reported fact: of one hand-over there is one of each kind and status."""
    return uuid5(_NAMESPACE, f"{token_hash.hex()} {report.kind} {report.status}")


async def record_reported(unit: Unit, fact: Fact, *, is_latest: bool) -> None:
    """Record what a report says; a repeat changes nothing.

    The mail came back only if it was not handed over again since (`is_latest`). One that is in flight ends when its
    sending is recorded; an uncertain one certainly went.
    """
    key = str(fact.mail.id)
    state = (await states_of(unit, [key])).get(key)
    if not await _record(unit, fact) or fact.report.kind.bounces is None:
        return
    if not is_latest or state not in ("done", "uncertain", "in_flight"):
        return
    await _end(unit, fact)
    if state == "uncertain":
        await decide(unit, key, "done", _RETURNED)
    if state != "in_flight":
        unit.emit(MailBounced(mails=[bounced(fact, unit)]))


async def record_refused(unit: Unit, fact: Fact) -> None:
    """Record that our own mail server refused a mail's recipient; its message is the caller's."""
    if await _record(unit, fact):
        await _end(unit, fact)


async def _record(unit: Unit, fact: Fact) -> bool:
    """Write the fact with what follows for its address. Return False if it was known."""
    is_new = await store.insert_bounce(unit.connection, _row(unit, fact))
    if is_new:
        await _suppress(unit, fact)
        if fact.report.kind is Kind.REPUTATION:
            await note_refusal(unit, fact.mail, fact.id, fact.report.diagnostic)
    return is_new


async def _end(unit: Unit, fact: Fact) -> None:
    row = store.EndRow(fact.mail.id, "bounced", fact.report.kind, fact.id, unit.now)
    await store.write_ends(unit.connection, [row])


async def _suppress(unit: Unit, fact: Fact) -> None:
    kind, until = fact.report.kind, None
    if kind in _COUNTED:
        if await _faults(unit, fact) < FULL_FAULTS:
            return
        kind, until = Kind.FULL, unit.now + FULL_PAUSE
    if kind not in (Kind.ADDRESS, Kind.FULL, Kind.COMPLAINT):
        return
    address, why = comparable(fact.recipient), SuppressionKind(kind.value)
    row = store.SuppressionRow(
        fact.id, fact.mail.shop, address, why, unit.now, until, fact.id, actor=None, reason=None
    )
    if await store.suppress(unit.connection, row):
        unit.emit(
            AddressSuppressed(
                shop=fact.mail.shop,
                order_id=fact.mail.order_id,
                address=address,
                kind=why,
                since=unit.now,
                until=until,
            )
        )


async def _faults(unit: Unit, fact: Fact) -> int:
    return await store.count_faults(
        unit.connection,
        fact.mail.shop,
        comparable(fact.recipient),
        fact.recipient,
        unit.now - FULL_WITHIN,
        _COUNTED,
    )


def bounced(fact: Fact, unit: Unit) -> BouncedMail:
    """Return the report on a mail that came back."""
    kind = fact.report.kind.bounces or BounceKind.OTHER
    sent = report(fact.mail, fact.report.diagnostic or None, unit)
    return BouncedMail(**dict(sent), kind=kind, status=fact.report.status)


def _row(unit: Unit, fact: Fact) -> store.BounceRow:
    dsn = fact.report
    return store.BounceRow(
        id=fact.id,
        shop=fact.mail.shop,
        mail_id=fact.mail.id,
        address=comparable(fact.recipient),
        kind=dsn.kind,
        action=dsn.action,
        status=dsn.status,
        diagnostic=dsn.diagnostic,
        reporting_mta=dsn.reporting_mta,
        inbound_id=fact.inbound_id,
        at=unit.now,
    )
