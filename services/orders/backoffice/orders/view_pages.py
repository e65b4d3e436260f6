"""Saved views: a list of orders under a name, private or shared."""

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.orders import filter_form
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, NotAllowed, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing import views
from services.orders.listing.filters import Filters
from services.orders.listing.views import LONGEST_NAME, NameUnfit, TooManyViews, View, ViewUnknown

pages = Pages()


async def _show(context: PageContext, errors: Errors) -> Response:
    form = context.form_read
    async with context.reading() as connection:
        found = await views.read_views(connection, context.shop, str(context.person.staff_id))
    return context.render(
        "orders/views.html",
        422 if errors else 200,
        views=found,
        wrong=context.path_uuid("view") if errors else None,
        typed=form["name"],
        error=errors.get("name", ""),
    )


@pages.get("/orders/views", Permission.ORDERS_VIEW)
async def show_views(context: PageContext) -> Response:
    """Show the user's own and the shared views, which can be renamed and deleted."""
    return await _show(context, {})


@pages.post("/orders/views", Permission.ORDERS_VIEW, action="view.save")
async def save_view(context: PageContext) -> Response:
    """Save a list under a name."""
    form = await context.form()
    owner = _owner(context, form.ticked("shared"))
    try:
        filters = Filters.from_url(form["query"])
    except ValueError:
        raise Missing from None

    async def act(unit: Unit) -> View:
        return await views.create_view(unit.connection, context.shop, owner, form["name"], filters, unit.now)

    to = filter_form.href(filters)
    try:
        return await carry_out(context, act, to=to, flash=gettext("View saved."))
    except NameUnfit:
        return context.redirect(to, _name_unfit(), "fault")
    except TooManyViews:
        text = gettext("There are already %(most)s views; delete one first.", most=views.MOST_VIEWS)
        return context.redirect(to, text, "fault")


@pages.post("/orders/views/{view}/rename", Permission.ORDERS_VIEW, action="view.rename", again=_show)
async def rename_view(context: PageContext) -> Response:
    """Rename a view."""
    form, view_id = context.form_read, context.path_uuid("view")
    owner = _owner(context, form.ticked("shared"))

    async def act(unit: Unit) -> View:
        try:
            return await views.change_view(unit.connection, context.shop, owner, view_id, name=form["name"])
        except NameUnfit:
            raise Invalid(name=_name_unfit()) from None
        except ViewUnknown:
            raise Missing from None

    return await carry_out(context, act, to="/orders/views", flash=gettext("View renamed."))


@pages.post("/orders/views/{view}/delete", Permission.ORDERS_VIEW, action="view.delete")
async def delete_view(context: PageContext) -> Response:
    """Delete a view; its orders are not changed."""
    form, view_id = await context.form(), context.path_uuid("view")
    owner = _owner(context, form.ticked("shared"))

    async def act(unit: Unit) -> None:
        try:
            await views.delete_view(unit.connection, context.shop, owner, view_id)
        except ViewUnknown:
            raise Missing from None

    return await carry_out(context, act, to="/orders/views", flash=gettext("View deleted."))


def _owner(context: PageContext, is_shared: bool) -> str | None:
    """Return the owner of the view. Raises NotAllowed when it is shared and the user may not change shared
    views.
    """
    if not is_shared:
        return str(context.person.staff_id)
    if not context.may(Permission.SETTINGS_CHANGE):
        raise NotAllowed(Permission.SETTINGS_CHANGE)
    return None


def _name_unfit() -> str:
    return gettext("Choose a name of 1 to %(longest)s characters.", longest=LONGEST_NAME)
