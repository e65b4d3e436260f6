"""Commands about a settled or uncertain mail: send it again, or mark an uncertain one as delivered.

It remains the same mail with the same Message-ID and Date; a reader that already has it can recognise it. It
goes to the address the order has now, and its outcome is reported with that address. A mail in flight is left
unchanged. Invariant: each command ends in exactly one outcome: that of the mail sent again, that nothing had
to change, or a rejection.
"""

from contextlib import suppress
from uuid import UUID

from contracts.envelope import Envelope
from contracts.notifier.mails import MailReport, MailSent
from contracts.service import CommandDone
from services.chassis.background.effects import decide
from services.chassis.messaging.unit import Unit
from services.notifier.mails import store
from services.notifier.mails.holding.separated import plan_separated
from services.notifier.mails.mail import TO_MERCHANT, Mail
from services.notifier.mails.recipients import read_recipients
from services.notifier.mails.settings import ShopUnknown, shop_directory

CONFIRMED = "taken as arrived by {actor}"


class MailUnknown(LookupError):
    """No mail has this id."""

    def __init__(self, identifier: UUID) -> None:
        super().__init__(f"no mail has the id {identifier}; GET /internal/mails lists them")
        self.identifier = identifier


class MailOnItsWay(ValueError):
    """The mail is planned or in flight, so there is nothing to decide yet."""

    def __init__(self, identifier: UUID) -> None:
        super().__init__(f"mail {identifier} is planned or in flight already; wait for its outcome")
        self.identifier = identifier


class MailNotUncertain(ValueError):
    """The mail is not uncertain: only an uncertain mail can be marked as delivered by staff."""

    def __init__(self, identifier: UUID, state: str | None) -> None:
        super().__init__(f"mail {identifier} is {state}, not uncertain; look at it again")
        self.identifier, self.state = identifier, state


async def send_again(unit: Unit, identifier: UUID, actor: str, by: Envelope | None = None) -> None:
    """Plan a settled mail's sending again; `by` is the command that requested it. Raises MailUnknown,
    MailOnItsWay.
    """
    mails = await store.read_mails(unit.connection, [identifier])
    if not mails:
        raise MailUnknown(identifier)
    if not await decide(unit, str(identifier), "planned", f"sent again by {actor}"):
        raise MailOnItsWay(identifier)
    recipient, command = await _address_now(unit, mails[0]), (by.id, by.type) if by else (None, None)
    await store.note_resend(unit.connection, identifier, recipient, *command)


async def _address_now(unit: Unit, mail: Mail) -> str:
    """Return the address of a mail that is sent again: its order's customer as corrected since, or the shop's
    current one.
    """
    if mail.template in TO_MERCHANT:
        with suppress(ShopUnknown):
            return shop_directory().profile(mail.shop).merchant_email
        return mail.recipient
    recipients = await read_recipients(unit.connection, [mail])
    return recipients[mail.id].email


async def take_as_arrived(unit: Unit, identifier: UUID, actor: str, by: Envelope | None = None) -> None:
    """Settle an uncertain mail as done and publish it; the invoice that a recap went without gets a mail of its own.

    Raises MailUnknown, MailNotUncertain.
    """
    mails = await store.read_mails(unit.connection, [identifier])
    if not mails:
        raise MailUnknown(identifier)
    listed, note = await store.read_listed(unit.connection, identifier), CONFIRMED.format(actor=actor)
    state = listed.state if listed else None
    if state != "uncertain" or not await decide(unit, str(identifier), "done", note):
        raise MailNotUncertain(identifier, state)
    await plan_separated(unit, mails[0])
    unit.emit(MailSent(mails=[report(mails[0], note, unit)]), cause=by)


def report(mail: Mail, detail: str | None, unit: Unit) -> MailReport:
    """Return the outcome of a mail as a message for orders."""
    return MailReport(
        mail_id=mail.id,
        shop=mail.shop,
        order_id=mail.order_id,
        code=mail.code or None,
        template=mail.template.value,
        recipient=mail.recipient,
        cause_id=mail.cause_id,
        at=unit.now,
        detail=detail,
    )


async def carry_out(unit: Unit, mail: Mail, actor: str, command: Envelope, *, again: bool) -> None:
    """Carry out a command on an existing mail; nothing has to change when it is in flight or settled."""
    try:
        await (send_again if again else take_as_arrived)(unit, mail.id, actor, command)
    except (MailOnItsWay, MailNotUncertain):
        done = CommandDone(
            shop=mail.shop, order_id=mail.order_id, command_id=command.id, command_type=command.type
        )
        unit.emit(done, cause=command)
