"""A shop's text that could not be rendered: the mail was sent with the built-in one, and the merchant is
notified, once.
"""

from collections.abc import Sequence
from uuid import UUID, uuid5

from contracts.notifier.mail_texts import TextPart
from services.chassis.messaging.unit import Unit
from services.notifier.mails.mail import Mail, Template, is_about_an_order, mail_id, message_id
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts.planning import language_of, plan_mails, wording_of
from services.notifier.mails.texts.store import note_damage

_NAMESPACE = UUID("b6a0c2c1-52a7-5c1e-9c0d-0a3a0b4de4f7")


async def notify_merchant(unit: Unit, mail: Mail, damaged: Sequence[TextPart], shop: ShopProfile) -> None:
    """Plan a mail to the merchant for every damaged text of this mail of which they were not notified yet."""
    wording, language = wording_of(mail.template, mail.context), language_of(mail.locale)
    for part in damaged:
        key, version = (mail.shop, wording, language, part.value), mail.versions.get(part.value, 0)
        if await note_damage(unit.connection, key, version, mail.id, unit.now):
            cause_id = uuid5(_NAMESPACE, "\n".join((*key, str(version))))
            await plan_mails(unit, [_mail(unit, mail, shop, cause_id, part)])


def _mail(unit: Unit, about: Mail, shop: ShopProfile, cause_id: UUID, part: TextPart) -> Mail:
    template, recipient = Template.TEXT_DAMAGED, shop.merchant_email
    identifier = mail_id(shop.shop, cause_id, recipient, template)
    wording, language = wording_of(about.template, about.context), language_of(about.locale)
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
        context={"wording": wording, "locale": language, "part": part.value},
        created_at=unit.now,
    )
