"""The mail of an invoice whose recap went without it. Planned once: its id is derived from the invoice."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from services.chassis.messaging.unit import Unit
from services.notifier.mails.holding import store
from services.notifier.mails.mail import Mail, Template, mail_id, message_id
from services.notifier.mails.texts.planning import plan_mails


async def plan_separated(unit: Unit, recap: Mail) -> None:
    """Plan the mail of an invoice if this mail, which staff take as arrived, is a recap that went without it."""
    if not is_with_invoice(recap) or recap.order_id is None:
        return
    if await store.went_alone(unit.connection, recap.shop, recap.order_id):
        await plan_mails(unit, [invoice_mail(unit, recap)])


def is_with_invoice(mail: Mail) -> bool:
    """Return whether a mail is a recap that goes with an invoice."""
    return mail.template is Template.ORDER_RECAP and "invoice" in mail.context


def invoice_mail(unit: Unit, recap: Mail) -> Mail:
    """Return the mail of a recap's invoice, to the recap's recipient."""
    document: dict[str, Any] = recap.context["invoice"]
    template, cause = Template.INVOICE, UUID(document["invoice_id"])
    identifier = mail_id(recap.shop, cause, recap.recipient, template)
    return replace(
        recap,
        id=identifier,
        cause_id=cause,
        template=template,
        message_id=message_id(identifier, recap.message_id.rstrip(">")),
        context=document,
        created_at=unit.now,
        resent_by=None,
    )
