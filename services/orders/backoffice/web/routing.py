"""Declaration of pages: path, required permission, and a function.

    pages = Pages()

    @pages.get("/parcels", Permission.ORDERS_VIEW)
    async def show_parcels(context: PageContext) -> Response: ...

    @pages.post("/parcels/{parcel}/unpack", Permission.PARCELS_PACK, action="parcel.unpack")
    async def unpack(context: PageContext) -> Response: ...

Every module `pages` or `…_pages` with a `pages` is found at start: a page is added by adding its file. A
route cannot be declared without its requirement, and a POST cannot be answered without an audit record. A
page whose reading has to be recorded (an export) names an action too.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from services.orders.backoffice.access.permissions import Demand
from services.orders.backoffice.web.actions.action import Again, shown_again
from services.orders.backoffice.web.app_state import MenuEntry
from services.orders.backoffice.web.page_context import View
from services.orders.order.shop.cache import TtlCache


@dataclass(frozen=True)
class Page:
    """One route. `action` names it in the audit, for every POST and every recorded GET; `is_use`: whether it
    counts as a user's use of the session; `again` shows the form that a POST answers, with its values.
    """

    path: str
    method: str
    demand: Demand
    view: View
    action: str = ""
    is_use: bool = True
    again: Again | None = None


class Pages:
    """The routes of one module."""

    def __init__(self) -> None:
        self.routes: list[Page] = []
        self.menu: list[MenuEntry] = []

    def get(
        self, path: str, demand: Demand, *, is_use: bool = True, action: str = ""
    ) -> Callable[[View], View]:
        """Declare a page or a part of one. It changes nothing; with an `action` the audit records who read
        it.
        """
        return self._add(path, "GET", demand, action, is_use)

    def post(
        self, path: str, demand: Demand, *, action: str, again: Again | None = None, kept: Again | None = None
    ) -> Callable[[View], View]:
        """Declare a user's action; `action` is its name in the audit, such as `order.archive`, and `again`
        shows its form once more when it is rejected, or was sent after the session's end. Without one a rejection is
        a page of its own. `kept`: for a part of a page, the function that shows the form only after the session's end.
        """
        declare = self._add(path, "POST", demand, action, True, again or kept)
        return declare if again is None else lambda view: declare(shown_again(view, again))

    def in_menu(
        self,
        path: str,
        label: str,
        icon: str,
        rank: int,
        demand: Demand,
        count: TtlCache[int] | None = None,
    ) -> None:
        """Add a page to the menu: home 10, orders 20, parcels 30, payments 40, conversation 45, mails 50, stock 60,
        operations 80, settings 90. The first four are directly available on a phone, the others behind «More».
        """
        self.menu.append(MenuEntry(path, label, icon, rank, demand, count))

    def _add(
        self, path: str, method: str, demand: Demand, action: str, is_use: bool, again: Again | None = None
    ) -> Callable[[View], View]:
        def register(view: View) -> View:
            self.routes.append(Page(path, method, demand, view, action, is_use, again))
            return view

        return register


@cache
def found_in(package: ModuleType) -> tuple[Sequence[Page], Sequence[MenuEntry]]:
    """Return the routes and menu entries of all modules `pages` and `…_pages` below a package, found once.

    Fixed paths come before those with a parameter.
    """
    routes: list[Page] = []
    menu: list[MenuEntry] = []
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("pages"):
            continue
        pages = getattr(importlib.import_module(module.name), "pages", None)
        if isinstance(pages, Pages):
            routes += pages.routes
            menu += pages.menu
    return tuple(sorted(routes, key=_specific_first)), tuple(sorted(menu, key=lambda entry: entry.rank))


def _specific_first(page: Page) -> list[tuple[bool, str]]:
    return [("{" in part, part) for part in page.path.split("/")]
