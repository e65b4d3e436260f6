"""Labels of disputes: states, filters, decisions. Each function returns them in the request's language."""

from services.orders.backoffice.language.translating import gettext, pgettext
from services.orders.backoffice.order.words import DISPUTE_RESOLUTIONS, DISPUTE_STATES


def state_words() -> dict[str, tuple[str, str]]:
    """Return text and badge tone by state of a dispute, as on the order's own page."""
    return {state: (gettext(text), tone) for state, (text, tone) in DISPUTE_STATES.items()}


def decided_words() -> dict[str, str]:
    """Return the labels of decisions made on a lost dispute."""
    return {resolution: gettext(text) for resolution, text in DISPUTE_RESOLUTIONS.items()}


def filter_words() -> dict[str, str]:
    """Return the labels of the list's filters."""
    return {
        "open": pgettext("disputes", "Open"),
        "to_resolve": pgettext("disputes", "To decide"),
        "ended": pgettext("disputes", "Ended"),
        "all": pgettext("disputes", "All"),
    }


def resolution_words() -> dict[str, str]:
    """Return the labels of the possible decisions on a lost dispute."""
    return {
        "written_off": pgettext("dispute", "Write it off: the shop bears the loss"),
        "made_due": pgettext("dispute", "Make it due: the customer owes the amount again"),
    }
