"""Texts for the auditor's findings: the problem and its remedy, by the name of the check.

The auditor's own sentences state the invariant (see its README); the user of a finding needs to see what is
broken.
"""

from services.orders.backoffice.language.translating import N_, gettext

ADVICE = {
    "books": N_(
        "Do not correct it with a second action. Contact your administrator: the details below show "
        "what differs."
    ),
    "intake": N_(
        "Look for it among the parked messages and the refused sales; or ask the shop’s developer to send it again."
    ),
    "lists": N_(
        "Open the order by its number: the order itself is correct. Report the finding to your administrator."
    ),
    "mails": N_("Check the mails of the order and send the missing one again from there."),
    "parked": N_("Look for its cause among the parked messages, and retry it or set it aside there."),
    "refund": N_(
        "Compare the refunds in Stripe’s dashboard with those of the order before anybody refunds again."
    ),
    "replay": N_(
        "Send the messages of that period again on the page “Replay events”. If the problem persists,"
        " contact your administrator."
    ),
    "restore": N_("Data was lost. Report it to your administrator at once; a backup may have it."),
    "resync": N_("Resync the order from the owning service on the page “Replay events”."),
    "stock": N_(
        "Count the article and correct its stock level on the Stock page; contact your administrator "
        "if it happens again."
    ),
    "wait": N_(
        "First check that every service is running. If the problem persists, contact your administrator."
    ),
    "webhooks": N_(
        "Compare the payment in Stripe’s dashboard with the order, then report it to your administrator."
    ),
}
"""Remedy by kind of problem."""

