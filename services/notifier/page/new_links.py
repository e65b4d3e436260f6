"""A new link, requested on the page of one that ended: mailed to the order's own address only.

Three an hour for an order. What happens here never shows in the answer.
"""

from datetime import timedelta

from contracts.envelope import uuid7
from services.chassis.messaging.process import Transactions
from services.notifier.mails.mail import Mail, Recipient, Template, mail_id, message_id
from services.notifier.mails.needs import MailNeeds
from services.notifier.mails.settings import ShopUnknown
from services.notifier.mails.unit import MailUnit
from services.notifier.page import store
from services.notifier.page.opening import LinkState, Opened

MOST_AN_HOUR = 3
AN_HOUR = timedelta(hours=1)


async def send_new_link(process: Transactions, link: Opened) -> None:
    """Plan the mail, if the link was one of an order that has an address and was not written to too often."""
    if link.state is LinkState.UNKNOWN or not link.has_address:
        return
    async with process.unit() as unit:
        work, key = MailUnit(unit), (link.shop, link.order_id)
        if await store.count_new_links(unit.connection, *key, unit.now - AN_HOUR) >= MOST_AN_HOUR:
            return
        await work.load(MailNeeds(recipients={key}))
        recipient = work.recipient(*key)
        if recipient is None or recipient.deleted_at or not recipient.email:
            return
        try:
            work.decide(_mail(work, recipient))
        except ShopUnknown:
            return
        await work.save()


def _mail(work: MailUnit, recipient: Recipient) -> Mail:
    cause, shop = uuid7(), work.shop(recipient.shop)
    identifier = mail_id(recipient.shop, cause, recipient.email, Template.PAGE_LINK)
    return Mail(
        id=identifier,
        shop=recipient.shop,
        order_id=recipient.order_id,
        code=recipient.code,
        cause_id=cause,
        template=Template.PAGE_LINK,
        recipient=recipient.email,
        locale=recipient.locale,
        message_id=message_id(identifier, shop.from_email),
        context={},
        created_at=work.unit.now,
    )
