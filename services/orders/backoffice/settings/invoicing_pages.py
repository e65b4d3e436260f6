"""Settings of invoices: the shop's legal details, the numbering, and when they are issued.

Payments owns these settings; they are read there and changed by a command. A logo is a PNG or JPEG file.
"""

import base64
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from contracts.payments.invoices import ChangeInvoicing, InvoicingSettings
from services.chassis.identifiers.flaws import Flaw
from services.chassis.identifiers.seller import doubts_of, flaws_of, refusals_of
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.forms.objections import objections
from services.orders.backoffice.language.countries import country_code
from services.orders.backoffice.language.flaw_texts import explain_flaw
from services.orders.backoffice.language.mention_texts import mentions
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.clients.invoicing import first_day_to_come
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
HERE = "/settings/invoices"
TICKS = ("is_on", "mails_customer", "vat_on_debits")
LOGO_SECONDS = 60.0
LARGEST_LOGO_BYTES = 110_000
LONGEST_PAYMENT_DAYS = 120
_PREFIX = N_("Enter 1 to 10 capital letters, digits and hyphens; “%(value)s” has others or too many.")
FORMS = {
    "invoice_prefix": _PREFIX,
    "credit_note_prefix": _PREFIX,
}
"""What is wrong with a value that does not fit its pattern."""
OFFERED = {
    "late_penalty": "trois fois le taux d’intérêt légal",
    "early_discount": "pas d’escompte pour paiement anticipé",
}
"""The usual French wording, offered where nothing was entered yet."""


async def _show(context: PageContext, errors: Errors) -> Response:
    told = await context.app_state.clients.get("payments", "/internal/invoicing", shop=context.shop)
    down = told if isinstance(told, ServiceUnavailable) else None
    answered = {} if isinstance(told, ServiceUnavailable) or told.status != 200 else told.body
    known = _known(answered.get("settings"))
    is_unreadable = known is None or (not isinstance(told, ServiceUnavailable) and told.status == 409)
    body: Mapping[str, Any] = {} if known is None else answered
    values: dict[str, Any] = body.get("settings") or {
        **InvoicingSettings().model_dump(mode="json"),
        **OFFERED,
    }
    form, stored = context.form_read, body.get("settings")
    flaws, doubts = (flaws_of(known), doubts_of(known)) if stored and known else ({}, {})
    if errors:
        values = {**values, **form, **{name: form.ticked(name) for name in TICKS}}
    needed, missing = body.get("needed", []), body.get("missing", [])
    errors_by_field = {name.removeprefix("settings."): why for name, why in errors.items()}
    return context.render(
        "settings/invoices.html",
        422 if errors else 200,
        down=down,
        is_unreadable=is_unreadable,
        values=values,
        version=form["version"] if errors else body.get("version", 0),
        missing=missing,
        wrong=list(flaws),
        doubts={} if errors else _explained(doubts),
        filled=len(set(needed) - {*missing, *flaws}),
        needed=needed,
        has_logo=body.get("has_logo", False),
        waiting=body.get("waiting", []),
        failed=body.get("failed", []),
        mentions=mentions(),
        first_day=first_day_to_come(context, stored) if stored else None,
        errors=errors_by_field or _explained(flaws),
    )


def _known(stored: Mapping[str, Any] | None) -> InvoicingSettings | None:
    """Return a shop's settings, the defaults where nothing is stored, None where a newer payments has more values."""
    try:
        return InvoicingSettings.model_validate(stored or {})
    except ValidationError:
        return None


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_invoicing(context: PageContext) -> Response:
    """Show the settings, and which required ones are missing."""
    return await _show(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="invoicing.change", again=_show)
async def change_invoicing(context: PageContext) -> Response:
    """Change the settings."""
    form = context.form_read
    chosen, version = await _chosen(form), form.whole("version", 0, 2**31 - 1) or 0
    if chosen.logo:
        await _check_logo(context, chosen.logo)
    keeps = not chosen.logo and not form.ticked("removes_logo")
    change = command(
        context,
        None,
        lambda _: ChangeInvoicing(
            shop=context.shop, settings=chosen, keeps_logo=keeps, version=version, actor=context.actor
        ),
    )
    return await carry_out(context, change, to=HERE, flash=gettext("Settings saved."))


async def _chosen(form: Form) -> InvoicingSettings:
    """Return the settings in a form. Raises Invalid."""
    values: dict[str, Any] = {
        name: (form.text(name, longest=2000) or "")
        for name in InvoicingSettings.model_fields
        if name not in ("logo", "first_day")
    }
    values |= {name: form.ticked(name) for name in TICKS}
    values["country"] = country_code(values["country"])
    values["payment_days"] = form.whole("payment_days", 0, LONGEST_PAYMENT_DAYS) or 0
    values["first_day"] = form.day("first_day")
    values["logo"] = await _logo(form)
    try:
        chosen = InvoicingSettings.model_validate(values)
    except ValidationError as error:
        raise Invalid(**objections(error, FORMS)) from None
    if flaws := refusals_of(chosen):
        raise Invalid(**_explained(flaws))
    return chosen


def _explained(flaws: Mapping[str, Flaw]) -> dict[str, str]:
    return {name: explain_flaw(one) for name, one in flaws.items()}


async def _logo(form: Form) -> str:
    upload = form.files.get("logo")
    content = await upload.read(LARGEST_LOGO_BYTES + 1) if upload is not None else b""
    if len(content) > LARGEST_LOGO_BYTES:
        raise Invalid(logo=gettext("The image is larger than 110 kB. Choose a smaller one."))
    return base64.b64encode(content).decode()


async def _check_logo(context: PageContext, logo: str) -> None:
    """Have payments render a logo as on invoices. Raises Invalid when it cannot."""
    answer = await context.app_state.clients.post(
        "payments", "/internal/invoicing/logo", {"logo": logo}, seconds=LOGO_SECONDS
    )
    if isinstance(answer, ServiceUnavailable):
        raise Invalid(logo=gettext("The image can’t be checked now. Try again in a moment."))
    if answer.status != 200:
        raise Invalid(logo=gettext("This image can’t be read. Save it again as PNG or JPEG."))
