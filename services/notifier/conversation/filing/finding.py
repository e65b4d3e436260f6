"""SQL that finds the thread of a received mail, and mails of ours that came back."""

import json
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from contracts.notifier.conversation import AuthorRole
from services.chassis.storage.database import Connection
from services.notifier.conversation.filing.authors import Participant
from services.notifier.conversation.reply_addresses import token_hash
from services.notifier.mails.mail import TO_MERCHANT, is_answered_by_staff

MOST_REFERENCES = 20


class OurMail(NamedTuple):
    """One of our mails by its Message-ID. `is_warning`: it went to the shop, and an answer to it is not for a
    customer.
    """

    shop: str
    order_id: UUID | None
    is_to_merchant: bool
    is_warning: bool


async def participant_at(connection: Connection, address: str) -> Participant | None:
    """Return the holder of a reply address; None for another address, or one that was revoked since."""
    hashed = token_hash(address)
    if hashed is None:
        return None
    row = await connection.fetchrow(
        """SELECT p.role, coalesce(p.address, a.email) AS address
           FROM participant p JOIN addressee a USING (shop, order_id)
           WHERE p.token_hash = $1 AND p.revoked_at IS NULL AND a.deleted_at IS NULL""",
        hashed,
    )
    return Participant(AuthorRole(row["role"]), row["address"]) if row else None


async def is_ours(connection: Connection, message_id: str | None) -> bool:
    """Return whether a mail with this Message-ID was sent by us."""
    return message_id is not None and await _our_mail(connection, message_id) is not None


async def order_of_references(
    connection: Connection, shop: str, references: Sequence[str], sender: str
) -> UUID | None:
    """Return the order of our mail to which a sender answers, the nearest first; None unless it is the customer and
    the mail went to them.
    """
    for reference in reversed(references[-MOST_REFERENCES:]):
        mail = await _our_mail(connection, reference)
        if mail is None or mail.shop != shop or mail.is_to_merchant or mail.order_id is None:
            continue
        if await _is_customer(connection, shop, mail.order_id, sender):
            return mail.order_id
    return None


async def is_answer_to_warning(connection: Connection, shop: str, references: Sequence[str]) -> bool:
    """Return whether the nearest of our mails to which a mail answers is a warning to the shop."""
    for reference in reversed(references[-MOST_REFERENCES:]):
        mail = await _our_mail(connection, reference)
        if mail is not None and mail.shop == shop:
            return mail.is_warning
    return False


async def _is_customer(connection: Connection, shop: str, order_id: UUID, sender: str) -> bool:
    """Return whether an address is that of an order's customer, or one that staff recognised as theirs."""
    found: bool = await connection.fetchval(
        """SELECT $3 <> '' AND EXISTS (
               SELECT FROM addressee a WHERE (a.shop, a.order_id) = ($1, $2) AND a.deleted_at IS NULL
                 AND (lower(a.email) = $3 OR EXISTS (
                     SELECT FROM customer_address c
                     WHERE (c.shop, c.order_id, c.address) = (a.shop, a.order_id, $3))))""",
        shop,
        order_id,
        sender,
    )
    return found


async def _our_mail(connection: Connection, message_id: str) -> OurMail | None:
    """Return our mail with this Message-ID, which begins with the mail's id."""
    try:
        identifier = UUID(message_id.lstrip("<").partition("@")[0])
    except ValueError:
        return None
    row = await connection.fetchrow(
        "SELECT shop, order_id, template, context, message_id FROM mail WHERE id = $1", identifier
    )
    if row is None or row["message_id"] != message_id:
        return None
    is_to_merchant = row["template"] in TO_MERCHANT
    is_warning = is_to_merchant and not is_answered_by_staff(row["template"], json.loads(row["context"]))
    return OurMail(row["shop"], row["order_id"], is_to_merchant, is_warning)
