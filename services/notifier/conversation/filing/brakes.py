"""Brakes for loops and floods: mails are still posted then, without a notification for each.

Ten mails in ten minutes to one thread, or sixty an hour from one sender; the merchant is notified once.
Counted are the stored mails that came before, so that the answer does not depend on which of them is read first.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.conversation.inbound import InboundMail

PER_THREAD, THREAD_WINDOW = 10, timedelta(minutes=10)
PER_SENDER, SENDER_WINDOW = 60, timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Flood:
    """Mails that came before one: to its thread and from its sender, in their windows."""

    to_thread: int
    from_sender: int

    @property
    def is_braked(self) -> bool:
        """Return whether the mail is posted without a notification."""
        return self.to_thread >= PER_THREAD or self.from_sender >= PER_SENDER

    @property
    def is_first(self) -> bool:
        """Return whether it is the first mail without a notification: the merchant gets one that reports it."""
        return self.is_braked and (self.to_thread == PER_THREAD or self.from_sender == PER_SENDER)


async def flood_before(connection: Connection, mail: InboundMail, order_id: UUID, sender: str) -> Flood:
    """Count what was received before this mail."""
    row = await connection.fetchrow(
        """SELECT (SELECT count(*) FROM inbound_mail
                   WHERE (shop, order_id) = ($1, $2) AND received_at > $3
                     AND (received_at, inbound_id) < ($5, $6)) AS to_thread,
                  (SELECT count(*) FROM inbound_mail
                   WHERE lower(sender) = $7 AND received_at > $4
                     AND (received_at, inbound_id) < ($5, $6)) AS from_sender""",
        mail.shop,
        order_id,
        mail.received_at - THREAD_WINDOW,
        mail.received_at - SENDER_WINDOW,
        mail.received_at,
        mail.inbound_id,
        sender,
    )
    return Flood(row["to_thread"], row["from_sender"])
