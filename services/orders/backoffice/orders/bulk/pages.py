"""Bulk actions on orders of the list: tags and the archive, previewed for each order, then carried out.

Invariant: the preview is the action itself, rolled back: both run the same code in a unit of work, so that
the preview shows exactly what would have happened at that time. Only a confirmed form changes an order; a
row's own menu needs no confirmation, because all its actions can be undone.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.message import Reason
from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import gettext, ngettext
from services.orders.backoffice.orders import chosen
from services.orders.backoffice.web.actions.action import do
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import is_local_path
from services.orders.order.unit.actions import OrderResult
from services.orders.staff import archiving, tagging

pages = Pages()

Act = Callable[[Unit, Sequence[UUID]], Awaitable[list[OrderResult]]]


@dataclass(frozen=True)
class Verb:
    """A bulk action on orders: the address of its form, its texts, and the action."""

    path: str
    title: str
    confirm: str
    done: str
    act: Act
    kept: tuple[str, ...] = ("tag",)
    """The form's fields beside the orders; the confirmation submits them again."""


class PreviewDone(Exception):
    """Raised at the end of a preview's unit of work, so that it is rolled back."""

    def __init__(self, results: list[OrderResult]) -> None:
        super().__init__("rehearsed")
        self.results = results


@pages.post("/orders/archive", Permission.ORDERS_ARCHIVE, action="order.archive")
async def archive(context: PageContext) -> Response:
    """Archive finished orders."""

    async def act(unit: Unit, ids: Sequence[UUID]) -> list[OrderResult]:
        return await archiving.archive(unit, context.shop, ids, context.actor)

    done = gettext("Archived")
    return await answer_form(
        context, Verb("/orders/archive", gettext("Archive orders"), gettext("Archive"), done, act)
    )


@pages.post("/orders/unarchive", Permission.ORDERS_ARCHIVE, action="order.unarchive")
async def unarchive(context: PageContext) -> Response:
    """Unarchive orders."""

    async def act(unit: Unit, ids: Sequence[UUID]) -> list[OrderResult]:
        return await archiving.unarchive(unit, context.shop, ids, context.actor)

    title, confirm = gettext("Unarchive orders"), gettext("Unarchive")
    return await answer_form(context, Verb("/orders/unarchive", title, confirm, gettext("Unarchived"), act))


@pages.post("/orders/tag", Permission.ORDERS_TAG, action="order.tag")
async def tag(context: PageContext) -> Response:
    """Add a tag to orders."""
    form = await context.form()
    tag_id = _tag_of(form)

    async def act(unit: Unit, ids: Sequence[UUID]) -> list[OrderResult]:
        return await tagging.tag_orders(unit, context.shop, ids, [tag_id], context.actor)

    title, confirm = gettext("Add a tag to orders"), gettext("Add tag")
    return await answer_form(context, Verb("/orders/tag", title, confirm, gettext("Tag added"), act))


@pages.post("/orders/untag", Permission.ORDERS_TAG, action="order.untag")
async def untag(context: PageContext) -> Response:
    """Remove a tag from orders."""
    form = await context.form()
    tag_id = _tag_of(form)

    async def act(unit: Unit, ids: Sequence[UUID]) -> list[OrderResult]:
        return await tagging.untag_orders(unit, context.shop, ids, [tag_id], context.actor)

    title, confirm = gettext("Remove a tag from orders"), gettext("Remove tag")
    return await answer_form(context, Verb("/orders/untag", title, confirm, gettext("Tag removed"), act))


def _tag_of(form: Form) -> UUID:
    try:
        return UUID(form["tag"])
    except ValueError:
        raise Missing from None


async def answer_form(context: PageContext, verb: Verb) -> Response:
    """Answer a form of the list: preview first, carry out when confirmed, or immediately for the one order of a
    row's menu.
    """
    form = await context.form()
    back = form["back"] if is_local_path(form["back"]) else "/orders"
    if form["only"]:
        return await _do_one(context, form, verb, back)
    ids = await chosen.orders_of(context, form)
    if not ids:
        return context.redirect(back, gettext("No orders are selected."), "note")
    context.audited["orders"] = len(ids)
    if form["confirmed"]:
        return await _do_all(context, form, verb, ids, back)
    context.outcome = "rehearsed"
    results = await _preview(context, verb.act, ids)
    fields = [(name, form[name]) for name in verb.kept if form[name]]
    return context.render(
        "orders/bulk.html", **_view_model(verb, results, back), fields=fields, is_done=False
    )


async def _do_one(context: PageContext, form: Form, verb: Verb, back: str) -> Response:
    try:
        order_id = UUID(form["only"])
    except ValueError:
        raise Missing from None
    context.about(order_id)
    results = await do(context, lambda unit: verb.act(unit, [order_id]))
    if not results:
        return context.redirect(back)
    [result] = results
    if result.changed:
        return context.redirect(back, f"{result.code} · {verb.done}")
    return context.redirect(back, f"{result.code or ''} · {_why(result)}", "fault")


async def _do_all(context: PageContext, form: Form, verb: Verb, ids: Sequence[UUID], back: str) -> Response:
    results = await do(context, lambda unit: verb.act(unit, ids))
    if results is None:
        return context.redirect(back, gettext("This was already done."), "note")
    context.audited["changed"] = sum(result.changed for result in results)
    return context.render("orders/bulk.html", **_view_model(verb, results, back), is_done=True)


async def _preview(context: PageContext, act: Act, ids: Sequence[UUID]) -> list[OrderResult]:
    try:
        async with context.unit() as unit:
            raise PreviewDone(await act(unit, ids))
    except PreviewDone as rehearsed:
        return rehearsed.results


def _view_model(verb: Verb, results: Sequence[OrderResult], back: str) -> dict[str, Any]:
    changed = [result for result in results if result.changed]
    left = [(result.code or str(result.order_id), _why(result)) for result in results if not result.changed]
    return {
        "verb": verb,
        "changed": changed,
        "left": left,
        "back": back,
        "button": ngettext(
            "%(verb)s: %(count)s order", "%(verb)s: %(count)s orders", len(changed), verb=verb.confirm
        ),
    }


def _why(result: OrderResult) -> str:
    return explain(Reason(code=result.reason or "", message=result.detail or ""))
