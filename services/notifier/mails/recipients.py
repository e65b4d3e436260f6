"""Recipients of mails as they are now: their orders' customers, or nobody for mails about no order."""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.mails import recipient_store
from services.notifier.mails.mail import Mail, Recipient, is_about_an_order, without_order


async def read_recipients(connection: Connection, mails: Sequence[Mail]) -> dict[UUID, Recipient]:
    """Return the recipient of each of these mails, by the mail's id. One whose order is unknown is on its own."""
    about = {
        mail.id: (mail.shop, mail.order_id) for mail in mails if mail.order_id and is_about_an_order(mail)
    }
    orders = sorted(set(about.values()))
    found = await recipient_store.read_recipients(connection, orders) if orders else []
    known = {(one.shop, one.order_id): one for one in found}
    recipients = {mail.id: known.get(about[mail.id]) if mail.id in about else None for mail in mails}
    return {mail.id: recipients[mail.id] or without_order(mail) for mail in mails}
