"""Sending of mails: read, composed, handed to the mail server, and their outcome reported in bulk.

Done only after the server's 250. While the server is unavailable a mail never fails, it waits; a mail that
the server keeps deferring fails after `mail_give_up_hours` (RFC 5321, 4.5.4.1: four to five days). A mail
that may or may not have been sent is held for staff, or sent again where the settings allow it for its
template. Each recorded batch publishes one message per outcome.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from asyncpg import InterfaceError, InternalClientError, PostgresError

from contracts.notifier.mail_texts import TextPart
from services.chassis.background.effects import (
    UNLIMITED,
    Effect,
    EffectWorker,
    Failed,
    Outcome,
    Retry,
    Uncertain,
    Withdrawn,
)
from services.chassis.background.group_commit import GroupCommit
from services.chassis.background.workers import Worker
from services.chassis.errors import places
from services.chassis.failpoints import reach
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.notifier.conversation.reply_addresses import AddressMaker, ReplyAddress
from services.notifier.links.making import Link, LinkMaker
from services.notifier.mails import settings as configured
from services.notifier.mails import store
from services.notifier.mails.abandoned.withdrawing import DELETED, reason_to_withdraw
from services.notifier.mails.compose.composing import MailMessage, compose
from services.notifier.mails.mail import MAIL, TEMPLATE, Mail, Template
from services.notifier.mails.recent import Pair, recent
from services.notifier.mails.recipients import read_recipients
from services.notifier.mails.texts.kept import KeptTexts, Planned
from services.notifier.mails.texts.planning import language_of, wording_of
from services.notifier.sending.attachments import (
    AttachmentBusy,
    AttachmentDelayed,
    AttachmentMissing,
    Attachments,
)
from services.notifier.sending.bounces.addresses import AddressSuppressed, BounceAddresses, RecipientGone
from services.notifier.sending.braking import Brake
from services.notifier.sending.damage import notify_merchant
from services.notifier.sending.pacing import Pace
from services.notifier.sending.recording import record_outcomes
from services.notifier.sending.separating import Separated, goes_alone, without_invoice
from services.notifier.sending.smtp import Pool, ServerUnavailable, retry_delay

log = structlog.get_logger()
CONCURRENCY = 16
"""Mails worked on at once; the connections are fewer, so that one is composed while another is sent."""
_TURN = timedelta(seconds=1)
"""The pause of a mail for which too many others fetch their PDF."""
_RESENDS = 3
_AGAIN = "sent again by COMPTOIR_UNCERTAIN_MAILS"


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
            MAIL, self.perform, self.record, CONCURRENCY, UNLIMITED, interrupted=self._interrupted
        )
        self._texts = KeptTexts()
        self._damaged: dict[UUID, tuple[TextPart, ...]] = {}
        self._separated = Separated(process)
        self._brake = Brake()
        self._pace = Pace(self._settings.smtp_mails_per_minute)
        self._bounce_addresses = BounceAddresses(process, self._settings.inbound_domain)
        self._attachments = Attachments(self._settings)
        self._links = LinkMaker(process)
        self._addresses = AddressMaker(process)
        self._read = GroupCommit(self._read_together)

    def worker(self) -> Worker:
        """Return the worker that sends due mails."""
        return Worker(MAIL, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Send one mail. Raises nothing that could leave its outcome in doubt."""
        try:
            mail, recipient = await self._find(effect)
            withdrawn = await reason_to_withdraw(self._process, mail, datetime.now(UTC))
            planned = await self._planned_with(mail)
        except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
            return Retry(f"the database did not give the mail: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was handed over
            return _unwritten(error)
        if recipient.deleted_at is not None:
            return Withdrawn(DELETED)
        if withdrawn is not None:
            return Withdrawn(withdrawn)
        attached = await self._attached(mail, effect)
        if not isinstance(attached, tuple):
            return attached
        mail, attachment = attached
        try:
            link, reply_to = self._links.link_of(mail), self._addresses.reply_address(mail)
            shop = planned.shop(self._settings.profile(mail.shop))
            message = compose(
                mail,
                recipient,
                shop,
                attachment,
                link.url if link else None,
                planned.texts,
                reply_to.address if reply_to else None,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was handed over
            return _unwritten(error)
        if message.damaged:
            self._damaged[mail.id] = message.damaged
        if (pause := self._pace.wait()) is not None:
            return Retry("COMPTOIR_SMTP_MAILS_PER_MINUTE is reached", pause, is_try=False)
        return await self._hand_over(mail, effect, message, link, reply_to)

    async def _attached(self, mail: Mail, effect: Effect) -> tuple[Mail, bytes | None] | Outcome:
        """Return a mail with its PDF, or without if it goes alone; else why it does not go now."""
        self._separated.forget(mail.id)
        try:
            return mail, await self._attachments.of(mail)
        except AttachmentBusy as busy:
            return Retry(str(busy), _TURN, is_try=False)
        except (AttachmentMissing, AttachmentDelayed) as lacking:
            if not goes_alone(mail, lacking, datetime.now(UTC)):
                return self._unattached(mail, effect, lacking)
        try:
            await self._separated.note(mail)
        except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
            return Retry(f"the database did not note that the recap goes alone: {type(error).__name__}")
        return without_invoice(mail), None

    def _unattached(
        self, mail: Mail, effect: Effect, lacking: AttachmentMissing | AttachmentDelayed
    ) -> Outcome:
        if isinstance(lacking, AttachmentMissing):
            return Failed(str(lacking), is_own=True)
        return self._patience(mail, effect, Retry(str(lacking), retry_delay(effect.attempts)))

    async def _hand_over(
        self,
        mail: Mail,
        effect: Effect,
        message: MailMessage,
        link: Link | None,
        reply_to: ReplyAddress | None,
    ) -> Outcome:
        """Hand the message to the mail server, with a sender address to which a report on this mail returns."""
        try:
            sender = await self._bounce_addresses.of(
                mail, message.recipient, link.row if link else None, reply_to.row if reply_to else None
            )
        except RecipientGone:
            return Withdrawn(DELETED)
        except AddressSuppressed as suppressed:
            return Failed(str(suppressed), is_own=True, counted_as="held")
        except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
            return Retry(f"the database did not store the mail's addresses: {type(error).__name__}")
        reach("mail_addressed")
        # last of all: the mail that the brake lets through as its probe must reach the server
        if (pause := self._brake.wait()) is not None:
            return Retry("mail after mail failed; waiting for one that is sent", pause, is_try=False)
        try:
            outcome = await self.pool.send(replace(message, sender=sender) if sender else message)
        except ServerUnavailable as away:
            return Retry(str(away), retry_delay(effect.attempts))
        self._brake.note(outcome)
        if not isinstance(outcome, Retry):
            self._bounce_addresses.forget(mail, message.recipient)
        return self._patience(mail, effect, outcome)

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Publish the outcome of the mails, and tell merchants of damaged texts. Runs in the transaction that
        settles the mails.
        """
        mails = await record_outcomes(unit, results)
        for mail in [one for one in mails if one.id in self._damaged]:
            await notify_merchant(unit, mail, self._damaged[mail.id], self._settings.profile(mail.shop))
        await self._separated.plan(unit, results)
        unit.after_commit(partial(self._forget, [mail.id for mail in mails]))

    def _forget(self, ids: Sequence[UUID]) -> None:
        for identifier in ids:
            self._damaged.pop(identifier, None)
            self._separated.forget(identifier)

    async def _find(self, effect: Effect) -> Pair:
        """Return the mail with its recipient: as planned at the first try, else as the database has it now."""
        identifier = UUID(effect.key)
        remembered = recent.get(identifier) if effect.is_first_try else None
        found = remembered or await self._read.submit(identifier)
        if found is None:
            raise MailMissing(identifier)
        return found

    async def _planned_with(self, mail: Mail) -> Planned:
        wording = wording_of(mail.template, mail.context)
        return await self._texts.of(mail, wording, language_of(mail.locale), self._process.acquire)

    async def _read_together(self, ids: Sequence[UUID]) -> list[Pair | None]:
        """Return mails with their orders' recipients; None for a missing one, so that it does not fail the others."""
        async with self._process.acquire() as connection:
            mails = {mail.id: mail for mail in await store.read_mails(connection, ids)}
            recipients = await read_recipients(connection, list(mails.values()))
        return [(mails[key], recipients[key]) if key in mails else None for key in ids]

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
        if (
            not effect.is_restored
            and template in tuple(Template)
            and self._resends(Template(template), effect)
        ):
            return Retry(f"{_AGAIN}: {why}")
        return Uncertain(why)

    def _resends(self, template: Template, effect: Effect) -> bool:
        return self._settings.resends(template) and effect.attempts <= _RESENDS


def _unwritten(error: Exception) -> Failed:
    """Log and return a failure before anything was handed to the mail server.

    The error may quote the customer's address: that is kept on the effect, which an erasure redacts, and not logged.
    """
    log.error("a mail could not be written", error=type(error).__name__, places=places(error))
    return Failed(f"the mail could not be written: {type(error).__name__}: {error}"[:900])
