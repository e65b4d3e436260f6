"""Labels of runs in either language: their actions, their items' states, errors in lines."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_, gettext, ngettext, pgettext
from services.orders.backoffice.orders.bulk.runs import ItemState, Verb


@dataclass(frozen=True)
class Words:
    """Title, past-tense text (of one order), and whether its button is a destructive one."""

    title: str
    done: str
    demand: Permission
    tone: str = "primary"


VERBS: Mapping[Verb, Words] = {
    Verb.PACK: Words(N_("Pack orders"), N_("Packed"), Permission.PARCELS_PACK),
    Verb.SHIP: Words(N_("Ship orders"), N_("Shipped"), Permission.PARCELS_SHIP),
    Verb.CANCEL: Words(N_("Cancel orders"), N_("Cancelled"), Permission.ORDERS_CANCEL, "danger"),
}


def start_button(verb: Verb, count: int) -> str:
    """Return the label of the button that starts a run of this number of orders or shipments."""
    if verb is Verb.PACK:
        return ngettext("Pack %(count)s order", "Pack %(count)s orders", count)
    if verb is Verb.SHIP:
        return ngettext("Record %(count)s shipment", "Record %(count)s shipments", count)
    return ngettext("Cancel %(count)s order", "Cancel %(count)s orders", count)


def item_state_words(verb: Verb) -> dict[ItemState, tuple[str, str]]:
    """Return text and tone by an item's state."""
    return {
        ItemState.LEFT_OUT: (pgettext("bulk", "Left out"), "neutral"),
        ItemState.WAITING: (pgettext("bulk", "Waiting"), "waiting"),
        ItemState.IN_PROGRESS: (pgettext("bulk", "In progress"), "info"),
        ItemState.DONE: (gettext(VERBS[verb].done), "good"),
        ItemState.REFUSED: (pgettext("bulk", "Refused"), "danger"),
        ItemState.PARKED: (pgettext("bulk", "Needs operations"), "warning"),
        ItemState.STOPPED: (pgettext("bulk", "Not done"), "neutral"),
    }


FAULTS = {
    "too_few_columns": N_("Each line needs an order or parcel and a tracking number, in separate columns."),
    "no_code": N_("“%(value)s” is not an order code."),
    "no_tracking": N_("The tracking number is missing."),
    "no_carrier": N_("No carrier is given; choose one for all lines, or enter it here."),
    "damaged_number": N_(
        "A spreadsheet program shortened this number to %(value)s. Format the column as text and copy"
        " the number from the carrier again."
    ),
    "too_long": N_("The number or the carrier’s name has more than 100 characters."),
    "unknown_order": N_("The shop has no order %(value)s."),
    "unknown_parcel": N_("There is no such parcel, or it was unpacked."),
    "not_chosen": N_("Order %(value)s is not among the selected ones."),
    "nothing_packed": N_("Nothing in order %(value)s is packed."),
    "shipped_already": N_("It was already shipped."),
    "named_twice": N_("Another line already has it."),
}
"""Error texts by code of a fault."""


def fault_text(why: str, value: str) -> str:
    """Return an error in a line as text."""
    return gettext(FAULTS[why], value=value) if why in FAULTS else why
