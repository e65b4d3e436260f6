"""The texts of one of the shop's mails in one language: their editor, with preview, versions and test mail.

The notifier owns the texts; they are read there and changed by commands. Typed text stays on the page until it is
saved: after an error, after a colleague's change, and after a test mail.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import HTMLResponse, Response

from contracts.notifier.mail_texts import ResetTemplate, SendTestMail, SetTemplate, TextPart
from services.orders.api.actions.action import Action
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.forms.objections import too_long
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext, page_locale
from services.orders.backoffice.settings.mail_frame import PREVIEW_SECONDS, framed
from services.orders.backoffice.settings.mail_text_words import LANGUAGE_NAMES, part_names, problem_words
from services.orders.backoffice.web.actions.action import Errors, answer, command, perform
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import FRAMED_POLICY

pages = Pages()
HERE = "/settings/mails"
PARTS = tuple(part.value for part in TextPart)
LONGEST = 20_000
SAMPLES = 3
FRAMED = {"Content-Security-Policy": FRAMED_POLICY, "Cache-Control": "no-store"}


async def _show(context: PageContext, errors: Errors, sent_to: str = "") -> Response:
    wording, locale = context.path("wording"), context.path("locale")
    answer = await _read(context)
    if isinstance(answer, ServiceUnavailable):
        return context.render(
            "settings/mail_text.html",
            422 if errors else 200,
            down=answer,
            typed=_typed(context.form_read),
            errors=errors,
            parts=part_names(),
        )
    form = context.form_read
    is_typed = any(part in form for part in PARTS)
    shown = {part: form[part] if is_typed else answer["parts"][part]["text"] for part in PARTS}
    return context.render(
        "settings/mail_text.html",
        422 if errors else 200,
        down=None,
        name=answer["names"][page_locale().language],
        wording=wording,
        locale=locale,
        language_names=LANGUAGE_NAMES,
        answer=answer,
        shown=shown,
        others=_others(answer, form) if errors else {},
        parts=part_names(),
        versions=[timestamps_read(one, "changed_at") for one in answer["versions"]],
        about=_about(answer["recent"]),
        chosen=form,
        own_address=own_address(context),
        sent_to=sent_to,
        errors=errors,
    )


@pages.get(HERE + "/{wording}/{locale}", Permission.SETTINGS_VIEW)
async def show_text(context: PageContext) -> Response:
    """Show the editor."""
    return await _show(context, {})


@pages.post(HERE + "/{wording}/{locale}", Permission.SETTINGS_CHANGE, action="mail_text.change", again=_show)
async def change_text(context: PageContext) -> Response:
    """Save the changed parts, or send a test mail with the typed texts."""
    form = context.form_read
    await _check(context, form)
    if form["do"] == "test":
        return await _send_test(context, form)
    wanted = [
        _setting(context, TextPart(part), form[part], form.whole(f"version_{part}", 0, 2**31 - 1) or 0)
        for part in PARTS
        if form[part] != form[f"was_{part}"]
    ]
    if not wanted:
        raise Invalid(**{"": gettext("Nothing was changed.")})
    return await _carried(context, wanted, gettext("Text saved. Future mails use it."))


@pages.post(
    HERE + "/{wording}/{locale}/reset", Permission.SETTINGS_CHANGE, action="mail_text.reset", again=_show
)
async def reset_text(context: PageContext) -> Response:
    """Restore the built-in text of a part."""
    part, version = _part(context.form_read), context.form_read.whole("version", 0, 2**31 - 1) or 0
    return await _carried(context, [_resetting(context, part, version)], gettext("Built-in text restored."))


@pages.post(
    HERE + "/{wording}/{locale}/restore", Permission.SETTINGS_CHANGE, action="mail_text.restore", again=_show
)
async def restore_text(context: PageContext) -> Response:
    """Make an earlier version of a part the latest one."""
    form, answer = context.form_read, await _read(context)
    if isinstance(answer, ServiceUnavailable):
        raise Invalid(**{"": gettext("The texts are unavailable right now; try again in a moment.")})
    part, wanted = _part(form), form.whole("wanted", 1, 2**31 - 1)
    found = [one for one in answer["versions"] if (one["part"], one["version"]) == (part.value, wanted)]
    if not found:
        raise Missing
    version, text = form.whole("version", 0, 2**31 - 1) or 0, found[0]["text"]
    change = _resetting(context, part, version) if text is None else _setting(context, part, text, version)
    return await _carried(context, [change], gettext("Earlier text restored."))


@pages.get(HERE + "/{wording}/{locale}/preview", Permission.SETTINGS_VIEW)
async def show_preview(context: PageContext) -> Response:
    """Return the mail with the active texts, for the frame beside the editor."""
    return await _preview(context)


@pages.post(
    HERE + "/{wording}/{locale}/preview", Permission.SETTINGS_VIEW, action="mail_text.preview", kept=_show
)
async def preview_typed(context: PageContext) -> Response:
    """Return the mail with the texts as they are being typed, for the frame beside the editor."""
    await context.form()
    return await _preview(context)


def own_address(context: PageContext) -> str:
    """Return the user's login if it is a mail address; "" otherwise."""
    login = context.person.login
    return login if login.count("@") == 1 and not login.startswith("@") and not login.endswith("@") else ""


