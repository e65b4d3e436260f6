"""Preferences of one user: language, theme, density of tables, shortcuts.

They are stored on the account of the signed-in user, and in the browser for everybody, so that the sign-in
page is in their language.
"""

import json

from starlette.responses import Response

from services.orders.backoffice.access import store
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import is_local_path

pages = Pages()
CHOICES = {
    "language": ("fr", "en"),
    "theme": ("auto", "light", "dark"),
    "density": ("compact", "regular", "roomy"),
    "shortcuts": ("on", "off"),
}
ONE_YEAR_SECONDS = 365 * 24 * 3600


@pages.post("/preferences", Entry.PUBLIC, action="preferences.change")
async def change(context: PageContext) -> Response:
    """Store the chosen preferences and go back to the page they were chosen on."""
    form = await context.form()
    chosen = {name: form[name] for name, allowed in CHOICES.items() if form[name] in allowed}
    person = context.found.person
    if chosen and person is not None:
        async with context.unit() as unit:
            await store.set_preferences(unit.connection, person.staff_id, json.dumps(chosen))
    response = context.redirect(form["back"] if is_local_path(form["back"]) else "/")
    for name, value in chosen.items():
        context.set_cookie(response, f"comptoir-{name}", value, ONE_YEAR_SECONDS)
    return response
