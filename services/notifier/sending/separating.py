"""A recap whose invoice has no PDF in time: it goes without, and the invoice gets a mail of its own.

The mail of the invoice is planned in the transaction that records that the recap went. Where it is not known
whether the recap went, staff send it again, with the PDF if there is one by then, or takes it as arrived, which
plans the mail of the invoice. That the recap went without is committed before it is handed over, so neither is lost
when the process dies. A recap that was then sent again with the PDF, and taken as arrived, is followed by a second PDF.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.chassis.background.effects import Done, Effect, Outcome
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.notifier.mails.holding.hold import WAIT
from services.notifier.mails.holding.separated import invoice_mail
from services.notifier.mails.holding.store import note_alone
from services.notifier.mails.mail import Mail, Template
from services.notifier.mails.texts.planning import plan_mails
from services.notifier.sending.attachments import AttachmentDelayed, AttachmentMissing


def goes_alone(mail: Mail, lacking: AttachmentMissing | AttachmentDelayed, now: datetime) -> bool:
    """Return whether a mail goes without its PDF: a recap whose invoice's will never be had, or not in time."""
    if mail.template is not Template.ORDER_RECAP:
        return False
    return isinstance(lacking, AttachmentMissing) or now - mail.created_at >= WAIT


def without_invoice(mail: Mail) -> Mail:
    """Return a recap without a word about an invoice."""
    return replace(mail, context={name: value for name, value in mail.context.items() if name != "invoice"})


class Separated:
    """The recaps that this process sent without their invoices."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._recaps: dict[UUID, Mail] = {}

    async def note(self, recap: Mail) -> None:
        """Record that a recap goes without its invoice, committed. Raises the database's errors."""
        async with self._process.acquire() as connection:
            await note_alone(connection, recap.shop, recap.order_id)
        self._recaps[recap.id] = recap

    def forget(self, identifier: UUID) -> None:
        """Forget an earlier try to send a mail."""
        self._recaps.pop(identifier, None)

    async def plan(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Plan the mails of the invoices whose recaps went without them."""
        went = [UUID(effect.key) for effect, outcome in results if isinstance(outcome, Done)]
        await plan_mails(unit, [invoice_mail(unit, self._recaps[key]) for key in went if key in self._recaps])
