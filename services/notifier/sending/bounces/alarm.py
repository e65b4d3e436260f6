"""The alarm that mail servers refuse a shop's mails as unwanted: a line in the log, a metric, a mail to the merchant.

Refusals that follow one another within a day are one alarm. Its mail may be refused as well, which raises no other.
"""

from datetime import timedelta
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from services.chassis.messaging.unit import Unit
from services.notifier.mails.mail import Mail, Template, is_about_an_order, mail_id, message_id
from services.notifier.mails.settings import ShopProfile, ShopUnknown, shop_directory
from services.notifier.mails.texts.planning import plan_mails
from services.notifier.sending.bounces import store

log = structlog.get_logger()
QUIET = timedelta(days=1)
"""Refusals within this time of one another are one alarm."""
REFUSED = Counter(
    "comptoir_mails_refused_as_unwanted_total",
    "Mails that a server refused because of the sender: block lists, spam, SPF, DKIM, DMARC.",
    ["shop"],
)
ALARMS = Counter("comptoir_reputation_alarms_total", "Alarms raised by such refusals.", ["shop"])
_NAMESPACE = UUID("5b7c1f04-0d55-5c7a-8a16-5d0f6f3a2c11")


async def note_refusal(unit: Unit, about: Mail, fact_id: UUID, diagnostic: str) -> None:
    """Count a mail that was refused because of its sender; the first of many raises the alarm."""
    is_first = await store.raise_alarm(unit.connection, about.shop, fact_id, unit.now, QUIET)
    unit.after_commit(lambda: _count(about.shop, is_alarm=is_first))
    if not is_first:
        return
    log.error("mail servers refuse the shop's mails as unwanted", shop=about.shop)
    try:
        shop = shop_directory().profile(about.shop)
    except ShopUnknown:
        return
    await plan_mails(unit, [_mail(unit, about, shop, uuid5(_NAMESPACE, str(fact_id)), diagnostic)])


def _count(shop: str, *, is_alarm: bool) -> None:
    REFUSED.labels(shop).inc()
    if is_alarm:
        ALARMS.labels(shop).inc()


def _mail(unit: Unit, about: Mail, shop: ShopProfile, cause_id: UUID, diagnostic: str) -> Mail:
    template, recipient = Template.SENDER_REFUSED, shop.merchant_email
    identifier = mail_id(shop.shop, cause_id, recipient, template)
    return Mail(
        id=identifier,
        shop=shop.shop,
        order_id=about.order_id if is_about_an_order(about) else None,
        code=about.code,
        cause_id=cause_id,
        template=template,
        recipient=recipient,
        locale=shop.default_locale,
        message_id=message_id(identifier, shop.from_email),
        context={"diagnostic": diagnostic},
        created_at=unit.now,
    )
