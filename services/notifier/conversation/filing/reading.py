"""Received mails read and posted: each ends exactly once, in the transaction that posts it.

Own mail, then bounce, automatic, thread, author, text, attachments. Reading is an effect that may be repeated: what is
ended already stays. After five attempts the mail is parked; it stays readable as it came, and staff may file it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from contracts.notifier.conversation import InboundOutcome, MailReceived
from services.chassis.background.effects import Done, Effect, EffectWorker, Failed, Outcome, Retry
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import is_conflict, is_outage
from services.notifier.conversation import inbound_store
from services.notifier.conversation.filing import finding
from services.notifier.conversation.filing.earlier_texts import LinkOf, no_link
from services.notifier.conversation.filing.entering import post_filed, post_received
from services.notifier.conversation.inbound import INBOUND, Ending, InboundMail
from services.notifier.conversation.parsing.parsed import ParsedMail, parse
from services.notifier.conversation.receiving.destinations import is_bounce_address
from services.notifier.mails import settings as configured

log = structlog.get_logger()
TRIES = 5
CONCURRENCY = 4
READ_SECONDS = 10.0
UNREADABLE = "unreadable"
ReadBounce = Callable[[Unit, InboundMail], Awaitable[Ending | None]]
"""Function that reads a mail to a bounce address, in the unit that ends it; None when it is not a report."""
_LATER = timedelta(seconds=2)


class Reader:
    """The reader of received mails in one process."""

    def __init__(
        self, process: Process, read_bounce: ReadBounce | None = None, link_of: LinkOf = no_link
    ) -> None:
        self._process = process
        self._authserv_id = configured.of(process).inbound_authserv_id
        self._link_of = link_of
        self._read_bounce = read_bounce
        self.effects = EffectWorker(
            INBOUND, self.perform, self.record, CONCURRENCY, TRIES, interrupted=_interrupted
        )

    def worker(self) -> Worker:
        """Return the worker that reads received mails."""
        return Worker(INBOUND, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Read one mail and post it where it belongs."""
        inbound_id, is_filed = UUID(effect.payload["inbound_id"]), effect.key.endswith(":filed")
        try:
            async with self._process.acquire() as connection:
                mail = await inbound_store.read_inbound(connection, inbound_id)
            if mail is None:
                return Done("its order was deleted")
            if is_filed:
                await self._file(mail)
            elif mail.outcome is None:
                await self._end(mail)
        except Exception as error:
            if is_outage(error) or is_conflict(error):
                return Retry(f"the database rejected it: {type(error).__name__}", _LATER, is_try=False)
            raise
        return Done()

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Park mails that could not be read."""
        for effect, outcome in results:
            if isinstance(outcome, Failed) and not effect.key.endswith(":filed"):
                await self._park(unit, UUID(effect.payload["inbound_id"]))

    async def _end(self, mail: InboundMail) -> None:
        if is_bounce_address(mail.envelope_to) and await self._end_bounce(mail):
            return
        parsed = await self._parse(mail)
        async with self._process.unit() as unit:
            if await finding.is_ours(unit.connection, parsed.message_id):
                ending = Ending(InboundOutcome.OWN)
            else:
                ending = await post_received(unit, mail, parsed, self._link_of)
            await _end(unit, mail, ending, parsed)

    async def _end_bounce(self, mail: InboundMail) -> bool:
        """End a mail to a bounce address; return whether it ended, because it was a report."""
        if self._read_bounce is None:
            return False
        async with self._process.unit() as unit:
            ending = await self._read_bounce(unit, mail)
            if ending is not None:
                await _end(unit, mail, ending, None)
        return ending is not None

    async def _file(self, mail: InboundMail) -> None:
        """Post a mail under the order that staff chose; one that can't be read is posted as it came."""
        try:
            parsed = await self._parse(mail)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, staff want to see it
            log.info("a filed mail can't be read; it is posted as it came", error=type(error).__name__)
            parsed = None
        async with self._process.unit() as unit:
            await post_filed(unit, mail, parsed, self._link_of)

    async def _parse(self, mail: InboundMail) -> ParsedMail:
        """Parse the mail; in a thread, so that others are not held up. Raises TimeoutError."""
        async with asyncio.timeout(READ_SECONDS):
            return await asyncio.to_thread(parse, mail.raw, mail.envelope_from, self._authserv_id)

    async def _park(self, unit: Unit, inbound_id: UUID) -> None:
        mail = await inbound_store.read_inbound(unit.connection, inbound_id)
        if mail is not None and mail.outcome is None:
            await _end(unit, mail, Ending(InboundOutcome.PARKED, UNREADABLE), None)


async def _end(unit: Unit, mail: InboundMail, ending: Ending, parsed: ParsedMail | None) -> None:
    """Write where the mail ended, and publish it."""
    sender, subject = (parsed.sender, parsed.subject) if parsed else (None, None)
    excerpt = parsed.excerpt if parsed and ending.outcome is InboundOutcome.TO_FILE else ""
    await unit.writes.send()
    await inbound_store.end_inbound(
        *(unit.connection, mail.inbound_id, ending, unit.now, sender, subject, excerpt),
        is_whole=parsed is None or parsed.is_whole,
    )
    received = MailReceived(
        shop=mail.shop,
        inbound_id=mail.inbound_id,
        outcome=ending.outcome,
        reason=ending.reason,
        order_id=ending.order_id or mail.order_id,
        received_at=mail.received_at,
    )
    unit.emit(received)


def _interrupted(effect: Effect, why: str) -> Outcome:
    """Have a mail read again whose reader died or raised: nothing was written."""
    return Retry(why) if effect.attempts < TRIES else Failed(why)
