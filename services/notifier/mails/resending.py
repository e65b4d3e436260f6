"""A person's word on a mail: send it again, or take an uncertain one as arrived.

It stays the same mail with the same Message-ID and Date; a reader that already has it can tell. It goes to the address
the order has now, and whoever hears what became of it hears that address. A mail on its way is left alone. Invariant:
each command ends in exactly one outcome: what became of the mail that was sent again, or that nothing had to change, or
a refusal.
"""

from contextlib import suppress
from uuid import UUID

from contracts.envelope import Envelope
from contracts.notifier import MailReport, MailSent
from contracts.service import CommandDone
from services.chassis.messaging.unit import Unit
from services.chassis.work.effects import decide
from services.notifier.mails import store
from services.notifier.mails.mail import Mail, Template
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
    """Only of an uncertain mail can a person say that it arrived."""

    def __init__(self, identifier: UUID, state: str | None) -> None:
        super().__init__(f"mail {identifier} is {state}, not uncertain; look at it again")
        self.identifier, self.state = identifier, state


async def send_again(unit: Unit, identifier: UUID, actor: str, by: Envelope | None = None) -> None:
    """Plan a settled mail's sending anew; `by` is the command that asked. Raises MailUnknown, MailOnItsWay."""
    mails = await store.read_mails(unit.connection, [identifier])
    if not mails:
        raise MailUnknown(identifier)
    if not await decide(unit, str(identifier), "planned", f"sent again by {actor}"):
        raise MailOnItsWay(identifier)
    recipient, command = await _address_now(unit, mails[0]), (by.id, by.type) if by else (None, None)
    await store.note_resend(unit.connection, identifier, recipient, *command)


async def _address_now(unit: Unit, mail: Mail) -> str:
    """Where a mail goes when it is sent again: to its order's customer as corrected since, or to the shop as it is set
    up now."""
    if mail.template is Template.NEW_ORDER:
        with suppress(ShopUnknown):
            return shop_directory().profile(mail.shop).merchant_email
        return mail.recipient
    (addressee,) = await store.read_addressees(unit.connection, [(mail.shop, mail.order_id)])
    return addressee.email


async def take_as_arrived(unit: Unit, identifier: UUID, actor: str, by: Envelope | None = None) -> None:
    """Settle an uncertain mail as done and say so. Raises MailUnknown, MailNotUncertain."""
    mails = await store.read_mails(unit.connection, [identifier])
    if not mails:
        raise MailUnknown(identifier)
    listed, note = await store.read_listed(unit.connection, identifier), CONFIRMED.format(actor=actor)
    state = listed.state if listed else None
    if state != "uncertain" or not await decide(unit, str(identifier), "done", note):
        raise MailNotUncertain(identifier, state)
    unit.emit(MailSent(mails=[report(mails[0], note, unit)]), cause=by)


def report(mail: Mail, detail: str | None, unit: Unit) -> MailReport:
    """What became of a mail, as orders hears it."""
    return MailReport(
        mail_id=mail.id,
        shop=mail.shop,
        order_id=mail.order_id,
        code=mail.code,
        template=mail.template.value,
        recipient=mail.recipient,
        cause_id=mail.cause_id,
        at=unit.now,
        detail=detail,
    )


async def carry_out(unit: Unit, mail: Mail, actor: str, command: Envelope, *, again: bool) -> None:
    """Do what a command asks about a mail that is there; nothing has to change when it is on its way or settled."""
    try:
        await (send_again if again else take_as_arrived)(unit, mail.id, actor, command)
    except (MailOnItsWay, MailNotUncertain):
        done = CommandDone(
            shop=mail.shop, order_id=mail.order_id, command_id=command.id, command_type=command.type
        )
        unit.emit(done, cause=command)
