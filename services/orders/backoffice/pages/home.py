"""Home: what a person sees first."""

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.routing import Pages
from services.orders.backoffice.translating import N_
from services.orders.backoffice.visit import Visit

pages = Pages()
pages.in_menu("/", N_("Home"), "home", 10, Entry.SIGNED_IN)


@pages.get("/", Entry.SIGNED_IN)
async def show_home(visit: Visit) -> Response:
    """The shop's door."""
    return visit.render("home/home.html")
