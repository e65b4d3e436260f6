"""Commands of the staff about a thread: post a message, change the thread, file a received mail, recognise an
address or take that back.

Every command ends once: with the event of what was done, with CommandDone where nothing had to change, or with a
rejection that names the reason.
"""

from functools import partial
from typing import Any

from contracts.message import Reason
from contracts.notifier.conversation import (
    TO_BE_FILED,
    AddParticipant,
    AuthorRole,
    ChangeThread,
    Channel,
    FileMail,
    MailFiled,
    ParticipantAdded,
    ParticipantRemoved,
    PostMessage,
    RemoveParticipant,
    ThreadChange,
    ThreadChanged,
)
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage, Wait, order_key
from services.chassis.messaging.unit import Unit
from services.chassis.texts import is_blank
from services.notifier.conversation import participant_store
from services.notifier.conversation.inbound import INBOUND, InboundMail, filing_key
from services.notifier.conversation.posting import post
from services.notifier.conversation.thread import Message, written
from services.notifier.conversation.unit import ConversationUnit, Filing
from services.notifier.mails.mail import Recipient


def post_message(work: ConversationUnit, received: ReceivedMessage[PostMessage]) -> None:
    """Post a staff member's message and mail it to the customer. Waits for the order's placing.

    Idempotent: a message of the same id is posted once.
    """
    command = received.message
    recipient = _recipient(work, received)
    if recipient is None:
        return
    if work.has_message(command.shop, command.message_id):
        _done(work.unit, received)
    elif is_blank(command.text):
        _reject(
            work.unit, received, "text_blank", "The message is empty; write it and send it again.", "text"
        )
    else:
        message = Message(
            message_id=command.message_id,
            author_role=AuthorRole.STAFF,
            author=command.author_name,
            via=Channel.BACKOFFICE,
            posted_at=work.unit.now,
            segments=written(command.text),
        )
        post(work, recipient, message, cause=received.envelope)


def change_thread(work: ConversationUnit, received: ReceivedMessage[ChangeThread]) -> None:
    """Close, reopen or assign a thread, or mark it as read. Waits for the order's placing."""
    command = received.message
    recipient = _recipient(work, received)
    if recipient is None:
        return
    thread = work.thread(command.shop, command.order_id)
    if thread.last_at is None:
        detail = f"Order {recipient.code} has no messages yet; post one first."
        _reject(work.unit, received, "thread_empty", detail, "order_id")
        return
    if not thread.change(command.change, command.assignee):
        _done(work.unit, received)
        return
    work.changed(thread)
    changed = ThreadChanged(
        shop=command.shop,
        order_id=command.order_id,
        code=recipient.code,
        change=ThreadChange(command.change),
        thread=thread.summary,
        changed_by=command.actor,
        changed_at=work.unit.now,
    )
    work.unit.emit(changed, cause=received.envelope)


def file_mail(work: ConversationUnit, received: ReceivedMessage[FileMail]) -> None:
    """File a received mail under an order, in whose thread it is posted then, or set it aside with a reason."""
    command = received.message
    mail = work.inbound.get(command.inbound_id)
    if mail is None or mail.shop != command.shop:
        detail = f"Shop {command.shop} has no received mail {command.inbound_id}; look at the list again."
        _reject(work.unit, received, "inbound_unknown", detail, "inbound_id")
    elif mail.outcome not in TO_BE_FILED:
        detail = (
            f"The mail is {mail.outcome or 'still being read'}; only one that is to be filed can be filed."
        )
        _reject(work.unit, received, "inbound_not_fileable", detail, "inbound_id")
    elif mail.filed_at is not None or command.inbound_id in work.filings:
        _reject(
            work.unit, received, "inbound_filed", "The mail was filed or set aside already.", "inbound_id"
        )
    elif command.order_id is None and is_blank(command.reason or ""):
        detail = "Neither an order nor a reason: choose the order, or write why the mail is set aside."
        _reject(work.unit, received, "reason_missing", detail, "reason")
    elif command.order_id is None or _recipient(work, received) is not None:
        _file(work, received, mail)