async def _preview(context: PageContext) -> Response:
    form, base = context.form_read, _base(context)
    subject = form["subject_of"]
    body = {
        **base,
        "texts": {part: form[part][:LONGEST] for part in PARTS if part in form},
        **(
            {"sample": int(subject[-1])}
            if subject in _sample_names()
            else {"mail": subject}
            if subject
            else {}
        ),
    }
    answer = await context.app_state.clients.post(
        "notifier", "/internal/texts/preview", body, seconds=PREVIEW_SECONDS
    )
    return HTMLResponse(framed(answer, form["form"] == "text", form["look"]), headers=FRAMED)


def _about(recent: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the orders a preview can use: sample orders, and the latest orders that got this mail."""
    names = (gettext("A sample order"), gettext("With minimal data"), gettext("With unusual names"))
    orders = [(one["id"], gettext("Order %(code)s", code=one["code"])) for one in recent]
    return [*((f"sample-{number}", name) for number, name in enumerate(names)), *orders]


def _sample_names() -> set[str]:
    return {f"sample-{number}" for number in range(SAMPLES)}


async def _check(context: PageContext, form: Form) -> None:
    """Have the notifier check the typed texts. Raises Invalid with the errors by part; while it is unavailable, it
    checks the command later.
    """
    texts = {part: form[part] for part in PARTS}
    if long := [part for part, text in texts.items() if len(text) > LONGEST]:
        raise Invalid(**{part: too_long(texts[part], LONGEST) for part in long})
    answer = await context.app_state.clients.post(
        "notifier", "/internal/texts/preview", {**_base(context), "texts": texts}
    )
    if isinstance(answer, ServiceUnavailable):
        return
    if answer.status != 200:
        raise Missing
    problems: Mapping[str, Sequence[Mapping[str, Any]]] = answer.body["problems"]
    if problems:
        raise Invalid(**{part: " ".join(map(problem_words, found)) for part, found in problems.items()})


async def _send_test(context: PageContext, form: Form) -> Response:
    address = own_address(context)
    if not address:
        raise Invalid(
            **{"": gettext("You sign in without a mail address, so no test mail can be sent to you.")}
        )

    def message(_: UUID) -> SendTestMail:
        texts = {part: form[part] for part in PARTS}
        return SendTestMail(**_named(context), **texts, recipient=address, actor=context.actor)

    outcome = await perform(context, command(context, None, message, ":test"))
    if outcome.state == "done":
        return await _show(context, {}, sent_to=address)
    return answer(context, outcome, to=context.here, flash=gettext("Test mail sent."))


async def _carried(context: PageContext, wanted: Sequence[Action], flash: str) -> Response:
    outcome = await perform(context, *wanted)
    to = f"{HERE}/{context.path('wording')}/{context.path('locale')}"
    return answer(context, outcome, to=to, flash=flash)


def _setting(context: PageContext, part: TextPart, text: str, version: int) -> Action:
    def message(_: UUID) -> SetTemplate:
        named = _named(context)
        return SetTemplate(**named, part=part, text=text, based_on_version=version, actor=context.actor)

    return command(context, None, message, f":{part.value}")


def _resetting(context: PageContext, part: TextPart, version: int) -> Action:
    def message(_: UUID) -> ResetTemplate:
        return ResetTemplate(**_named(context), part=part, based_on_version=version, actor=context.actor)

    return command(context, None, message, f":{part.value}")


def _named(context: PageContext) -> dict[str, Any]:
    locale = context.path("locale")
    if locale not in LANGUAGE_NAMES:
        raise Missing
    return {"shop": context.shop, "template": context.path("wording")[:60], "locale": locale}


def _base(context: PageContext) -> dict[str, Any]:
    named = _named(context)
    return {"shop": named["shop"], "wording": named["template"], "locale": named["locale"]}


def _part(form: Form) -> TextPart:
    part = form.choice("part", PARTS)
    if part is None:
        raise Invalid(part=gettext("Choose an option from the list."))
    return TextPart(part)


def _typed(form: Form) -> dict[str, str]:
    return {part: form[part] for part in PARTS if part in form}


def _others(answer: Mapping[str, Any], form: Form) -> dict[str, str]:
    """Return the texts that somebody else changed since the form was shown, by part."""
    return {
        part: answer["parts"][part]["text"]
        for part in PARTS
        if f"version_{part}" in form and form[f"version_{part}"] != str(answer["parts"][part]["version"])
    }


async def _read(context: PageContext) -> Mapping[str, Any] | ServiceUnavailable:
    named = _named(context)
    path = f"/internal/texts/{named['template']}/{named['locale']}"
    answer = await context.app_state.clients.get("notifier", path, shop=context.shop)
    if isinstance(answer, ServiceUnavailable):
        return answer
    if answer.status != 200:
        raise Missing
    found: Mapping[str, Any] = answer.body
    return found
