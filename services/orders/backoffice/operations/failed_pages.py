"""Failed work of the shop: refunds and documents that failed for good, and that a person has seen them.

The owning service lists them and records the acknowledgement with its reason. Work that names no shop (a read, a
received mail) is for operators, by the command line. Mails are decided on the page of mails.
"""

from typing import cast

from starlette.responses import Response

from contracts.catalogue import SERVICES
from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import Owner
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.operations import failed, parked, words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.store import read_codes
from services.orders.backoffice.web.actions.action import Errors, do
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PATH = "/operations/failed"
LONGEST_REASON = 200
KINDS = {
    "refund": N_("Refund by the provider"),
    "invoice_pdf": N_("Document as PDF"),
    "object_read": N_("Reading at the payment provider"),
    "inbound": N_("Received mail"),
    "test_mail": N_("Test mail"),
}
"""Labels by kind of effect; another kind is shown as it is named."""
FAILURES = {
    "refund": N_(
        "The payment provider refused the refund, or could not be asked. Look at the order’s payments before "
        "refunding again."
    ),
    "invoice_pdf": N_(
        "The PDF could not be created. The document itself is issued. Contact your administrator."
    ),
    "object_read": N_(
        "What the payment provider reported could not be read there. Contact your administrator."
    ),
}
"""What failed, by kind of effect; the technical reason is shown beside it."""
OTHER_FAILURE = N_("It failed for good. The technical reason is below.")


@pages.get(PATH, Permission.OPERATIONS_VIEW)
async def show_failed(context: PageContext) -> Response:
    """Show the failed work of the shop."""
    return await _show(context, {})


async def _show(context: PageContext, errors: Errors) -> Response:
    found = await failed.read(context)
    documents = await failed.read_documents(context, found)
    async with context.reading() as connection:
        codes = await read_codes(connection, context.shop, found.order_ids)
    return context.render(
        "operations/failed.html",
        422 if errors else 200,
        failed=found,
        codes=codes,
        documents=documents,
        kinds=KINDS,
        failures=FAILURES,
        other_failure=OTHER_FAILURE,
        most=failed.MOST,
        typed=context.form_read,
        errors=errors,
        tabs_shown=tabs_of_operations(PATH),
        words=words,
    )


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="effects.acknowledge", again=_show)
async def acknowledge(context: PageContext) -> Response:
    """Acknowledge one failed effect, with the reason."""
    form = context.form_read
    service, _, key = form["effect"].partition("/")
    if service not in SERVICES or not key:
        raise Invalid(effect=gettext("Choose an option from the list."))
    reason = form.text("reason", longest=LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Enter a reason for later reference."))
    context.audited.update(service=service, key=key, reason=reason)
    body = {"key": key, "shop": context.shop, "without": [failed.MAILS], "reason": reason}

    is_unknown: list[bool] = []

    async def act(_: Unit) -> None:
        answer = await parked.request(context, cast("Owner", service), "effects/acknowledge", body)
        context.audited["effects"] = answer.get("acknowledged", 0)
        is_unknown.append(answer.get("already") is False)

    await do(context, act)
    context.app_state.monitor.invalidate()
    if any(is_unknown):
        return context.redirect(PATH, gettext("Nothing to do: there is no such failed work."), "note")
    if context.audited.get("effects") == 0:
        return context.redirect(PATH, gettext("Nothing to do: somebody else has already done it."), "note")
    return context.redirect(PATH, gettext("Recorded. It is listed below with the reason."))
