"""Rejection reasons of commands, in the user's language.

Services return a stable code and an English sentence with ids and values, which is for developers; the shop's
staff get the text for the code from here. A code without a text shows the service's sentence.
"""

from contracts.message import Reason
from services.orders.backoffice.language.actors import who
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.changes.changing import ChangeRefused
from services.orders.order.refusal import Refusal

TEXTS = {
    "order_not_placed": N_("The order was never placed."),
    "order_is_cancelled": N_("The order is cancelled already."),
    "change_in_progress": N_("Another change of this order is still being carried out."),
    "already_shipped": N_("All of it has left already; take it back as a return instead."),
    "already_delivered": N_("This shipment is delivered already."),
    "command_not_unanswered": N_(
        "This request has its answer, or was made a moment ago. Look at the list again."
    ),
    "amount_not_positive": N_("The amount must be more than zero."),
    "amount_too_large": N_("The amount is larger than the books can hold."),
    "automatic_method": N_("Payments by this method come from the provider; they can't be entered by hand."),
    "archived_already": N_("It is archived already."),
    "comment_unusable": N_("Write something, up to 4,000 characters."),
    "comment_unknown": N_("That comment is not there any more."),
    "cost_without_currency": N_("Say in which currency the cost is."),
    "currency_differs": N_("The order is in another currency."),
    "currency_unknown": N_("This currency does not exist."),
    "label_fixed": N_("A built-in status can’t be renamed or deleted."),
    "label_in_use": N_("Orders have this status; give them another one first."),
    "label_taken": N_("There is a status of that name already."),
    "label_unknown": N_("That status is not there any more; choose another."),
    "level_repeated": N_("An article is there twice."),
    "level_unknown": N_("This article was never counted at this location."),
    "line_unknown": N_("The order has no such line."),
    "unknown_line": N_("The order has no such line."),
    "not_archived": N_("It is not archived."),
    "not_finished": N_("It is not finished: archive it when it is completed, cancelled or abandoned."),
    "not_shippable": N_("This line is nothing that can be packed."),
    "on_hand_above_most": N_("More than the stock can hold."),
    "on_hand_below_reserved": N_("Less than what is reserved for orders."),
    "order_changed_meanwhile": N_(
        "The order has changed meanwhile. Look at it again and repeat what still applies."
    ),
    "order_unknown": N_("There is no such order."),
    "order_deleted": N_("This order was deleted."),
    "parcel_already_shipped": N_("This parcel was shipped already."),
    "parcel_id_taken": N_("This parcel was packed already."),
    "quantity_above_left": N_("More than what is left to pack."),
    "quantity_not_positive": N_("The quantity must be at least one."),
    "quantity_too_large": N_("The quantity is too large."),
    "received_in_the_future": N_("The day of receipt is still to come."),
    "received_long_ago": N_("The day of receipt is too long ago."),
    "shipment_unchanged": N_("Nothing to change: the shipment already has these values."),
    "shipped_in_the_future": N_("The day it left is still to come."),
    "delivered_in_the_future": N_("The day it arrived is still to come."),
    "expected_before_shipped": N_("It is expected before the day it left."),
    "delivered_before_shipped": N_("It can’t have arrived before the day it left."),
    "shipped_after_delivered": N_("It can’t have left after the day it arrived."),
    "shipment_id_taken": N_("This shipment was sent already."),
    "payment_unknown": N_("The provider has told of no such payment that waits for an order."),
    "public_comment_too_long": N_("The public comment is too long."),
    "customer_not_told": N_("The order was never placed, so its customer is not written to."),
    "name_unusable": N_("Choose a name of 1 to 40 characters that can be seen."),
    "status_is_this": N_("The order has this status already."),
    "status_locked": N_("The customer is still at the checkout; the status is locked meanwhile."),
    "status_needs_force": N_(
        "This status does not match how far the order is. Tick “Force the status” and say why, "
        "or ask somebody in charge."
    ),
    "status_needs_proof": N_("Say in the admin comment how you know that it arrived."),
    "status_needs_reason": N_("Say why."),
    "status_not_by_hand": N_("This status comes by another action: cancelling, reinstating, placing."),
    "disputed": N_("Its payment is disputed. Pack it on its own page if it is to leave all the same."),
    "stock_missing": N_("There is not enough stock."),
    "tag_unknown": N_("That tag is not there any more."),
    "too_many_orders": N_("At most 1,000 orders at once."),
    "too_many_tags": N_("An order can’t have so many tags."),
    "article_fixed": N_("What a line sells can’t be changed: take it off and add another."),
    "customer_name_blank": N_("Enter the customer’s name."),
    "description_blank": N_("Say what it is."),
    "discount_above_price": N_("The discount is more than the line costs."),
    "discount_negative": N_("A discount is not below zero."),
    "email_invalid": N_("No mail can be sent to this address."),
    "line_incomplete": N_("A new line needs a description, a quantity and a price."),
    "line_without_time": N_("A booking needs its times."),
    "money_moved": N_("Money was received or given back for it; cancel and refund it instead."),
    "no_lines": N_("An order has at least one line; to call all of it off, cancel it."),
    "nothing_to_change": N_("The order says all of this already."),
    "nothing_to_reinstate": N_("It was cancelled by refunds, which stand; it takes a new order."),
    "order_completed": N_("It is completed; archive it instead."),
    "order_not_cancelled": N_("Only a cancelled order can be reinstated."),
    "price_negative": N_("A price is not below zero."),
    "shipping_address_missing": N_("There are goods to ship: say where they go."),
    "shipping_negative": N_("The delivery does not cost less than nothing."),
    "total_negative": N_("The order would cost less than nothing."),
    "tracking_number_exists": N_("A shipment has a tracking number; archive it instead."),
    "already_confirmed": N_("This refund is confirmed already."),
    "credit_exceeds_due": N_(
        "More than what the order still costs. If the customer paid too much, say so below."
    ),
    "mode_not_possible": N_("A refund is either recorded here or sent."),
    "payment_disputed": N_("This payment is disputed; wait for the dispute’s end."),
    "payment_moved": N_("This payment was given to another order; take it back there."),
    "provider_cannot_refund": N_("No payment that the provider can pay back covers this amount."),
    "refund_being_asked": N_("The provider is just being asked about this refund; look again in a moment."),
    "refund_reference_missing": N_("Enter the refund’s reference, as the provider shows it."),
    "refund_reference_used": N_("This reference is known as something else; enter that of this refund."),
    "reference_not_needed": N_("Only a refund that was made has a reference: leave it out."),
    "refund_not_uncertain": N_("What became of this refund is known by now; look at the order again."),
    "refund_exceeds_payment": N_("More than what is left of this payment."),
    "refund_exceeds_received": N_("More than what was received and has not gone back."),
    "refund_id_used": N_(
        "Another refund has this number already. Begin this one again from the order’s page."
    ),
    "refund_keeps_money": N_(
        "These are the last articles of the order, so this refund cancels it: then all that is still due goes back. "
        "Refund that, choose an amount without articles, or cancel the order and refund what it owes afterwards."
    ),
    "refund_unknown": N_("There is no such recorded refund."),
    "totals_do_not_add_up": N_("The amounts of the sale do not add up to its total."),
    "line_total_wrong": N_("The total of a line is not its quantity times its price, less its discount."),
    "tax_inconsistent": N_("The VAT does not fit the amounts and rates of the sale."),
    "payment_method_missing": N_("No payment method was chosen."),
    "free_above_zero": N_("The sale is said to be free and costs something."),
    "zero_total_needs_free": N_("The sale costs nothing and names a payment method that pays."),
    "submitted_in_future": N_("It is dated in the future: the storefront’s clock is wrong."),
    "schema_invalid": N_("A field is missing or is not in the form that is needed."),
    "envelope_unreadable": N_("The headers of the message are not in the form that is needed."),
    "too_large": N_("The message is larger than a message may be."),
    "id_not_uuid7": N_("The number of the message is not in the form that is needed."),
    "wrong_sender": N_("It names another sender than the one that sent it."),
    "unroutable": N_("It was sent under another type than its own."),
    "idempotency_conflict": N_("Its key was used for another sale."),
    "line_times_reversed": N_("A booking ends before it starts."),
    "more_reasons": N_("More faults were found."),
    "nothing_to_pack": N_("Nothing is left to pack."),
    "waits_for_payment": N_("It waits for its payment. Pack it on its own page if it is to leave unpaid."),
    "no_line": N_("No line names it."),
    "no_carrier": N_("No carrier is named; choose one for all lines, or name it here."),
    "nothing_packed": N_("Nothing of it is packed."),
    "shipped_already": N_("It has left already."),
    "item_broken": N_("The server failed at this order; nothing was done."),
    "unknown_order": N_("This order is not known (yet) where it would be done."),
    "unknown_parcel": N_("There is no such parcel."),
    "shipment_cancelled": N_("This shipment is cancelled; ship its parcels again."),
    "parcels_lost": N_("Its parcels are reported lost."),
    "parcel_not_shipped": N_("This parcel has not left; take it apart and correct the stock instead."),
    "units_restocked": N_("Units of this shipment are back on the shelf after a refund, so it stands."),
    "unknown_shipment": N_("There is no such shipment."),
    "taxes_do_not_add_up": N_("The single taxes of a line do not add up to the tax that is said for it."),
    "tax_above_amount": N_("A tax is more than the amount it is on, or has the other sign."),
    "unit_price_differs": N_("The exact price of a piece and its rounded price are not the same price."),
    "cancellation_without_order": N_(
        "All its quantities are below zero: it takes a sale back. Cancel or refund the order that it is about."
    ),
    "date_out_of_range": N_("A date is outside of the years that can be kept."),
    "checkout_placed": N_("Its checkout became an order already."),
    "submission_id_taken": N_("The number of the message was used before, for another message."),
    "sale_too_large": N_("The sale is larger than a message may be."),
    "not_your_shop": N_("It names another shop or module than the one that sent it."),
    "not_your_checkout": N_("Its checkout is another module’s."),
    "opened_in_future": N_("It is dated in the future: the storefront’s clock is wrong."),
    "login_unknown": N_("The login that sent it belongs to no module."),
    "unknown_shop": N_("This shop is not set up where it would be done."),
    "line_repeated": N_("A line is there twice."),
    "another_article": N_("This line has another article already; add a line of its own."),
    "parcel_unpacked": N_("This parcel was taken apart."),
    "mail_unknown": N_("There is no such mail."),
    "nothing_left_to_move": N_("Nothing is left of this payment to give to another order."),
    "carrier_unknown": N_("That carrier is not there any more."),
    "setting_unusable": N_("A value can’t be used; correct it and save again."),
    "reason_unusable": N_("Say why."),
    "refused": N_("This can’t be done."),
    "tags_unchanged": N_("The order has just these tags already."),
    "json_invalid": N_("It is not in a form that can be read."),
}
"""By reason code."""
BY_PEOPLE = {
    "command_discarded": (" set the command aside: ", N_("%(name)s set it aside: %(reason)s")),
    "command_ended": (
        " ended the command, which got no answer: ",
        N_("%(name)s ended it, since no answer came: %(reason)s"),
    ),
}
"""Codes whose sentence holds somebody's name and own words: what stands between them, and the text for both."""


def explain(reason: Reason) -> str:
    """Return the reason as a text for users."""
    if reason.code in BY_PEOPLE:
        between, said = BY_PEOPLE[reason.code]
        name, _, own = reason.message.partition(between)
        return gettext(said, name=who(name), reason=own)
    text = TEXTS.get(reason.code)
    return gettext(text) if text is not None else reason.message


def explain_refusal(refusal: Refusal) -> str:
    """Return the reason of a rejection by orders itself as a text for users."""
    if isinstance(refusal, ChangeRefused):
        return " ".join(explain(reason) for reason in refusal.reasons)
    text = TEXTS.get(refusal.code)
    return gettext(text) if text is not None else str(refusal)