def add_participant(work: ConversationUnit, received: ReceivedMessage[AddParticipant]) -> None:
    """Recognise an address that wrote to the thread as the customer's. Waits for the order's placing.

    Idempotent: an address that is recognised already stays so, with who did it first.
    """
    recipient = _recipient(work, received)
    if recipient is not None:
        work.last_steps.append(partial(_add_participant, received=received, recipient=recipient))


async def _add_participant(
    unit: Unit, received: ReceivedMessage[AddParticipant], recipient: Recipient
) -> None:
    command, address = received.message, received.message.address.lower()
    key = command.shop, command.order_id
    if not await participant_store.has_written(unit.connection, *key, address):
        detail = f"No message in the conversation about order {recipient.code} came from {address}."
        _reject(unit, received, "address_unknown", detail, "address")
    elif not await participant_store.insert_address(unit.connection, *key, address, command.actor, unit.now):
        _done(unit, received)
    else:
        added = ParticipantAdded(
            shop=command.shop,
            order_id=command.order_id,
            code=recipient.code,
            address=address,
            added_by=command.actor,
            added_at=unit.now,
        )
        unit.emit(added, cause=received.envelope)


def remove_participant(work: ConversationUnit, received: ReceivedMessage[RemoveParticipant]) -> None:
    """Take back that an address is the customer's: its later mails are another sender's, its earlier messages stay as
    they are. Waits for the order's placing.

    Idempotent: nothing has to change for an address that is not recognised.
    """
    recipient = _recipient(work, received)
    if recipient is not None:
        work.last_steps.append(partial(_remove_participant, received=received, recipient=recipient))


async def _remove_participant(
    unit: Unit, received: ReceivedMessage[RemoveParticipant], recipient: Recipient
) -> None:
    command, address = received.message, received.message.address.lower()
    if address == recipient.email.lower():
        detail = f"{address} is the address of order {recipient.code} itself; edit the order to change it."
        _reject(unit, received, "address_of_order", detail, "address")
        return
    if not await participant_store.delete_address(unit.connection, command.shop, command.order_id, address):
        _done(unit, received)
        return
    removed = ParticipantRemoved(
        shop=command.shop,
        order_id=command.order_id,
        code=recipient.code,
        address=address,
        removed_by=command.actor,
        removed_at=unit.now,
    )
    unit.emit(removed, cause=received.envelope)


def _file(work: ConversationUnit, received: ReceivedMessage[FileMail], mail: InboundMail) -> None:
    command = received.message
    reason = None if command.order_id else command.reason
    work.filings[mail.inbound_id] = Filing(mail.inbound_id, command.order_id, reason, command.actor)
    if command.order_id:
        payload = {"inbound_id": str(mail.inbound_id)}
        work.unit.plan(INBOUND, filing_key(mail.inbound_id), payload, changes_outside=False)
    filed = MailFiled(
        shop=command.shop,
        inbound_id=mail.inbound_id,
        order_id=command.order_id,
        reason=reason,
        filed_by=command.actor,
        filed_at=work.unit.now,
    )
    work.unit.emit(filed, cause=received.envelope)


def _recipient(work: ConversationUnit, received: ReceivedMessage[Any]) -> Recipient | None:
    """Return the order's recipient; None when the command was rejected, since the order was deleted."""
    command = received.message
    recipient = work.recipient(command.shop, command.order_id)
    if recipient is None:
        raise Wait(
            order_key(command.order_id), f"order {command.order_id} of {command.shop} is not known yet"
        )
    if recipient.deleted_at is None:
        return recipient
    detail = f"Order {recipient.code} was deleted; no mail can be sent about it."
    _reject(work.unit, received, "order_deleted", detail, "order_id")
    return None


def _reject(unit: Unit, received: ReceivedMessage[Any], code: str, message: str, field: str) -> None:
    command, envelope = received.message, received.envelope
    rejected = CommandRejected(
        shop=command.shop,
        order_id=command.order_id,
        command_id=envelope.id,
        command_type=envelope.type,
        reasons=[Reason(code=code, message=message, field=field)],
    )
    unit.emit(rejected, cause=envelope)


def _done(unit: Unit, received: ReceivedMessage[Any]) -> None:
    command, envelope = received.message, received.envelope
    done = CommandDone(
        shop=command.shop, order_id=command.order_id, command_id=envelope.id, command_type=envelope.type
    )
    unit.emit(done, cause=envelope)
