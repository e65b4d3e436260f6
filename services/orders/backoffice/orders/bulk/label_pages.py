"""Bulk change of the status of orders: chosen on a page, previewed for each, then done in one transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.chassis.texts import trimmed
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.orders import chosen
from services.orders.backoffice.orders.bulk.pages import Verb, answer_form
from services.orders.backoffice.orders.bulk.run_pages import back_of
from services.orders.backoffice.web.actions.action import Errors
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.state import SET_BY_HAND
from services.orders.order.unit.actions import OrderResult
from services.orders.staff.labels import labels_of
from services.orders.staff.status_update import StatusUpdate
from services.orders.staff.updating_status import update_statuses

pages = Pages()
KEPT = ("checked", "label", "notify_customer", "public_comment", "admin_comment", "force", "reason")


async def _show(
    context: PageContext, typed: Mapping[str, str], ids: Sequence[UUID], errors: Mapping[str, str]
) -> Response:
    async with context.reading() as connection:
        labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
    language = context.locale.language
    return context.render(
        "orders/label.html",
        422 if errors else 200,
        typed={**dict.fromkeys(KEPT, ""), **typed},
        errors={**dict.fromkeys(("", *KEPT), ""), **errors},
        order_ids=ids,
        label_options=[
            ("", gettext("Choose…")),
            *((one.key, one.text(language)) for one in labels.choices() if one.state in SET_BY_HAND),
        ],
        back=back_of(context.form_read),
    )


async def _show_again(context: PageContext, errors: Errors) -> Response:
    form = context.form_read
    return await _show(context, form, await chosen.orders_of(context, form), errors)


@pages.post("/orders/label", Permission.ORDERS_STATUS, action="order.status", again=_show_again)
async def change_statuses(context: PageContext) -> Response:
    """Show the form for the chosen orders; submitted: preview; confirmed: change the statuses."""
    form = context.form_read
    if not form["checked"]:
        context.outcome = "asked"
        ids = await chosen.orders_of(context, form)
        if not ids:
            return context.redirect(back_of(form), gettext("No orders are selected."), "note")
        return await _show(context, {}, ids, {})
    if not form["label"]:
        raise Invalid(label=gettext("Choose an option from the list."))
    update = _update(form)

    async def act(unit: Unit, ids: Sequence[UUID]) -> list[OrderResult]:
        return await update_statuses(
            unit, context.shop, ids, update, context.actor, may_force=context.may(Permission.ORDERS_FORCE)
        )

    title = gettext("Change the status of orders")
    verb = Verb("/orders/label", title, gettext("Change the status"), gettext("Status changed"), act, KEPT)
    return await answer_form(context, verb)


def _update(form: Form) -> StatusUpdate:
    return StatusUpdate(
        label=form["label"],
        notify_customer=form.ticked("notify_customer"),
        public_comment=trimmed(form["public_comment"]) or None,
        admin_comment=trimmed(form["admin_comment"]) or None,
        force=form.ticked("force"),
        reason=trimmed(form["reason"])[:2000] or None,
    )