WRONG = {
    "ledgers_are_chained": ("restore", N_("A ledger entry was changed after it was recorded")),
    "disputed_money_is_in_the_ledger": (
        "books",
        N_("Disputed money is not in the ledger as the provider moved it"),
    ),
    "orders_know_every_dispute": ("resync", N_("The dispute shown is out of date")),
    "closings_are_chained": ("restore", N_("A day’s closing was changed or is missing")),
    "closings_hold_what_was_recorded": (
        "restore",
        N_("The entries of a closed day are not those that were closed"),
    ),
    "invoices_have_no_gaps": ("restore", N_("A number is missing from the invoices or credit notes")),
    "invoices_are_as_they_were_issued": ("restore", N_("An invoice was changed after it was issued")),
    "invoices_equal_their_orders": ("books", N_("An order’s invoices do not add up to what it costs")),
    "orders_know_every_invoice": ("resync", N_("The order does not show an invoice that was issued")),
    "edits_are_known_to_payments": ("resync", N_("Payments has not recorded a change to an order")),
    "edits_are_posted_once": ("books", N_("A change to an order is not in the ledger with its amount")),
    "changes_stopped_and_added_the_same_units": (
        "books",
        N_("Orders and fulfillment disagree on the units a change stopped or added"),
    ),
    "deleted_orders_are_closed_everywhere": (
        "resync",
        N_("A deleted order is still open in another service"),
    ),
    "erased_customers_are_erased_everywhere": (
        "replay",
        N_("An erased customer is still stored in another service"),
    ),
    "erased_customers_are_nowhere": ("replay", N_("Data of an erased customer has come back")),
    "orders_know_every_fulfilment": ("resync", N_("The preparation shown for an order is out of date")),
    "orders_know_every_quantity": (
        "resync",
        N_("The quantities shown for an order differ from fulfillment’s"),
    ),
    "orders_know_every_parcel": ("resync", N_("The parcels shown for an order differ from fulfillment’s")),
    "orders_know_every_shipment": (
        "resync",
        N_("The shipments shown for an order differ from fulfillment’s"),
    ),
    "orders_know_every_delivery": (
        "resync",
        N_("The deliveries shown for an order differ from fulfillment’s"),
    ),
    "orders_know_every_mail": ("replay", N_("The outcome shown for a mail is wrong")),
    "placed_orders_are_kept": ("restore", N_("A placed order has lost rows, or is missing")),
    "causes_of_orders_were_received": (
        "restore",
        N_("An order was placed by a submission that was never received"),
    ),
    "commands_sent_are_kept": ("restore", N_("A command that was sent is missing")),
    "money_by_hand_has_its_command": (
        "books",
        N_("A payment entered by hand and the action behind it do not match"),
    ),
    "accounts_count_their_facts": ("books", N_("An account has lost or gained an entry")),
    "published_entries_are_kept": ("books", N_("A ledger entry is missing or was altered")),
    "every_submission_is_answered": ("intake", N_("A sale of the shop has no answer, or several")),
    "every_claimed_key_is_an_order": (
        "intake",
        N_("A received sale did not become an order"),
    ),
    "every_order_is_known_everywhere": (
        "replay",
        N_("A service lacks an order, or has it under another number"),
    ),
    "every_line_is_known_to_fulfillment": (
        "replay",
        N_("Fulfillment has different items for an order than were sold"),
    ),
    "lines_add_up_to_their_order": ("restore", N_("An order lacks a line")),
    "facets_equal_their_orders": (
        "lists",
        N_("An order is missing from a list or queue, or is wrongly kept in one"),
    ),
    "tags_equal_their_orders": ("lists", N_("An order is not found correctly by its tag")),
    "orders_can_be_searched": ("lists", N_("An order is not found by the search")),
    "every_order_has_its_two_mails": ("mails", N_("An order lacks its confirmation mail, or has it twice")),
    "mails_go_to_the_customer_of_the_order": (
        "replay",
        N_("Mails of an order go to another address than the customer’s"),
    ),
    "every_announced_shipment_has_its_mail": (
        "mails",
        N_("The customer was not notified of a shipment, or was notified without a request"),
    ),
    "every_mail_has_an_end": ("mails", N_("A mail is not sent")),
    "every_bounced_mail_has_its_bounce": ("mails", N_("A mail is shown as bounced without a reason")),
    "suppressed_addresses_get_no_mail": ("wait", N_("A mail was sent to a suppressed address")),
    "no_mail_went_twice": ("mails", N_("A mail was sent twice")),
    "every_sent_mail_was_accepted": ("mails", N_("A mail shown as sent did not reach the mail server")),
    "every_accepted_mail_was_planned": ("mails", N_("A mail was sent that nobody decided to send")),
    "every_received_mail_ended": ("mails", N_("A received mail is not read")),
    "every_posted_mail_is_one_message": ("mails", N_("A received mail and its message do not match")),
    "orders_know_every_received_mail": (
        "replay",
        N_("The back office has no outcome for a received mail"),
    ),
    "orders_know_every_thread": ("replay", N_("The back office shows an outdated conversation")),
    "sequences_have_no_gaps": ("restore", N_("A service has lost an event from its log")),
    "owners_store_their_last_sequence": (
        "restore",
        N_("A service has lost the last event of an order, or counts one too many"),
    ),
    "outboxes_are_empty": ("wait", N_("A message is not sent by its service")),
    "events_reach_every_listener": ("replay", N_("A service has not received a message")),
    "nothing_is_parked": ("parked", N_("A message is parked")),
    "every_command_has_its_outcome": ("replay", N_("An action has no outcome")),
    "no_effect_is_left": ("wait", N_("A mail or a refund is still to be sent")),
    "accounts_equal_their_ledgers": ("books", N_("The balance of an order is not the sum of its entries")),
    "accounts_owe_what_was_ordered": ("books", N_("The amount due of an order is not its total")),
    "ledgers_have_no_gaps": ("books", N_("A ledger lacks an entry")),
    "orders_know_every_position": ("resync", N_("The payment shown for an order differs from payments’")),
    "orders_know_every_entry": ("resync", N_("The entries shown for an order differ from the ledger")),
    "webhooks_add_up": ("wait", N_("A webhook was not read")),
    "no_webhook_failed": ("webhooks", N_("A webhook could not be applied")),
    "received_amounts_are_the_providers": (
        "webhooks",
        N_("A payment reported by Stripe is not in the ledger with its amount"),
    ),
    "refunds_in_webhooks_are_recorded": ("webhooks", N_("A refund reported by Stripe was not recorded")),
    "no_accepted_webhook_is_lost": ("webhooks", N_("A webhook was accepted and lost")),
    "webhook_entries_name_their_webhook": ("webhooks", N_("Money in the ledger has no applied webhook")),
    "no_change_is_overdue": (
        "parked",
        N_("A change to an order does not finish; the order cannot be changed"),
    ),
    "nothing_is_overdue": ("wait", N_("An operation does not finish")),
    "quantities_are_in_order": (
        "books",
        N_("More of a line was packed, shipped or returned than there was"),
    ),
    "parcels_add_up_to_their_lines": ("books", N_("Parcels do not hold what was packed")),
    "parcels_are_numbered_without_gaps": ("books", N_("A parcel is missing or empty")),
    "refunds_at_the_provider_are_in_the_ledger": ("books", N_("A refund at Stripe and the ledger disagree")),
    "refunds_to_be_sent_have_their_effect": ("refund", N_("A requested refund is not sent")),
    "no_more_goes_back_than_came_in": ("refund", N_("More was refunded or credited than there was")),
    "transfers_out_are_transfers_in": (
        "books",
        N_("A payment moved to another order did not arrive there in full"),
    ),
    "states_follow_from_facts": (
        "books",
        N_("The state shown for an order does not follow from its payments and parcels"),
    ),
    "units_are_sums_of_lines": ("books", N_("The units of an order differ from those of its lines")),
    "units_follow_from_lines": (
        "resync",
        N_("An order is shown with the wrong units to pack or ship"),
    ),
    "lines_are_as_they_were_sold": ("books", N_("A line of an order differs from the sale")),
    "reserved_stock_is_open_reservations": ("stock", N_("More or less stock is reserved than orders need")),
    "no_stock_is_negative": ("stock", N_("A stock level is negative")),
    "movements_explain_every_level": ("stock", N_("A stock level is not the sum of its movements")),
    "reservations_serve_their_lines": ("stock", N_("An order has not reserved the stock it needs")),
}
"""Kind of remedy and problem, by the check's name."""
OTHER = ("books", "")
"""Kind of remedy for a check without an entry here."""


def title(check: str, sentence: str) -> str:
    """Return the problem in the user's language; for an unknown check, the violated invariant."""
    return gettext(WRONG[check][1]) if check in WRONG else sentence


def advice(check: str) -> str:
    """Return the remedy in the user's language."""
    kind, _ = WRONG.get(check, OTHER)
    return gettext(ADVICE[kind])
