"""Outcomes of mails as the notifier publishes them: sent, failed, uncertain, came back, held, or withdrawn.

Runs in the transaction that settles the mails' effects, whose rows are locked then: a report that arrived
while its mail was in flight is seen here. Each recorded batch publishes one message per outcome.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope, uuid7
from contracts.message import Message
from contracts.notifier.bounces import BouncedMail, MailBounced, MailSuppressed, SuppressedMail
from contracts.notifier.mails import (
    MailFailed,
    MailReport,
    MailSent,
    MailUncertain,
    MailWithdrawn,
    WithdrawnMail,
)
from services.chassis.background.effects import Done, Effect, Failed, Outcome, Retry, Withdrawn
from services.chassis.messaging.unit import Unit
from services.notifier.mails import store
from services.notifier.mails.abandoned.withdrawing import KINDS
from services.notifier.mails.mail import Cause, Mail
from services.notifier.mails.recent import recent
from services.notifier.mails.resending import report
from services.notifier.sending.bounces import store as bounce_store
from services.notifier.sending.bounces.recording import Fact, bounced, record_refused
from services.notifier.sending.bounces.refusals import refusal_in

HELD = "suppressed: "
"""How the note on a mail begins that was not sent since its address is suppressed; the kind follows."""


async def record_outcomes(unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> list[Mail]:
    """Publish the outcome of the mails: one message per outcome, separately for each command that had one sent
    again, since an outcome answers only that command. Return the mails whose outcome is final.
    """
    final = {UUID(effect.key): outcome for effect, outcome in results if not isinstance(outcome, Retry)}
    if again := [UUID(effect.key) for effect, outcome in results if isinstance(outcome, Retry)]:
        await bounce_store.delete_ends(unit.connection, again)
    returned = await bounce_store.read_bounced(unit.connection, list(final)) if final else {}
    reports: defaultdict[tuple[type[Message], Cause | None], list[MailReport]] = defaultdict(list)
    mails = await _settled_mails(unit, [effect for effect, _ in results], final)
    for mail in mails:
        message, part = await _told(unit, mail, final[mail.id], returned.get(mail.id))
        reports[message, mail.resent_by].append(part)
    for (message, cause), parts in reports.items():
        unit.emit(
            message.model_validate({"mails": parts}), cause=_envelope_of(cause, unit) if cause else None
        )
    return mails


async def _told(
    unit: Unit, mail: Mail, outcome: Outcome, returned: Any | None
) -> tuple[type[Message], MailReport]:
    """Return the message about a mail, and its part of it."""
    note = outcome.detail or ""
    if isinstance(outcome, Withdrawn):
        return MailWithdrawn, await _withdrawn(unit, mail, outcome.detail)
    if isinstance(outcome, Failed):
        if note.startswith(HELD):
            return MailSuppressed, await _held(unit, mail, note.removeprefix(HELD))
        refusal = refusal_in(note)
        if refusal is not None and refusal.kind.bounces:
            fact = Fact(uuid7(), mail, mail.recipient, refusal)
            await record_refused(unit, fact)
            return MailBounced, bounced(fact, unit)
        return MailFailed, report(mail, outcome.detail, unit)
    if returned is not None:
        reports = report(mail, returned["diagnostic"] or None, unit)
        return MailBounced, BouncedMail(**dict(reports), kind=returned["kind"], status=returned["status"])
    return MailSent if isinstance(outcome, Done) else MailUncertain, report(mail, outcome.detail, unit)


async def _withdrawn(unit: Unit, mail: Mail, note: str) -> WithdrawnMail:
    kind = KINDS[note]
    await _write_end(unit, mail, "withdrawn", kind)
    return WithdrawnMail.model_validate({**dict(report(mail, note, unit)), "kind": kind})


async def _held(unit: Unit, mail: Mail, kind: str) -> SuppressedMail:
    await _write_end(unit, mail, "suppressed", kind)
    return SuppressedMail.model_validate({**dict(report(mail, None, unit)), "kind": kind})


async def _write_end(unit: Unit, mail: Mail, state: str, kind: str) -> None:
    await bounce_store.write_ends(
        unit.connection, [bounce_store.EndRow(mail.id, state, kind, None, unit.now)]
    )


async def _settled_mails(unit: Unit, effects: Sequence[Effect], final: Mapping[UUID, Outcome]) -> list[Mail]:
    """Return the mails of settled effects; those this process has planned are not read again."""
    first = {UUID(effect.key) for effect in effects if effect.is_first_try} & final.keys()
    known = {key: pair[0] for key in first if (pair := recent.get(key))}
    missing = [key for key in final if key not in known]
    unit.after_commit(lambda: recent.forget(final))
    return [*known.values(), *(await store.read_mails(unit.connection, missing) if missing else ())]


def _envelope_of(command: Cause, unit: Unit) -> Envelope:
    """Return what an outcome needs from the command it answers."""
    return Envelope(id=command.id, source="/orders", type=command.type, time=unit.now)
