"""An order on paper: its page's content without screen-only parts, and without notes unless requested.

Notes are the customer’s remark, the reasons in the ledger and the comments; without them the paper may leave
the shop. IP address and browser are never printed. Times are absolute, because paper is read on other days.
"""

from dataclasses import replace

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.order.activity import timeline
from services.orders.backoffice.order.reading import read_order
from services.orders.backoffice.order.showing import render
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()


@pages.get("/orders/{order}/print", Permission.ORDERS_VIEW)
async def show_paper(context: PageContext) -> Response:
    """Show the order for printing; `?notes=yes` adds the notes."""
    order = await read_order(context)
    context.locale = replace(context.locale, on_paper=True)
    return render(
        context,
        order,
        template="order/print.html",
        with_notes=context.query.get("notes") == "yes",
        comments=timeline(order.history, order.labels, "comments"),
        may=lambda _: False,
    )
