"""The auditor's findings in words: the problem and its remedy, by the name of the check.

The auditor's own sentences state the invariant (see its README); the user of a finding needs to see what is
broken.
"""

from services.orders.backoffice.language.translating import N_, gettext

ADVICE = {
    "books": N_(
        "Do not correct it by a second action. Tell your administrator: the details below say what differs."
    ),
    "intake": N_(
        "Look for it among the parked messages and the refused sales; or ask the shop’s developer to send it again."
    ),
    "lists": N_(
        "Open the order by its number: the order itself is right. Pass the finding on to your administrator."
    ),
    "mails": N_("Look at the mails of the order and send the missing one again from there."),
    "parked": N_("Look among the parked messages for its cause, and retry or discard it there."),
    "refund": N_(
        "Compare the refunds in Stripe’s dashboard with those of the order before anybody refunds again."
    ),
    "replay": N_(
        "Have the messages of that time sent again on the page “Replay events”. If it lasts, tell your administrator."
    ),
    "restore": N_("Data was lost. Pass it on to your administrator at once; a backup may have it."),
    "resync": N_(
        "Have the owning service send the current state of the order again, on the page “Replay events”."
    ),
    "stock": N_(
        "Count the article and correct its stock level on the Stock page; tell your administrator if it happens again."
    ),
    "wait": N_("Check first that every service runs. If it lasts, tell your administrator."),
    "webhooks": N_(
        "Compare the payment in Stripe’s dashboard with the order, then pass it on to your administrator."
    ),
}
"""What to do, by the kind of fault."""

