"""Selection of orders in a form of the list: ticked ones, confirmed ones, or all that match its filters."""

from uuid import UUID

from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.order.form_requests import orders_named
from services.orders.backoffice.orders.reading import zone_of
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.listing.filters import Filters
from services.orders.order.unit.actions import MOST_ORDERS


def filters_of(form: Form) -> Filters:
    """Return the filters of the list the form was on. Raises Missing."""
    try:
        return Filters.from_url(form["query"])
    except ValueError:
        raise Missing from None


async def orders_of(context: PageContext, form: Form, most: int = MOST_ORDERS) -> list[UUID]:
    """Return the orders, each once, in the list's order; at most `most` of a whole list. Raises Missing."""
    if not form["everything"]:
        return orders_named(form)
    filters = filters_of(form)
    async with context.reading() as connection:
        page = await context.app_state.finder.page(
            connection, context.shop, filters, zone_of(context), limit=most
        )
    return list(page.order_ids)
