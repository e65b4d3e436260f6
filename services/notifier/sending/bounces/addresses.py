"""Bounce addresses: the envelope sender of each mail, to which the report on it returns (VERP).

`b-<token>@<inbound domain>`. The token is random, and only its hash is stored, with the mail and the
recipient to which it was handed over: a report counts for that mail and no other, and a reader of the
database can't forge one. The hash is committed before the mail server sees the address, since a report may
return before the mail's outcome is recorded. The same transaction looks whether the recipient is suppressed or
the order deleted. A reader may use the mail's link and reply address just as early, so they are committed with it.
"""

from base64 import b32encode
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID

from services.chassis.addresses import comparable
from services.chassis.background.group_commit import GroupCommit
from services.chassis.messaging.process import Process
from services.chassis.storage.database import Connection, transaction
from services.chassis.storage.writing import Writes
from services.notifier.conversation.participant_store import ParticipantRow, insert_participants
from services.notifier.links.store import LinkRow, insert_links
from services.notifier.mails.mail import Mail
from services.notifier.mails.recipient_store import lock_deleted
from services.notifier.sending.bounces import store

PREFIX = "b-"
OPTIONAL = frozenset({"status_updated", "checkout_abandoned"})
"""Templates that a reader who complained gets no more; the others are part of the sale."""
_KEPT = 4096
_GONE = "gone"
"""What stands in place of the kind of a suppression for a deleted order."""


class AddressSuppressed(Exception):
    """The recipient's address is suppressed: the mail must not be sent."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"suppressed: {kind}")
        self.kind = kind


class RecipientGone(Exception):
    """The order was deleted after its mail was read: nothing about the recipient is stored, and nothing sent."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A mail as it is handed to the mail server, the token of its bounce address, and the rows of the link and the
    reply address that it shows.
    """

    mail: Mail
    recipient: str
    token: str | None
    link: LinkRow | None = None
    participant: ParticipantRow | None = None


class BounceAddresses:
    """Addresses given to the mails that this process sends. A mail that is deferred and retried keeps its address."""

    def __init__(self, process: Process, domain: str | None) -> None:
        self._process = process
        self._domain = domain
        self._given: OrderedDict[tuple[UUID, str], str] = OrderedDict()
        self._writes = GroupCommit(self._write_together)

    async def of(
        self,
        mail: Mail,
        recipient: str,
        link: LinkRow | None = None,
        participant: ParticipantRow | None = None,
    ) -> str | None:
        """Return the bounce address of a mail, committed with its link and reply address; None where no domain
        receives mail.

        Raises AddressSuppressed, RecipientGone.
        """
        token = self._given.get((mail.id, recipient)) or (new_token() if self._domain else None)
        suppressed = await self._writes.submit(HandOver(mail, recipient, token, link, participant))
        if suppressed is _GONE:
            raise RecipientGone
        if suppressed is not None:
            raise AddressSuppressed(suppressed)
        if token is None:
            return None
        self._given[mail.id, recipient] = token
        while len(self._given) > _KEPT:
            self._given.popitem(last=False)
        return f"{PREFIX}{token}@{self._domain}"

    def forget(self, mail: Mail, recipient: str) -> None:
        """Drop the address of a mail that was sent or refused: sent again, it gets another."""
        self._given.pop((mail.id, recipient), None)

    async def _write_together(self, wanted: Sequence[HandOver]) -> list[str | None]:
        keys = {(one.mail.shop, one.mail.order_id) for one in wanted if one.mail.order_id is not None}
        async with self._process.acquire() as connection, transaction(connection):
            deleted = await lock_deleted(connection, sorted(keys))
            gone = {one.mail.id: _GONE for one in wanted if (one.mail.shop, one.mail.order_id) in deleted}
            held = await _written(connection, [one for one in wanted if one.mail.id not in gone])
        return [(held | gone).get(one.mail.id) for one in wanted]


async def _written(connection: Connection, wanted: Sequence[HandOver]) -> dict[UUID, str]:
    """Write the rows of these mails in one statement. Return those whose recipient is suppressed, and why."""
    rows = [
        store.HandOverRow(
            token_hash=hash_of(one.token) if one.token else None,
            mail_id=one.mail.id,
            shop=one.mail.shop,
            recipient=one.recipient,
            address=comparable(one.recipient),
            is_optional=one.mail.template in OPTIONAL,
        )
        for one in wanted
    ]
    writes = Writes(connection)
    await insert_links(writes, [one.link for one in wanted if one.link])
    participants = {one.participant.token_hash: one.participant for one in wanted if one.participant}
    await insert_participants(writes, participants.values())
    return await store.prepare(writes, rows)


def new_token() -> str:
    """Return 128 random bits as 26 characters, which no gateway changes."""
    return b32encode(token_bytes(16)).decode().rstrip("=").lower()


def hash_of(token: str) -> bytes:
    """Return the hash under which a token is stored; its case does not matter."""
    return sha256(token.lower().encode()).digest()


def token_of(address: str) -> str | None:
    """Return the token of a bounce address; None for any other address. The domain is not looked at."""
    name = address.rpartition("@")[0].lower()
    token = name.removeprefix(PREFIX)
    return token if name.startswith(PREFIX) and len(token) == 26 and token.isalnum() else None