WRONG = {
    "edits_are_in_the_books": ("resync", N_("Payments does not know a change of an order")),
    "edits_are_posted_once": ("books", N_("A change of an order is not in the ledger with its amount")),
    "changes_stopped_and_added_the_same_units": (
        "books",
        N_("Orders and fulfillment disagree on the units a change stopped or added"),
    ),
    "deleted_orders_are_closed_everywhere": (
        "resync",
        N_("A deleted order is still open in another service"),
    ),
    "orders_know_every_fulfilment": ("resync", N_("The preparation of an order is shown as it no longer is")),
    "orders_know_every_quantity": ("resync", N_("The quantities shown of an order are not fulfillment’s")),
    "orders_know_every_parcel": ("resync", N_("The parcels shown of an order are not fulfillment’s")),
    "orders_know_every_shipment": ("resync", N_("The shipments shown of an order are not fulfillment’s")),
    "orders_know_every_delivery": ("resync", N_("The deliveries shown of an order are not fulfillment’s")),
    "orders_know_every_mail": ("replay", N_("What became of a mail is shown wrongly")),
    "placed_orders_are_kept": ("restore", N_("An order that was placed has lost rows, or is gone")),
    "causes_of_orders_were_received": (
        "restore",
        N_("An order was placed by a submission that nobody received"),
    ),
    "commands_sent_are_kept": ("restore", N_("A command that was sent is gone")),
    "money_by_hand_has_its_command": (
        "books",
        N_("A payment entered by hand and the action behind it do not match"),
    ),
    "accounts_count_their_facts": ("books", N_("An account has lost or gained an entry")),
    "entries_that_were_told_are_kept": ("books", N_("An entry of the ledger is gone or was altered")),
    "every_submission_is_answered": ("intake", N_("A sale of the shop has no answer, or several")),
    "every_claimed_key_is_an_order": (
        "intake",
        N_("A sale was received and is not an order"),
    ),
    "every_order_is_known_everywhere": (
        "replay",
        N_("A service does not know an order, or knows it under another number"),
    ),
    "every_line_is_known_to_fulfillment": (
        "replay",
        N_("Fulfillment has other items of an order than were sold"),
    ),
    "lines_add_up_to_their_order": ("restore", N_("An order lacks a line")),
    "kinds_say_what_their_orders_say": (
        "lists",
        N_("An order is missing from a list or queue, or stays in one"),
    ),
    "tags_carry_the_kind_of_their_order": ("lists", N_("An order is not found by its tag as it is")),
    "orders_can_be_searched": ("lists", N_("An order is not found by the search")),
    "every_order_has_its_two_mails": ("mails", N_("An order lacks its confirmation mail, or has it twice")),
    "mails_go_to_the_customer_of_the_order": (
        "replay",
        N_("Mails of an order go to another address than the customer’s"),
    ),
    "every_announced_shipment_has_its_mail": (
        "mails",
        N_("A shipment was not announced to its customer, or was without being asked"),
    ),
    "every_mail_has_an_end": ("mails", N_("A mail is not sent")),
    "no_mail_went_twice": ("mails", N_("A mail was sent twice")),
    "every_sent_mail_was_accepted": ("mails", N_("A mail shown as sent did not reach the mail server")),
    "every_accepted_mail_is_ours": ("mails", N_("A mail left that nobody decided to send")),
    "sequences_have_no_holes": ("restore", N_("A service has lost an event of its log")),
    "owners_count_what_they_said": (
        "restore",
        N_("A service has lost the last event of an order, or counts one too many"),
    ),
    "everything_said_was_sent": ("wait", N_("A message does not leave its service")),
    "everything_said_was_heard": ("replay", N_("A service has not received a message")),
    "nothing_is_parked": ("parked", N_("A message is parked")),
    "every_command_has_its_outcome": ("replay", N_("An action has no outcome")),
    "no_effect_is_left": ("wait", N_("A mail or a refund is still to be sent")),
    "accounts_equal_their_ledgers": ("books", N_("The balance of an order is not the sum of its entries")),
    "accounts_owe_what_was_ordered": ("books", N_("The amount due of an order is not its total")),
    "ledgers_have_no_holes": ("books", N_("A ledger lacks an entry")),
    "orders_know_every_position": ("resync", N_("The payment shown of an order is not payments’")),
    "orders_know_every_entry": ("resync", N_("The entries shown of an order are not those of the ledger")),
    "webhooks_add_up": ("wait", N_("A webhook was not read")),
    "no_webhook_failed": ("webhooks", N_("A webhook could not be applied")),
    "applied_webhooks_are_in_the_books_in_full": (
        "webhooks",
        N_("A payment told by Stripe is not in the ledger with its amount"),
    ),
    "refunds_that_webhooks_tell_are_known": ("webhooks", N_("A refund told by Stripe was not recorded")),
    "no_accepted_webhook_is_lost": ("webhooks", N_("A webhook was accepted and lost")),
    "webhook_money_is_in_the_books": ("webhooks", N_("Money in the ledger came by no applied webhook")),
    "no_change_is_open_past_its_time": (
        "parked",
        N_("A change of an order does not end; the order cannot be changed"),
    ),
    "nothing_is_overdue": ("wait", N_("Something begun does not end")),
    "quantities_keep_their_sequence": (
        "books",
        N_("More of a line was packed, shipped or returned than there was"),
    ),
    "parcels_hold_what_lines_say": ("books", N_("Parcels do not hold what was packed")),
    "parcels_are_numbered_without_holes": ("books", N_("A parcel is missing or empty")),
    "refunds_at_the_provider_are_in_the_ledger": ("books", N_("A refund at Stripe and the ledger disagree")),
    "refunds_to_be_sent_have_their_effect": ("refund", N_("A refund that was asked for is not sent")),
    "no_more_goes_back_than_came_in": ("refund", N_("More was refunded or credited than there was")),
    "transfers_out_are_transfers_in": (
        "books",
        N_("A payment moved to another order did not arrive there in full"),
    ),
    "states_follow_from_facts": (
        "books",
        N_("An order is shown in a state that its payments and parcels do not give"),
    ),
    "units_are_sums_of_lines": ("books", N_("The units of an order are not those of its lines")),
    "units_follow_from_lines": (
        "resync",
        N_("An order is shown with other units to pack or to ship than there are"),
    ),
    "lines_are_as_they_were_sold": ("books", N_("A line of an order is not as it was sold")),
    "reserved_stock_is_open_reservations": ("stock", N_("More or less stock is reserved than orders need")),
    "no_stock_is_negative": ("stock", N_("A stock level is below zero")),
    "movements_explain_every_level": ("stock", N_("A stock level is not what its movements give")),
    "reservations_serve_their_lines": ("stock", N_("An order has not reserved the stock that it needs")),
}
"""By the check's name: the kind of advice, and what is wrong."""
OTHER = ("books", "")
"""Of a check that is not known here."""


def title(check: str, law: str) -> str:
    """Return the problem in the user's language; for an unknown check, the violated invariant."""
    return gettext(WRONG[check][1]) if check in WRONG else law


def advice(check: str) -> str:
    """Return the remedy in the user's language."""
    kind, _ = WRONG.get(check, OTHER)
    return gettext(ADVICE[kind])
