"""The columns of the list, and a user's choice of them. The order's code is always shown."""

from collections.abc import Iterable

from services.orders.backoffice.language.translating import gettext, pgettext

PREFERENCE = "orders_columns"
USUAL = ("customer", "placed", "total", "state", "payment", "fulfilment")
"""The columns shown by default: those that fit at a width of 1024 px. The balance is shown with the payment."""


def names() -> dict[str, str]:
    """Return every column's heading, in the table's order."""
    return {
        "customer": gettext("Customer"),
        "placed": gettext("Placed"),
        "total": gettext("Total"),
        "balance": gettext("Balance"),
        "state": gettext("Status"),
        "payment": pgettext("column", "Payment"),
        "fulfilment": gettext("Parcels"),
        "module": gettext("Module"),
        "method": gettext("Payment method"),
        "carrier": gettext("Carrier"),
    }


def chosen(preference: str) -> list[str]:
    """Return the columns of a user's preference, in the table's order; the default ones without any."""
    wanted = set(preference.split(",")) if preference else set(USUAL)
    return [name for name in names() if name in wanted]


def preference_of(ticked: Iterable[str]) -> str:
    """Return the stored form of a choice; `none` when only the code is shown."""
    wanted = set(ticked)
    return ",".join(name for name in names() if name in wanted) or "none"
