"""Why a command was refused, in the reader's language.

Services give a stable code and an English sentence with ids and values, which is for programs' authors; people of the
shop get the text that stands here for the code. A code without one shows the service's sentence rather than nothing.
"""

from contracts.message import Reason
from services.orders.backoffice.translating import N_, gettext

TEXTS = {
    "already_delivered": N_("This shipment is delivered already."),
    "amount_not_positive": N_("The amount must be more than zero."),
    "amount_too_large": N_("The amount is larger than the books can hold."),
    "automatic_method": N_("Payments by this method come from the provider; they can't be entered by hand."),
    "cost_without_currency": N_("Say in which currency the cost is."),
    "currency_differs": N_("The order is in another currency."),
    "currency_unknown": N_("This currency does not exist."),
    "level_repeated": N_("An article is there twice."),
    "line_unknown": N_("The order has no such line."),
    "unknown_line": N_("The order has no such line."),
    "not_shippable": N_("This line is nothing that can be packed."),
    "on_hand_below_reserved": N_("Less than what is reserved for orders."),
    "order_deleted": N_("This order was deleted."),
    "parcel_already_shipped": N_("This parcel was shipped already."),
    "parcel_id_taken": N_("This parcel was packed already."),
    "quantity_above_left": N_("More than what is left to pack."),
    "quantity_not_positive": N_("The quantity must be at least one."),
    "quantity_too_large": N_("The quantity is too large."),
    "received_in_the_future": N_("The day of receipt is still to come."),
    "received_long_ago": N_("The day of receipt is too long ago."),
    "shipment_id_taken": N_("This shipment was sent already."),
    "stock_missing": N_("There is not enough stock."),
    "unknown_order": N_("This order is not known (yet) where it would be done."),
    "unknown_parcel": N_("There is no such parcel."),
    "unknown_shipment": N_("There is no such shipment."),
}
"""By reason code."""


def explain(reason: Reason) -> str:
    """The reason as a person reads it."""
    text = TEXTS.get(reason.code)
    return gettext(text) if text is not None else reason.message
