"""The auditor's findings: inconsistencies between the services, since when, and the time of the last audit."""

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.operations import words
from services.orders.backoffice.operations.findings import read_findings
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.sentences import advice, title
from services.orders.backoffice.operations.store import read_codes
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()


@pages.get("/operations/findings", Permission.OPERATIONS_VIEW)
async def show_findings(context: PageContext) -> Response:
    """Show all findings of the last audit."""
    return await _show(context)


@pages.get("/operations/findings/now", Permission.OPERATIONS_VIEW, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the same for a page that polls."""
    return await _show(context)


async def _show(context: PageContext) -> Response:
    audited = await read_findings(context)
    async with context.reading() as connection:
        codes = await read_codes(connection, context.shop, audited.named)
    return context.render(
        "operations/findings.html",
        audited=audited,
        orders_named=lambda where: [code for order_id, code in codes.items() if order_id in where],
        title=title,
        advice=advice,
        words=words,
        tabs_shown=tabs_of_operations("/operations/findings"),
    )
