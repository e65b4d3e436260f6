"""Test mails: a made-up order, the texts as they are being written, sent to the staff member who asked.

No mail row is written, since no customer gets it; the command that asked ends with what became of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from asyncpg import InterfaceError, InternalClientError, PostgresError

from contracts.envelope import Envelope
from contracts.message import Message, Reason
from contracts.notifier.mail_texts import TextPart
from contracts.service import CommandDone, CommandRejected
from services.chassis.background.effects import Done, Effect, EffectWorker, Failed, Outcome, Retry, Uncertain
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.notifier.mails import settings as configured
from services.notifier.mails.addresses import AddressUnusable
from services.notifier.mails.compose.composing import MailMessage, compose, words_of
from services.notifier.mails.compose.wording import built_in
from services.notifier.mails.mail import message_id
from services.notifier.mails.texts import store
from services.notifier.mails.texts.profile import overlaid
from services.notifier.profile.commands import TEST_MAIL
from services.notifier.profile.samples import sample
from services.notifier.sending.smtp import Pool, ServerUnavailable

ATTEMPTS = 3
"""A user waits for the answer: a mail server or database that is unavailable for longer is reported."""
MARK = "[Test] "


class TrialMails:
    """Sender of test mails, through the pool of connections that all mails use."""

    def __init__(self, process: Process, pool: Pool) -> None:
        self._process, self._pool = process, pool
        self._settings = configured.of(process)
        self.effects = EffectWorker(TEST_MAIL, self.perform, self.record, 2, ATTEMPTS)

    def worker(self) -> Worker:
        """Return the worker that sends test mails."""
        return Worker(TEST_MAIL, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Send one test mail."""
        try:
            message = await self._written(effect)
        except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
            return Retry(f"the database did not give the texts: {type(error).__name__}")
        except AddressUnusable as error:
            return Failed(str(error))
        try:
            return await self._pool.send(message)
        except ServerUnavailable as error:
            return Retry(str(error))

    async def _written(self, effect: Effect) -> MailMessage:
        payload = effect.payload
        name, wording, locale = payload["shop"], payload["wording"], payload["locale"]
        async with self._process.acquire() as connection:
            latest = await store.read_latest(connection, name)
            profiles = await store.read_profiles(connection, [name])
        kept = {row.part: row.text for row in latest if (row.template, row.locale) == (wording, locale)}
        texts = {**kept, **payload["texts"]}
        own = {TextPart(part): text for part, text in texts.items() if text is not None}
        shop = overlaid(self._settings.profile(name), profiles.get(name))
        subject = own.get(TextPart.SUBJECT) or built_in(words_of(locale), wording, TextPart.SUBJECT)
        mail, recipient = sample(wording, name, locale, recipient=payload["recipient"])
        mail = replace(
            mail,
            id=UUID(effect.key),
            message_id=message_id(UUID(effect.key), shop.from_email),
            created_at=datetime.now(UTC),
        )
        return compose(mail, recipient, shop, own={**own, TextPart.SUBJECT: MARK + subject})

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Answer the commands. Runs in the transaction that settles the effects."""
        for effect, outcome in results:
            if not isinstance(outcome, Retry):
                unit.emit(_answer(effect, outcome), cause=_command(effect, unit))


def _answer(effect: Effect, outcome: Outcome) -> Message:
    command_id, payload = UUID(effect.key), effect.payload
    if isinstance(outcome, Done):
        return CommandDone(shop=payload["shop"], command_id=command_id, command_type=payload["command_type"])
    code, text = (
        "test_mail_failed",
        f"the test mail was not sent: {outcome.detail}; look at the mail server and try again",
    )
    if isinstance(outcome, Uncertain):
        code = "test_mail_uncertain"
        text = f"it is not known whether the test mail was sent: {outcome.detail}; look for it before you send another"
    return CommandRejected(
        shop=payload["shop"],
        command_id=command_id,
        command_type=payload["command_type"],
        reasons=[Reason(code=code, message=text[:1000])],
    )


def _command(effect: Effect, unit: Unit) -> Envelope:
    return Envelope(id=UUID(effect.key), source="/orders", type=effect.payload["command_type"], time=unit.now)
