"""Who wrote a received mail, and to which thread it belongs. Pure.

The token of the envelope's recipient finds the thread, and From decides the author: anyone else who has the address may
write, and is shown with their own address, but becomes the customer only when staff recognise that address. A staff
member is believed only when our own mail server vouches for the sender's domain.
"""

from collections.abc import Collection
from dataclasses import dataclass

from contracts.notifier.conversation import AuthorRole
from services.notifier.mails.mail import Recipient

SENDER_UNKNOWN = "sender_unknown"
STAFF_UNVERIFIED = "staff_unverified"
WARNING_ANSWERED = "warning_answered"


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a message: role, name, and the address of one who is not staff, unless it is the order's."""

    role: AuthorRole
    name: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """The holder of a reply address: the customer at the order's address, or staff at their own."""

    role: AuthorRole
    address: str


def author_of(
    sender: str,
    sender_name: str,
    participant: Participant | None,
    recipient: Recipient,
    *,
    is_verified: bool,
    recognised: Collection[str] = (),
) -> Author | None:
    """Return the author of a mail in the thread of this recipient's order; `recognised` are further addresses of the
    customer, in lower case.

    None for a mail to a staff member's address that is not proven to be theirs: staff must look at it.
    """
    if participant is not None and participant.role is AuthorRole.STAFF:
        is_staff = is_verified and sender == participant.address.lower()
        return Author(AuthorRole.STAFF, sender_name or "–") if is_staff else None
    if sender and sender == recipient.email.lower():
        return Author(AuthorRole.CUSTOMER, recipient.name or sender_name or sender)
    if sender and sender in recognised:
        return Author(AuthorRole.CUSTOMER, recipient.name or sender_name or sender, sender)
    return Author(AuthorRole.OTHER, sender_name or sender or "–", sender or None)
