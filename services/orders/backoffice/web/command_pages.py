"""The state of a command, for the page that waits for it."""

from starlette.responses import JSONResponse, Response

from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.web.actions.action import outcome_of
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()


@pages.get("/commands/{command}", Entry.SIGNED_IN, is_use=False)
async def show_command(context: PageContext) -> Response:
    """Return only its state: the command's subject is shown on the page it belongs to."""
    outcome = await outcome_of(context, context.path_uuid("command"))
    return JSONResponse({"state": outcome.state}, headers={"Cache-Control": "no-store"})
