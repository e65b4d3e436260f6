"""The wording of a mail, and the planning of mails with the versions of texts and profile that are active."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.notifier.mails.mail import MAIL, TEMPLATE, Mail, Template
from services.notifier.mails.store import insert_mails
from services.notifier.mails.texts import store

LANGUAGES = ("fr", "en")
"""Languages with templates; all others get English."""
_CONFIRMED = "confirmed"


def language_of(locale: str) -> str:
    """Return the language of our templates for a BCP 47 locale: `fr-CA` gets fr, `de` gets en."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else "en"


def wording_of(template: Template, context: Mapping[str, Any]) -> str:
    """Return the name of a mail's wording: its template, or the case of it that reads differently."""
    if template is Template.ORDER_CANCELLED and context.get("cancelled_lines"):
        return "order_cancelled_partly"
    if template is Template.REFUND_MADE and context.get("state") != _CONFIRMED:
        return "refund_under_way"
    return template.value


async def plan_mails(unit: Unit, mails: Iterable[Mail]) -> dict[UUID, Mail]:
    """Write new mails with the versions that are active now, which they keep regardless of later changes, and plan
    their sending. Return them as written, by id; an existing mail stays unchanged.
    """
    planned = await _with_versions(unit.connection, {mail.id: mail for mail in mails})
    if planned:
        await insert_mails(unit.writes, list(planned.values()))
    for identifier, mail in planned.items():
        unit.plan(MAIL, str(identifier), {TEMPLATE: mail.template.value})
    return planned


async def _with_versions(connection: Connection, mails: Mapping[UUID, Mail]) -> dict[UUID, Mail]:
    if not mails:
        return {}
    active = await store.read_active_versions(connection, {mail.shop for mail in mails.values()})
    return {
        identifier: replace(
            mail,
            versions=active.of(mail.shop, wording_of(mail.template, mail.context), language_of(mail.locale)),
        )
        for identifier, mail in mails.items()
    }
