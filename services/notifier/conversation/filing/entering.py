"""A received mail put into a thread: that of its reply address, of our mail that it answers, or of the order
that staff choose.

Everything is written in the unit that also ends the mail.
"""

from uuid import UUID, uuid5

from contracts.notifier.conversation import AuthorRole, Channel, InboundOutcome
from services.chassis.messaging.unit import Unit
from services.notifier.conversation import inbound_store
from services.notifier.conversation.filing import attachment_store, finding
from services.notifier.conversation.filing.authors import (
    SENDER_UNKNOWN,
    STAFF_UNVERIFIED,
    WARNING_ANSWERED,
    Author,
    author_of,
)
from services.notifier.conversation.filing.brakes import Flood, flood_before
from services.notifier.conversation.filing.earlier_texts import LinkOf, earlier_of
from services.notifier.conversation.filing.folding import FOLDED, SHOWN, fold
from services.notifier.conversation.inbound import Ending, InboundMail
from services.notifier.conversation.needs import ConversationNeeds
from services.notifier.conversation.parsing.charsets import decode
from services.notifier.conversation.parsing.parsed import ParsedMail, clean_text
from services.notifier.conversation.participant_store import read_addresses
from services.notifier.conversation.posting import post, warn_of_flood
from services.notifier.conversation.thread import Message
from services.notifier.conversation.unit import ConversationUnit
from services.notifier.mails.mail import Recipient

AS_IT_CAME = 20_000
"""Characters shown of a mail that can't be read."""
_FLOODS = UUID("5a0f4b5c-51a4-5f0e-9e44-0d2f6a0c6f10")


async def post_received(unit: Unit, mail: InboundMail, parsed: ParsedMail, link_of: LinkOf) -> Ending:
    """Post a mail to the thread it belongs to; else it waits for staff to file it. Return where it ended."""
    order_id = mail.order_id or await finding.order_of_references(
        unit.connection, mail.shop, parsed.references, parsed.sender
    )
    work = ConversationUnit(unit)
    recipient = await _load(work, mail.shop, order_id) if order_id else None
    if recipient is None:
        files = attachment_store.kept(mail, parsed.files)
        await attachment_store.insert(unit.connection, files)
        if parsed.is_automatic:
            return Ending(InboundOutcome.AUTOMATIC)
        return Ending(InboundOutcome.TO_FILE, SENDER_UNKNOWN)
    participant = await finding.participant_at(unit.connection, mail.envelope_to)
    author = author_of(
        parsed.sender,
        parsed.sender_name,
        participant,
        recipient,
        is_verified=parsed.is_dmarc_passed,
        recognised=await read_addresses(unit.connection, recipient.shop, recipient.order_id),
    )
    is_staff = author is not None and author.role is AuthorRole.STAFF
    is_for_nobody = is_staff and await finding.is_answer_to_warning(
        unit.connection, mail.shop, parsed.references
    )
    if (author is None or is_for_nobody) and not parsed.is_automatic:
        await attachment_store.insert(unit.connection, attachment_store.kept(mail, parsed.files))
        reason = WARNING_ANSWERED if is_for_nobody else STAFF_UNVERIFIED
        return Ending(InboundOutcome.TO_FILE, reason, recipient.order_id)
    author = author or Author(
        AuthorRole.OTHER, parsed.sender_name or parsed.sender or "–", parsed.sender or None
    )
    flood = await flood_before(unit.connection, mail, recipient.order_id, parsed.sender)
    await _post(work, mail, parsed, recipient, author, flood, link_of)
    await work.save()
    outcome = InboundOutcome.AUTOMATIC if parsed.is_automatic else InboundOutcome.POSTED
    return Ending(outcome, "flood" if flood.is_braked else None, recipient.order_id)


async def post_filed(unit: Unit, mail: InboundMail, parsed: ParsedMail | None, link_of: LinkOf) -> None:
    """Post a mail under the order that staff chose. Idempotent: a mail is one message.

    Its author is the customer only with an address of the customer; what was kept back as a staff member's mail is one
    of somebody else, so that it is delivered to nobody.
    """
    if mail.order_id is None:
        return
    work = ConversationUnit(unit)
    recipient = await _load(work, mail.shop, mail.order_id, mail.inbound_id)
    if recipient is None or work.has_message(mail.shop, mail.inbound_id):
        return
    known = parsed or _as_it_came(mail)
    if not known.is_whole:
        await inbound_store.note_part(unit.connection, mail.inbound_id)
    recognised = await read_addresses(unit.connection, recipient.shop, recipient.order_id)
    author = author_of(
        known.sender, known.sender_name, None, recipient, is_verified=False, recognised=recognised
    )
    assert author is not None
    await _post(work, mail, known, recipient, author, None, link_of, is_automatic=False)
    await work.save()


async def _load(
    work: ConversationUnit, shop: str, order_id: UUID, message_id: UUID | None = None
) -> Recipient | None:
    """Lock and return the recipient of an order; None when it is unknown or was deleted."""
    messages = {(shop, message_id)} if message_id else set()
    await work.load(ConversationNeeds(threads={(shop, order_id)}, messages=messages))
    recipient = work.recipient(shop, order_id)
    return recipient if recipient and recipient.deleted_at is None else None


async def _post(
    work: ConversationUnit,
    mail: InboundMail,
    parsed: ParsedMail,
    recipient: Recipient,
    author: Author,
    flood: Flood | None,
    link_of: LinkOf,
    *,
    is_automatic: bool | None = None,
) -> None:
    """Add the mail as a message; `flood` is None for one that staff filed, of which nobody is notified."""
    connection = work.unit.connection
    shop = work.shop(recipient.shop) if work.is_shop_known(recipient.shop) else None
    is_machine = parsed.is_automatic if is_automatic is None else is_automatic
    segments = fold(parsed.text, await earlier_of(connection, recipient, shop, link_of))
    if is_machine:
        segments = [{"kind": FOLDED, "text": parsed.text}]
    message = Message(
        message_id=mail.inbound_id,
        author_role=author.role,
        author=author.name,
        address=author.address,
        via=Channel.MAIL,
        posted_at=mail.received_at,
        sent_at=parsed.sent_at,
        subject=parsed.subject or None,
        segments=[segment for segment in segments if segment["text"]] or [{"kind": SHOWN, "text": ""}],
        is_automatic=is_machine,
        verified="dmarc" if parsed.is_dmarc_passed else "none",
        inbound_id=mail.inbound_id,
    )
    notifies = flood is not None and not flood.is_braked
    post(work, recipient, message, received_id=parsed.message_id, notifies=notifies)
    if flood is not None and flood.is_first and not is_machine:
        warn_of_flood(work, recipient, uuid5(_FLOODS, str(mail.inbound_id)))
    seen = await attachment_store.seen_in_thread(connection, recipient.shop, recipient.order_id)
    if flood is not None:
        await attachment_store.insert(connection, attachment_store.kept(mail, parsed.files, seen))


def _as_it_came(mail: InboundMail) -> ParsedMail:
    """Return a mail that can't be read as the beginning of what came."""
    return ParsedMail(
        message_id=None,
        references=[],
        sender_name="",
        sender=mail.envelope_from.lower(),
        subject="",
        sent_at=None,
        is_automatic=False,
        is_dmarc_passed=False,
        text=clean_text(decode(mail.raw[:AS_IT_CAME], None)),
        files=[],
        is_whole=len(mail.raw) <= AS_IT_CAME,
    )
