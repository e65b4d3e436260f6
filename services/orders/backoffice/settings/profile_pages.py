"""The shop's brand and support block, as shown in mails, on pages and on printed documents.

The notifier owns them. A field that equals the installation's setting is not stored, so that it follows later
changes of the setting.
"""

import base64
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import HTMLResponse, Response

from contracts.notifier.mail_texts import LONGEST_LOGO, ChangeShopProfile, ShopAppearance
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.forms.objections import objections
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.settings.mail_frame import PREVIEW_SECONDS, fault_frame, framed
from services.orders.backoffice.settings.mail_text_pages import FRAMED
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.profile import profile_of

pages = Pages()
HERE = "/settings/profile"
FIELDS = ("support_email", "support_phone", "opening_hours", "brand_colour", "signature")
COLOUR = "#0f625b"
"""The default colour."""
FORMS = {
    "support_email": N_("No mail can be sent to “%(value)s”. Enter an address such as shop@example.com."),
    "brand_colour": N_("“%(value)s” is not a colour. Enter one such as #0f625b."),
}
"""What is wrong with a value that does not fit its pattern."""
LARGEST_LOGO_BYTES = LONGEST_LOGO * 3 // 4 - 2_000
SHOWN = "order_recap"
"""The mail that the preview shows."""


async def _show(context: PageContext, errors: Errors) -> Response:
    answer = await _read(context)
    form = context.form_read
    down = answer if isinstance(answer, ServiceUnavailable) else None
    body: Mapping[str, Any] = {} if isinstance(answer, ServiceUnavailable) else answer
    values = {name: value or "" for name, value in body.get("values", dict.fromkeys(FIELDS)).items()}
    values["brand_colour"] = values["brand_colour"] or COLOUR
    others = {}
    if "version" in form:
        others = dict(values) if form["version"] != str(body.get("version", "")) else {}
        values |= {name: form[name] for name in FIELDS}
    return context.render(
        "settings/profile.html",
        422 if errors else 200,
        down=down,
        values=values,
        others=others if errors else {},
        defaults=body.get("defaults", {}),
        version=body.get("version", 0),
        name=body.get("name", context.shop),
        logo=body.get("logo"),
        has_own_logo=body.get("has_own_logo", False),
        removes_logo=form.ticked("removes_logo"),
        labels=labels(),
        errors={name.removeprefix("appearance."): why for name, why in errors.items()},
    )


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_profile(context: PageContext) -> Response:
    """Show the brand and support block."""
    return await _show(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="shop_profile.change", again=_show)
async def change_profile(context: PageContext) -> Response:
    """Change the brand and support block."""
    form, told = context.form_read, await _read(context)
    if isinstance(told, ServiceUnavailable):
        raise Invalid(**{"": gettext("The mail service is not responding right now; try again in a moment.")})
    appearance = _appearance(form, told["defaults"])
    logo, version = await _logo(form), form.whole("version", 0, 2**31 - 1) or 0
    if logo:
        await _check_logo(context, logo)
    change = command(
        context,
        None,
        lambda _: ChangeShopProfile(
            shop=context.shop,
            appearance=appearance,
            logo=logo or None,
            removes_logo=form.ticked("removes_logo") and not logo,
            based_on_version=version,
            actor=context.actor,
        ),
    )
    response = await carry_out(context, change, to=HERE, flash=gettext("Settings saved."))
    profile_of.forget(context.app_state.hub.owner, context.shop)
    return response


@pages.get(HERE + "/logo", Permission.SETTINGS_VIEW)
async def show_logo(context: PageContext) -> Response:
    """Return the current logo."""
    answer = await _read(context)
    logo = None if isinstance(answer, ServiceUnavailable) else answer["logo"]
    if not logo:
        raise Missing
    kind, _, encoded = str(logo).removeprefix("data:").partition(";base64,")
    return Response(base64.b64decode(encoded), media_type=kind, headers={"Cache-Control": "no-store"})


@pages.get(HERE + "/preview", Permission.SETTINGS_VIEW)
async def show_preview(context: PageContext) -> Response:
    """Return a mail with the saved profile, for the frame beside the form."""
    return await _preview(context, {})


@pages.post(HERE + "/preview", Permission.SETTINGS_VIEW, action="shop_profile.preview", kept=_show)
async def preview_typed(context: PageContext) -> Response:
    """Return a mail with the profile as it is being typed, for the frame beside the form."""
    form = await context.form()
    try:
        appearance, logo = _appearance(form, None), await _logo(form)
    except Invalid as invalid:
        return HTMLResponse(fault_frame(" ".join(invalid.errors.values())), headers=FRAMED)
    typed: dict[str, Any] = {"appearance": appearance.model_dump(mode="json")}
    typed |= {"logo": logo} if logo else {"removes_logo": form.ticked("removes_logo")}
    return await _preview(context, typed)


def labels() -> dict[str, str]:
    """Return the labels of the fields."""
    return {
        "support_email": gettext("Support: mail address"),
        "support_phone": gettext("Support: phone"),
        "opening_hours": gettext("Support: opening hours"),
        "brand_colour": gettext("Colour of links and buttons"),
        "signature": gettext("Signature"),
    }


async def _preview(context: PageContext, typed: Mapping[str, Any]) -> Response:
    form = context.form_read
    locale = context.locale.language
    body = {"shop": context.shop, "wording": SHOWN, "locale": locale, **typed}
    answer = await context.app_state.clients.post(
        "notifier", "/internal/texts/preview", body, seconds=PREVIEW_SECONDS
    )
    return HTMLResponse(framed(answer, form["form"] == "text", form["look"]), headers=FRAMED)


def _appearance(form: Form, defaults: Mapping[str, Any] | None) -> ShopAppearance:
    """Return the typed values, without those that the installation's settings have (`defaults`). Raises Invalid."""
    typed = {name: form[name].strip() for name in FIELDS}
    usual = {name: (defaults or {}).get(name) or "" for name in FIELDS}
    usual["brand_colour"] = usual["brand_colour"] or COLOUR
    values = {name: value for name, value in typed.items() if defaults is None or value != usual[name]}
    if not values.get("brand_colour", COLOUR):
        del values["brand_colour"]
    try:
        return ShopAppearance.model_validate(values)
    except ValidationError as error:
        raise Invalid(**objections(error, FORMS)) from None


async def _logo(form: Form) -> str:
    upload = form.files.get("logo")
    content = await upload.read(LARGEST_LOGO_BYTES + 1) if upload is not None else b""
    if len(content) > LARGEST_LOGO_BYTES:
        raise Invalid(logo=gettext("The image is larger than 65 kB. Choose a smaller one."))
    return base64.b64encode(content).decode()


async def _check_logo(context: PageContext, logo: str) -> None:
    body = {"shop": context.shop, "wording": SHOWN, "locale": "fr", "appearance": {}, "logo": logo}
    answer = await context.app_state.clients.post("notifier", "/internal/texts/preview", body)
    if not isinstance(answer, ServiceUnavailable) and answer.status != 200:
        raise Invalid(
            logo=gettext(
                "This image can’t be used. Save it again as a plain PNG or JPEG of at most 2,000 pixels."
            )
        )


async def _read(context: PageContext) -> Mapping[str, Any] | ServiceUnavailable:
    answer = await context.app_state.clients.get("notifier", "/internal/shop-profile", shop=context.shop)
    if isinstance(answer, ServiceUnavailable):
        return answer
    if answer.status != 200:
        raise Missing
    found: Mapping[str, Any] = answer.body
    return found
