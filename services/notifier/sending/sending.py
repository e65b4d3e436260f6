"""Sending of mails: read, composed, handed to the mail server, and their outcome reported in bulk.

Done only after the server's 250. While the server is unavailable a mail never fails, it waits; a mail that
the server keeps deferring fails after `mail_give_up_hours` (RFC 5321, 4.5.4.1: four to five days). A mail
that may or may not have been sent is held for a person, or sent again where the settings allow it for its
template. Each recorded batch publishes one message per outcome.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from asyncpg import InterfaceError, InternalClientError, PostgresError

from contracts.envelope import Envelope
from contracts.message import Message
from contracts.notifier import MailFailed, MailReport, MailSent, MailUncertain
from services.chassis.background.effects import Done, Effect, EffectWorker, Failed, Outcome, Retry, Uncertain
from services.chassis.background.grouping import GroupCommit
from services.chassis.background.working import Worker
from services.chassis.errors import describe
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.notifier.mails import settings as configured
from services.notifier.mails import store
from services.notifier.mails.compose.composing import compose
from services.notifier.mails.mail import Cause, Mail, Template
from services.notifier.mails.recent import Pair, recent
from services.notifier.mails.resending import report
from services.notifier.mails.unit import MAIL, TEMPLATE
from services.notifier.sending.braking import Brake
from services.notifier.sending.smtp import Pool, ServerUnavailable, away_delay

log = structlog.get_logger()
CONCURRENCY = 16
"""Mails worked on at once; the connections are fewer, so that one is composed while another is sent."""
_NEVER = 2**31 - 1
"""Effectively unlimited tries in the effect worker: only here is it known whether the server was unavailable
or rejected the mail.
"""
_RESENDS = 3
_AGAIN = "sent again by COMPTOIR_UNCERTAIN_MAILS"
_FATES: tuple[tuple[type[Outcome], Callable[[list[MailReport]], Message]], ...] = (
    (Done, lambda mails: MailSent(mails=mails)),
    (Failed, lambda mails: MailFailed(mails=mails)),
    (Uncertain, lambda mails: MailUncertain(mails=mails)),
)


class MailMissing(LookupError):
    """An effect names a mail that does not exist."""

    def __init__(self, identifier: UUID) -> None:
        super().__init__(f"mail {identifier} is gone from the database; discard its effect")


class Sender:
    """Sender of mails: performs mail effects through one pool of connections and records their outcome."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._settings = configured.of(process)
        self.pool = Pool(self._settings)
        self.effects = EffectWorker(
            MAIL, self.perform, self.record, CONCURRENCY, _NEVER, interrupted=self._interrupted
        )
        self._brake = Brake()
        self._read = GroupCommit(self._read_together)

    def worker(self) -> Worker:
        """Return the worker that sends due mails."""
        return Worker(MAIL, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Send one mail. Raises nothing that could leave its outcome in doubt."""
        try:
            mail, addressee = await self._find(effect)
        except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
            return Retry(f"the database did not give the mail: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was handed over
            return _unwritten(error)
        if addressee.deleted_at is not None:
            return Failed("the order was deleted")
        try:
            letter = compose(mail, addressee, self._settings.profile(mail.shop))
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was handed over
            return _unwritten(error)
        if (pause := self._brake.wait()) is not None:
            return Retry("mail after mail failed; waiting for one that is sent", pause, is_try=False)
        try:
            outcome = await self.pool.send(letter)
            self._brake.note(outcome)
            return self._patience(mail, effect, outcome)
        except ServerUnavailable as away:
            return Retry(str(away), away_delay(effect.attempts))

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Publish the outcome of the mails: one message per outcome. Runs in the transaction that settles them."""
        final = {UUID(e.key): (e, outcome) for e, outcome in results if not isinstance(outcome, Retry)}
        mails = await self._settled_mails(unit, [effect for effect, _ in final.values()])
        for fate, message in _FATES:
            told = [(mail, *final[mail.id]) for mail in mails if type(final[mail.id][1]) is fate]
            for cause, reports in _by_command(told, unit).items():
                unit.emit(message(reports), cause=_envelope_of(cause, unit) if cause else None)

    async def _settled_mails(self, unit: Unit, effects: Sequence[Effect]) -> list[Mail]:
        ids = [UUID(effect.key) for effect in effects]
        first = [UUID(effect.key) for effect in effects if effect.is_first_try]
        known = {key: pair[0] for key in first if (pair := recent.get(key))}
        missing = [key for key in ids if key not in known]
        unit.after_commit(lambda: recent.forget(ids))
        return [*known.values(), *(await store.read_mails(unit.connection, missing) if missing else ())]

    async def _find(self, effect: Effect) -> Pair:
        """Return the mail with its recipient: as planned at the first try, else as the database has it now."""
        identifier = UUID(effect.key)
        remembered = recent.get(identifier) if effect.is_first_try else None
        found = remembered or await self._read.submit(identifier)
        if found is None:
            raise MailMissing(identifier)
        return found

    async def _read_together(self, ids: Sequence[UUID]) -> list[Pair | None]:
        """Return mails with their orders' recipients; None for a missing one, so that it does not fail the others."""
        async with self._process.acquire() as connection:
            mails = {mail.id: mail for mail in await store.read_mails(connection, ids)}
            orders = sorted({(mail.shop, mail.order_id) for mail in mails.values()})
            known = {(a.shop, a.order_id): a for a in await store.read_addressees(connection, orders)}
        pairs = {mail.id: (mail, known[mail.shop, mail.order_id]) for mail in mails.values()}
        return [pairs.get(key) for key in ids]

    def _patience(self, mail: Mail, effect: Effect, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Retry) and self._is_hopeless(mail, effect):
            return Failed(f"given up after {effect.attempts} tries: {outcome.detail}")
        if isinstance(outcome, Uncertain) and self._resends(mail.template, effect):
            return Retry(f"{_AGAIN}: {outcome.detail}")
        return outcome

    def _is_hopeless(self, mail: Mail, effect: Effect) -> bool:
        """Return whether a mail is old and often tried: by age only, mails that waited for an unavailable
        server would fail.
        """
        age = datetime.now(UTC) - mail.created_at
        settings = self._settings
        return (
            age >= timedelta(hours=settings.mail_give_up_hours) and effect.attempts >= settings.mail_attempts
        )

    def _interrupted(self, effect: Effect, why: str) -> Outcome:
        """Decide on a mail in flight when its process died: it is sent again if the settings allow it for its
        template, but not indefinitely.
        """
        template = effect.payload.get(TEMPLATE)
        if template in tuple(Template) and self._resends(Template(template), effect):
            return Retry(f"{_AGAIN}: {why}")
        return Uncertain(why)

    def _resends(self, template: Template, effect: Effect) -> bool:
        return self._settings.resends(template) and effect.attempts <= _RESENDS


def _unwritten(error: Exception) -> Failed:
    """Log and return a failure before anything was handed to the mail server."""
    log.error("a mail could not be written", error=describe(error))
    return Failed(f"the mail could not be written: {type(error).__name__}: {error}"[:900])


def _by_command(
    told: Sequence[tuple[Mail, Effect, Outcome]], unit: Unit
) -> dict[Cause | None, list[MailReport]]:
    """Return the reports on mails, separately for each command that had one sent again: the outcome answers
    only that command.
    """
    found: defaultdict[Cause | None, list[MailReport]] = defaultdict(list)
    for mail, _, outcome in told:
        found[mail.resent_by].append(report(mail, outcome.detail, unit))
    return found


def _envelope_of(command: Cause, unit: Unit) -> Envelope:
    """Return what an outcome needs from the command it answers."""
    return Envelope(id=command.id, source="/orders", type=command.type, time=unit.now)
