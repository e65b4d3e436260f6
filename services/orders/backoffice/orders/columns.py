"""The columns of the list: which there are, and which a person chose to see. The order's code is always there."""

from collections.abc import Iterable

from services.orders.backoffice.language.translating import gettext, pgettext

PREFERENCE = "orders_columns"
USUAL = ("customer", "placed", "total", "state", "payment", "fulfilment")
"""Those that fit beside each other from 1024 px on. What is owed or owing stands with the payment."""


def names() -> dict[str, str]:
    """Every column's head, in the sequence of the table."""
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
    """The columns of a person's preference, in the table's sequence; the usual ones without any."""
    wanted = set(preference.split(",")) if preference else set(USUAL)
    return [name for name in names() if name in wanted]


def preference_of(ticked: Iterable[str]) -> str:
    """What is kept of a choice; `none` when nothing but the code is wanted."""
    wanted = set(ticked)
    return ",".join(name for name in names() if name in wanted) or "none"
