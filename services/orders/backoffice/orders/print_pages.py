"""Chosen orders on paper, one per sheet: with prices, or as packing slips without.

The address names the orders by their codes, so that the page can be reloaded, switched and shared within the
shop.
"""

from urllib.parse import urlencode

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.order.store import codes_of
from services.orders.backoffice.orders import chosen, sheets
from services.orders.backoffice.orders.bulk.run_pages import back_of
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import is_local_path
from services.orders.order.short_code import read_code

pages = Pages()
MOST_SHEETS = 200


@pages.post("/orders/print", Permission.ORDERS_VIEW, action="orders.print")
async def choose_sheets(context: PageContext) -> Response:
    """Redirect from ticked orders to their sheets."""
    form = await context.form()
    ids = await chosen.orders_of(context, form, MOST_SHEETS + 1)
    async with context.reading() as connection:
        codes = await codes_of(connection, context.shop, ids)
    return context.redirect(_href(codes[: MOST_SHEETS + 1], back_of(form)))


@pages.get("/orders/print", Permission.ORDERS_VIEW)
async def show_sheets(context: PageContext) -> Response:
    """Show the sheets of these orders."""
    named = context.query.get("codes", "").split(".")[: MOST_SHEETS + 1]
    codes = list(dict.fromkeys(code for text in named if (code := read_code(text))))
    back = context.query.get("back", "")
    back = back if is_local_path(back) else "/orders"
    slips = context.query.get("as") == "slips"
    async with context.reading() as connection:
        found = await sheets.read_sheets(connection, context.shop, codes[:MOST_SHEETS])
    return context.render(
        "orders/print.html",
        sheets=found,
        slips=slips,
        cut=len(codes) > MOST_SHEETS,
        most=MOST_SHEETS,
        back=back,
        href_sheets=_href(codes, back),
        href_slips=_href(codes, back, slips=True),
    )


def _href(codes: list[str], back: str, *, slips: bool = False) -> str:
    named = {"codes": ".".join(code.replace("-", "") for code in codes)}
    return f"/orders/print?{urlencode({**named, **({'as': 'slips'} if slips else {}), 'back': back})}"
