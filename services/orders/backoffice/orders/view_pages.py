"""Saved views: a list of orders under a name, one's own or everybody's."""

from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.orders import asking
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, NotAllowed, Visit
from services.orders.listing import views
from services.orders.listing.filters import Filters
from services.orders.listing.views import LONGEST_NAME, NameUnfit, TooManyViews, View, ViewUnknown

pages = Pages()


@pages.get("/orders/views", Permission.ORDERS_VIEW)
async def show_views(visit: Visit) -> Response:
    """One's own views and everybody's, to be renamed and deleted."""
    return await _show(visit)


@pages.post("/orders/views", Permission.ORDERS_VIEW, action="view.save")
async def save_view(visit: Visit) -> Response:
    """Keep a list under a name."""
    form = await visit.form()
    owner = _owner(visit, form.ticked("shared"))
    try:
        filters = Filters.from_url(form["query"])
    except ValueError:
        raise Missing from None

    async def act(unit: Unit) -> View:
        return await views.create_view(unit.connection, visit.shop, owner, form["name"], filters, unit.now)

    to = asking.href(filters)
    try:
        await do(visit, form, act)
    except NameUnfit:
        return visit.redirect(to, _name_unfit(), "fault")
    except TooManyViews:
        text = gettext("There are %(most)s views already; delete one first.", most=views.MOST_VIEWS)
        return visit.redirect(to, text, "fault")
    return visit.redirect(to, gettext("The view is saved."))


@pages.post("/orders/views/{view}/rename", Permission.ORDERS_VIEW, action="view.rename")
async def rename_view(visit: Visit) -> Response:
    """Give a view another name."""
    form, view_id = await visit.form(), visit.path_uuid("view")
    owner = _owner(visit, form.ticked("shared"))

    async def act(unit: Unit) -> View:
        return await views.change_view(unit.connection, visit.shop, owner, view_id, name=form["name"])

    try:
        await do(visit, form, act)
    except NameUnfit:
        return await _show(visit, view_id, form)
    except ViewUnknown:
        raise Missing from None
    return visit.redirect("/orders/views", gettext("The view is renamed."))


@pages.post("/orders/views/{view}/delete", Permission.ORDERS_VIEW, action="view.delete")
async def delete_view(visit: Visit) -> Response:
    """Delete a view; its orders stay as they are."""
    form, view_id = await visit.form(), visit.path_uuid("view")
    owner = _owner(visit, form.ticked("shared"))
    try:
        await do(visit, form, lambda unit: views.delete_view(unit.connection, visit.shop, owner, view_id))
    except ViewUnknown:
        raise Missing from None
    return visit.redirect("/orders/views", gettext("The view is deleted."))


def _owner(visit: Visit, is_shared: bool) -> str | None:
    """Whose view is meant. Raises NotAllowed when everybody's is, without the right to change it."""
    if not is_shared:
        return str(visit.person.staff_id)
    if not visit.may(Permission.SETTINGS_CHANGE):
        raise NotAllowed(Permission.SETTINGS_CHANGE)
    return None


def _name_unfit() -> str:
    return gettext("Choose a name of 1 to %(longest)s characters.", longest=LONGEST_NAME)


async def _show(visit: Visit, wrong: UUID | None = None, form: Form | None = None) -> Response:
    async with visit.reading() as connection:
        found = await views.read_views(connection, visit.shop, str(visit.person.staff_id))
    return visit.render(
        "orders/views.html",
        422 if wrong else 200,
        views=found,
        wrong=wrong,
        typed=form["name"] if form else "",
        error=_name_unfit(),
    )
