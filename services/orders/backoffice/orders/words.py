"""Names of the queues of the orders list."""

from services.orders.backoffice.language.translating import pgettext
from services.orders.listing.words import Tab


def queue_names() -> dict[Tab, str]:
    """Return every queue that a list can be filtered by: those of the tabs, and all orders including archived
    ones.
    """
    return tab_names() | {Tab.EVERYTHING: pgettext("tab", "All, including archived")}


def tab_names() -> dict[Tab, str]:
    """Return the queues, in the order of the tabs."""
    return {
        Tab.TO_PROCESS: pgettext("tab", "To process"),
        Tab.TO_COLLECT: pgettext("tab", "To collect"),
        Tab.TO_REFUND: pgettext("tab", "To refund"),
        Tab.TO_PACK: pgettext("tab", "To pack"),
        Tab.TO_SHIP: pgettext("tab", "To ship"),
        Tab.PROBLEMS: pgettext("tab", "Problems"),
        Tab.ALL: pgettext("tab", "All"),
        Tab.ARCHIVED: pgettext("tab", "Archived"),
    }
