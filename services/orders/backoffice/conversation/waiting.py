"""The number beside the menu's entry: conversations and mails waiting for the staff, at most a few seconds old.

A page that counts them itself shows one number in its menu, tabs and tiles: that of one reading.
"""

from services.chassis.storage.database import Connection
from services.orders.backoffice.conversation.store import Row, count_tabs, count_waiting
from services.orders.backoffice.web.page_context import PageContext
from services.orders.order.shop.cache import TtlCache

waiting_of: TtlCache[int] = TtlCache(count_waiting)
"""`await waiting_of.get(connection, owner, shop)`: threads that wait for an answer, and mails to be filed."""


MENU_PATH = "/conversation"


async def count_shown(context: PageContext, connection: Connection) -> Row:
    """Return the counts of the inbox's tabs, and have the menu of this page show the same."""
    counts = await count_tabs(connection, context.shop, context.actor)
    waiting: int = counts["staff"] + counts["mails"]
    waiting_of.keep(context.app_state.hub.owner, context.shop, waiting)
    if MENU_PATH in context.counts:
        context.counts = {**context.counts, MENU_PATH: waiting}
    return counts


def count_again(context: PageContext) -> None:
    """Invalidate the cached number, which the user has just changed."""
    waiting_of.forget(context.app_state.hub.owner, context.shop)
