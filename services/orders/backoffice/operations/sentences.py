"""What each of the auditor's checks holds to be true, in words that are translated; one it has not is shown as told."""

from services.orders.backoffice.translating import N_, gettext

SENTENCES = {
    "edits_are_in_the_books": N_(
        "Payments heard of every change that took effect, with the sum by which it changes what is due"
    ),
    "edits_are_posted_once": N_(
        "The ledger has one entry per edit that changes what is due, with what was posted of it"
    ),
    "changes_stopped_and_added_the_same_units": N_(
        "What orders believes was stopped, had left or had no stock is what fulfillment answered"
    ),
    "deleted_orders_are_closed_everywhere": N_(
        "Payments and fulfillment have closed exactly the orders that were deleted, and nothing is left to do for them"
    ),
    "orders_know_every_fulfilment": N_(
        "Orders' copy of each order's quantities is fulfillment's latest; where it said nothing, nothing is"
    ),
    "orders_know_every_quantity": N_("Orders' copy of each line's quantities is fulfillment's"),
    "orders_know_every_parcel": N_("Orders' copy of the parcels is fulfillment's"),
    "orders_know_every_shipment": N_("Orders' copy of the shipments is fulfillment's"),
    "orders_know_every_delivery": N_("Orders' copy of the deliveries is fulfillment's"),
    "orders_know_every_mail": N_("Orders' copy of what became of mails is notifier's"),
    "every_submission_is_answered": N_(
        "Each sale from a storefront was accepted or refused exactly once, or is parked where people see it"
    ),
    "every_claimed_key_is_an_order": N_("Each idempotency key belongs to the sale that was placed with it"),
    "every_order_is_known_everywhere": N_(
        "Orders, payments, fulfillment and notifier know the same orders under the same codes"
    ),
    "every_line_is_known_to_fulfillment": N_("Fulfillment's lines are those that were ordered"),
    "lines_add_up_to_their_order": N_("Each order has lines, numbered from 1 without holes"),
    "every_order_has_its_two_mails": N_(
        "Each placed order has exactly one mail to the merchant and one recap to the customer"
    ),
    "every_announced_shipment_has_its_mail": N_(
        "Each shipment the customer was to be told of has exactly one mail, and no other has any"
    ),
    "every_mail_has_an_end": N_(
        "Each mail was decided to be sent by one effect, and none is still on its way"
    ),
    "no_mail_went_twice": N_(
        "The mail server accepted no Message-ID twice, but for mails that a person had sent again"
    ),
    "every_sent_mail_was_accepted": N_(
        "What counts as sent, the mail server accepted, but for mails that a person took as arrived"
    ),
    "every_accepted_mail_is_ours": N_(
        "The mail server accepted only mails that were decided on, and each that went is known to have gone"
    ),
    "sequences_have_no_holes": N_(
        "What a service says about one subject is numbered from 1 without holes or repeats, as far as the log goes back"
    ),
    "owners_count_what_they_said": N_("The sequence an owner keeps with an order is the last one it used"),
    "everything_said_was_sent": N_("No outbox holds anything"),
    "everything_said_was_heard": N_("Each event is in the inbox of every service that listens to it"),
    "nothing_is_parked": N_("No message waits or is dead, except those that must be"),
    "every_command_has_its_outcome": N_("Each command that orders sent is done or rejected by its owner"),
    "no_effect_is_left": N_("No external effect is planned or in flight"),
    "accounts_equal_their_ledgers": N_(
        "Every sum of an account is the sum of its ledger entries, and the balance follows from the sums"
    ),
    "accounts_owe_what_was_ordered": N_(
        "The order total in the ledger is the order's own before its edits, once, in the order's currency"
    ),
    "ledgers_have_no_holes": N_("Each ledger is numbered from 1 without holes"),
    "orders_know_every_position": N_("Orders' copy of each account's position is payments' latest"),
    "orders_know_every_entry": N_(
        "Orders' copy of the ledger is payments' ledger, entry by entry, with its running balance"
    ),
    "webhooks_add_up": N_("Received webhooks are the sum of their ends, and none is left unread"),
    "no_webhook_failed": N_("No webhook is parked because applying it raised an error that nobody foresaw"),
    "applied_webhooks_are_in_the_books_in_full": N_(
        "What Stripe says it received for a payment is what the ledger holds of it, to the minor unit"
    ),
    "no_accepted_webhook_is_lost": N_(
        "Every post that a provider heard 2xx for is kept, as often as it was posted"
    ),
    "webhook_money_is_in_the_books": N_(
        "An entry that came by webhook names a kept one, and each payment object's order is the entry's"
    ),
    "quantities_keep_their_sequence": N_(
        "On every line packed ≤ needed, shipped ≤ packed, delivered ≤ shipped, returned ≤ shipped"
    ),
    "parcels_hold_what_lines_say": N_(
        "Packed, shipped and delivered units of a line are those in its parcels and shipments"
    ),
    "parcels_are_numbered_without_holes": N_(
        "An order's parcels are numbered from 1 without holes, and none is empty"
    ),
    "states_follow_from_facts": N_(
        "State, payment status and fulfilment status of each order are what its facts give"
    ),
    "units_are_sums_of_lines": N_("The units on an order are those of its lines"),
    "kinds_say_what_their_orders_say": N_(
        "The kind by which lists, queues and counts find an order agrees with the order in every part"
    ),
    "tags_carry_the_kind_of_their_order": N_(
        "What lists know of an order's tags has the order's own kind, moment and total"
    ),
    "reserved_stock_is_open_reservations": N_(
        "What a level has reserved is exactly what open reservations hold of it"
    ),
    "no_stock_is_negative": N_(
        "On hand and reserved are never below zero, and never is more reserved than there is"
    ),
    "movements_explain_every_level": N_("A level's on hand and reserved are the sums of its movements"),
    "reservations_serve_their_lines": N_(
        "An order with stock has reserved what its goods need, one without holds nothing; what left, left"
    ),
}
"""By the check's name."""


def sentence(check: str, told: str) -> str:
    """What the check says, in the reader's language."""
    return gettext(SENTENCES[check]) if check in SENTENCES else told
