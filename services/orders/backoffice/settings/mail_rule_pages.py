"""The shop's mails: which are sent, a switch for each optional one, and which texts the shop changed.

The notifier owns both; they are read there and changed by commands. A form sends only the switches that its user
changed, so that a colleague's change in the meantime is neither lost nor reverted; the changed switches are kept
after an error.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.notifier.mail_rules import ChangeMailRules
from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.mail_text_pages import HERE
from services.orders.backoffice.settings.mail_text_words import (
    LANGUAGE_NAMES,
    fixed_words,
    part_names,
    switch_words,
)
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LEAST_MINUTES, MOST_MINUTES = 30, 20_160


async def _show(context: PageContext, errors: Errors) -> Response:
    clients = context.app_state.clients
    answer, ruled = await asyncio.gather(
        clients.get("notifier", "/internal/texts", shop=context.shop),
        clients.get("notifier", "/internal/mail-rules", shop=context.shop),
    )
    down = next((one for one in (answer, ruled) if isinstance(one, ServiceUnavailable)), None)
    texts, rules = _body(answer), _body(ruled)
    for mail in texts.get("mails", ()):
        mail["texts"] = {
            language: timestamps_read(one, "changed_at") for language, one in mail["texts"].items()
        }
    form, moved = context.form_read, _moved(context.form_read) if errors else {}
    switches = {one["template"]: one["is_on"] for one in rules.get("switches", ())}
    minutes = rules.get("abandoned_after_minutes", "")
    return context.render(
        "settings/mail_texts.html",
        422 if errors else 200,
        down=down,
        mails=texts.get("mails", []),
        languages=texts.get("languages", []),
        language_names=LANGUAGE_NAMES,
        parts=part_names(),
        rules=timestamps_read(rules, "changed_at") if rules else {},
        ticked={name for name, is_on in switches.items() if moved.get(name, is_on)},
        minutes=form["minutes"] if errors and form["minutes"] != form["minutes_were"] else minutes,
        switch_words=switch_words(),
        fixed_words=fixed_words(),
        errors=errors,
    )


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_mails(context: PageContext) -> Response:
    """Show which mails are sent, and every mail whose texts can be edited, with the shop's changes."""
    return await _show(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="mail_rules.change", again=_show)
async def change_rules(context: PageContext) -> Response:
    """Switch the shop's mails."""
    form = context.form_read
    minutes = form.whole("minutes", LEAST_MINUTES, MOST_MINUTES)
    if minutes is None:
        raise Invalid(minutes=gettext("This field is required."))

    def message(_: UUID) -> ChangeMailRules:
        return ChangeMailRules(
            shop=context.shop,
            switches=_moved(form),
            abandoned_after_minutes=minutes,
            based_on_version=form.whole("version", 0, 2**31 - 1) or 0,
            actor=context.actor,
        )

    flash = gettext("Settings saved. They apply from now on.")
    return await carry_out(context, command(context, None, message), to=HERE, flash=flash)


def _moved(form: Form) -> dict[str, bool]:
    """Return the switches that were changed since the form was shown, by mail."""
    ticked, were = set(form.all("on")), set(form.all("were"))
    return {name[:60]: name in ticked for name in sorted(ticked ^ were)[:100] if name}


def _body(answer: Answer | ServiceUnavailable) -> Mapping[str, Any]:
    return {} if isinstance(answer, ServiceUnavailable) else answer.body
