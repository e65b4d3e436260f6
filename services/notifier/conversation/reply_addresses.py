"""Addresses for answers by mail: one per order and person, `r-<26 letters>@<inbound domain>`.

The token is derived, as that of a page's link is, since a mail that is composed again must be the same mail; only
its SHA-256 is stored, before the mail is handed over: a copy of the database lets nobody write to a thread. Base32 in
lower case, since gateways change case, and without `+`, which some of them cut.
"""

import hmac
import re
from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from services.chassis.messaging.process import Process
from services.notifier.conversation.participant_store import ParticipantRow
from services.notifier.mails import settings as configured
from services.notifier.mails.mail import TO_MERCHANT, Mail, is_answered

LETTERS = 26
"""Of base32: 130 bits."""
_PURPOSE = b"comptoir: addresses for answers by mail"
_LOCAL_PART = re.compile(rf"r-([a-z2-7]{{{LETTERS}}})")


class ReplyAddresses:
    """The reply addresses of one installation. With a new internal token, addresses already sent still work, since
    their hashes are stored, and mails composed from then on have other ones.
    """

    def __init__(self, domain: str, internal_token: str) -> None:
        self.domain = domain.lower()
        self._key = hmac.digest(internal_token.encode(), _PURPOSE, "sha256")

    def of_customer(self, shop: str, order_id: UUID) -> str:
        """Return the address to which an order's customer answers."""
        return self._address(shop, str(order_id), "customer")

    def of_staff(self, shop: str, order_id: UUID, address: str) -> str:
        """Return the address to which the shop's staff at `address` answers."""
        return self._address(shop, str(order_id), "staff", address.lower())

    def _address(self, *subject: str) -> str:
        digest = hmac.digest(self._key, "\n".join(subject).encode(), "sha256")
        return f"r-{b32encode(digest).decode().lower()[:LETTERS]}@{self.domain}"


def token_hash(address: str) -> bytes | None:
    """Return the SHA-256 of the token in a reply address; None for another address."""
    found = _LOCAL_PART.fullmatch(address.rpartition("@")[0].lower())
    return sha256(found[1].encode()).digest() if found else None


class ReplyAddress(NamedTuple):
    """An address, and the row that must be committed before an answer to it may arrive."""

    address: str
    row: ParticipantRow


class AddressMaker:
    """Maker of the reply addresses of mails about to be sent."""

    def __init__(self, process: Process) -> None:
        settings = configured.of(process)
        self._authserv_id = settings.inbound_authserv_id
        self._addresses: ReplyAddresses | None = None
        if settings.inbound_domain is not None:
            self._addresses = ReplyAddresses(
                settings.inbound_domain, settings.internal_token.get_secret_value()
            )

    def reply_address(self, mail: Mail) -> ReplyAddress | None:
        """Return where an answer to the mail goes; None without an inbound domain.

        The merchant answers by mail only where our own mail server proves who wrote, and never a warning: the answer
        would go to the customer.
        """
        if self._addresses is None or mail.order_id is None or not is_answered(mail):
            return None
        if mail.template in TO_MERCHANT and self._authserv_id is None:
            return None
        is_staff = mail.template in TO_MERCHANT
        if is_staff:
            address = self._addresses.of_staff(mail.shop, mail.order_id, mail.recipient)
        else:
            address = self._addresses.of_customer(mail.shop, mail.order_id)
        hashed = token_hash(address)
        assert hashed is not None
        return ReplyAddress(address, _participant(hashed, mail, mail.order_id, is_staff=is_staff))


def _participant(hashed: bytes, mail: Mail, order_id: UUID, *, is_staff: bool) -> ParticipantRow:
    return ParticipantRow(
        token_hash=hashed,
        shop=mail.shop,
        order_id=order_id,
        role="staff" if is_staff else "customer",
        address=mail.recipient.lower() if is_staff else None,
        created_at=datetime.now(UTC),
    )
