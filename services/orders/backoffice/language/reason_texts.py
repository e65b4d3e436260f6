"""Texts for the reason codes of rejected commands and refused actions."""

from services.orders.backoffice.language.translating import N_

TEXTS = {
    "mail_required": N_("This mail can’t be switched off."),
    "order_not_placed": N_("The order was never placed."),
    "order_is_cancelled": N_("The order is already cancelled."),
    "change_in_progress": N_("Another change to this order is still in progress."),
    "already_shipped": N_("Everything was already shipped; process it as a return instead."),
    "already_delivered": N_("This shipment was already delivered."),
    "command_not_unanswered": N_(
        "This request was answered, or was made only a moment ago. Check the list again."
    ),
    "amount_not_positive": N_("The amount must be more than zero."),
    "amount_too_large": N_("The amount is too large for the ledger."),
    "automatic_method": N_("Payments by this method come from the provider; they can’t be entered manually."),
    "archived_already": N_("It is already archived."),
    "thread_empty": N_("There is no message in this conversation yet."),
    "address_of_order": N_(
        "This is the address of the order itself: it counts as the customer’s as long as the order "
        "has it. To change it, edit the order."
    ),
    "address_unknown": N_("No message in this conversation came from this address."),
    "inbound_unknown": N_("This mail no longer exists."),
    "inbound_not_fileable": N_("This mail is already filed; it can’t be filed again."),
    "inbound_filed": N_("Somebody has already filed this mail or set it aside."),
    "no_request_open": N_("The cancellation request for this order is no longer open."),
    "reason_missing": N_("Give a reason."),
    "comment_unusable": N_("Enter a comment of up to 4,000 characters."),
    "comment_unknown": N_("That comment no longer exists."),
    "cost_without_currency": N_("Enter the currency of the cost."),
    "currency_differs": N_("The order is in another currency."),
    "currency_unknown": N_("This currency does not exist."),
    "label_fixed": N_("A built-in status can’t be renamed or deleted."),
    "label_in_use": N_("Some orders have this status; give them another one first."),
    "label_taken": N_("There is already a status with this name."),
    "label_unknown": N_("That status no longer exists; choose another."),
    "level_repeated": N_("An article occurs twice."),
    "level_unknown": N_("This article was never counted at this location."),
    "line_unknown": N_("The order has no such line."),
    "unknown_line": N_("The order has no such line."),
    "not_archived": N_("It is not archived."),
    "not_finished": N_("It is not finished: archive it when it is completed, cancelled or abandoned."),
    "not_shippable": N_("This line has nothing to pack."),
    "on_hand_above_most": N_("More than the maximum stock quantity."),
    "on_hand_below_reserved": N_("Less than what is reserved for orders."),
    "order_changed_meanwhile": N_(
        "The order has changed in the meantime. Review it and repeat what still applies."
    ),
    "order_unknown": N_("There is no such order."),
    "order_deleted": N_("This order was deleted."),
    "parcel_already_shipped": N_("This parcel was already shipped."),
    "parcel_id_taken": N_("This parcel was already packed."),
    "quantity_above_left": N_("More than what is left to pack."),
    "quantity_not_positive": N_("The quantity must be at least one."),
    "quantity_too_large": N_("The quantity is too large."),
    "received_in_the_future": N_("The receipt date is in the future."),
    "received_long_ago": N_("The receipt date is too long ago."),
    "shipment_unchanged": N_("Nothing to change: the shipment already has these values."),
    "shipped_in_the_future": N_("The shipping date is in the future."),
    "delivered_in_the_future": N_("The delivery date is in the future."),
    "expected_before_shipped": N_("The expected date is before the shipping date."),
    "delivered_before_shipped": N_("The delivery date is before the shipping date."),
    "shipped_after_delivered": N_("The shipping date is after the delivery date."),
    "shipment_id_taken": N_("This shipment was already sent."),
    "payment_unknown": N_(
        "The provider has not reported a payment with this reference that is waiting for an order."
    ),
    "public_comment_too_long": N_(
        "The comment for the customer can have at most 2,000 characters. Shorten it."
    ),
    "customer_not_told": N_("The order was never placed, so no mail is sent to its customer."),
    "name_unusable": N_("Choose a name of 1 to 40 visible characters."),
    "status_is_this": N_("The order already has this status."),
    "status_locked": N_("The customer is still at the checkout; the status is locked for now."),
    "status_needs_force": N_(
        "This status does not match the progress of the order. Tick “Force the status” and give a "
        "reason, or ask a manager."
    ),
    "status_needs_proof": N_("Enter in the comment for the team how you know that it arrived."),
    "status_needs_reason": N_("Give a reason."),
    "status_not_by_hand": N_(
        "This status is set by another action: cancelling, reinstating or placing the order."
    ),
    "disputed": N_("Its payment is disputed. To ship it anyway, pack it on its own page."),
    "stock_missing": N_("There is not enough stock."),
    "tag_unknown": N_("That tag no longer exists."),
    "too_many_orders": N_("Choose at most 1,000 orders at once."),
    "too_many_tags": N_("An order can’t have that many tags."),
    "article_fixed": N_("The item of a line can’t be changed: remove the line and add another."),
    "customer_name_blank": N_("Enter the customer’s name."),
    "description_blank": N_("Enter a description."),
    "discount_above_price": N_("The discount exceeds the price of the line."),
    "discount_negative": N_("A discount can’t be negative."),
    "email_invalid": N_("No mail can be sent to this address."),
    "line_incomplete": N_("A new line needs a description, a quantity and a price."),
    "line_without_time": N_("A booking needs its start and end times."),
    "money_moved": N_("Money was received or refunded for it; cancel and refund it instead."),
    "no_lines": N_("An order needs at least one line; to remove everything, cancel the order."),
    "nothing_to_change": N_("The order already has these values."),
    "nothing_to_reinstate": N_("It was cancelled by refunds, which can’t be undone; a new order is needed."),
    "order_completed": N_("It is completed; archive it instead."),
    "order_not_cancelled": N_("Only a cancelled order can be reinstated."),
    "price_negative": N_("A price can’t be negative."),
    "shipping_address_missing": N_("There are goods to ship: enter the delivery address."),
    "shipping_negative": N_("The delivery price can’t be negative."),
    "total_negative": N_("The total of the order would be negative."),
    "tracking_number_exists": N_("A shipment has a tracking number; archive it instead."),
    "invoice_issued": N_("It has an invoice; cancel the order instead, which makes a credit note."),
    "settings_unreadable": N_("The invoicing settings can’t be read by this version. Nothing was changed."),
    "invoicing_off": N_("Invoices are not enabled. Enable them in the settings, under “Legal details”."),
    "mentions_missing": N_("Legal details are missing. Fill them in under “Legal details” in the settings."),
    "mentions_invalid": N_(
        "Legal details are incorrect. Correct them under “Legal details” in the settings; the page "
        "shows which."
    ),
    "sale_unknown": N_("The order was placed before invoices were issued here."),
    "invoice_being_issued": N_("The invoice is already being issued."),
    "nothing_to_invoice": N_("The order total is now zero; there is nothing to invoice."),
    "version_differs": N_("Somebody else changed these settings in the meantime. Open the page again."),
    "time_zone_unknown": N_("This time zone does not exist. Enter one such as Europe/Paris."),
    "first_day_too_far": N_(
        "This date is more than a year ahead, and no order would be invoiced until then. Choose an "
        "earlier one, or none."
    ),
    "prefix_used": N_(
        "Documents of the other kind already have numbers with this prefix. Choose another prefix."
    ),
    "invoice_failed": N_("The invoice could not be issued. The invoice settings show why."),
    "prefixes_equal": N_("Invoices and credit notes need different prefixes."),
    "logo_unreadable": N_("This is neither a PNG nor a JPEG image."),
    "already_confirmed": N_("This refund is already confirmed."),
    "credit_exceeds_due": N_("More than the order still costs. If the customer overpaid, choose that below."),
    "mode_not_possible": N_("A refund is either recorded here or sent."),
    "payment_disputed": N_("This payment is disputed; wait until the dispute ends."),
    "dispute_unknown": N_("This order has no such dispute; check the order again."),
    "dispute_not_lost": N_("Only a lost dispute leaves something to decide; this one is not lost."),
    "dispute_resolved": N_("This dispute was already decided; record a payment or a credit instead."),
    "payment_moved": N_("This payment was assigned to another order; reverse it there."),
    "provider_cannot_refund": N_("No payment that the provider can refund covers this amount."),
    "refund_being_asked": N_("This refund is being looked up at the provider; check again in a moment."),
    "refund_reference_missing": N_("Enter the refund’s reference, as the provider shows it."),
    "refund_reference_used": N_(
        "This reference belongs to something else; enter the reference of this refund."
    ),
    "reference_not_needed": N_("Only a refund that was made has a reference: leave it out."),
    "refund_not_uncertain": N_("The outcome of this refund is now known; check the order again."),
    "refund_exceeds_payment": N_("More than what remains of this payment."),
    "refund_exceeds_received": N_("More than was received and not yet refunded."),
    "refund_id_used": N_("Another refund already has this number. Start this one again from the order page."),
    "refund_keeps_money": N_(
        "These are the last items of the order, so this refund cancels it, and everything still owed "
        "must be refunded. Refund that amount, choose an amount without items, or cancel the order "
        "and refund what it owes afterwards."
    ),
    "refund_unknown": N_("There is no such recorded refund."),
    "totals_do_not_add_up": N_("The amounts of the sale do not add up to its total."),
    "line_total_wrong": N_("The total of a line is not its quantity times its price, less its discount."),
    "tax_inconsistent": N_("The VAT does not match the amounts and rates of the sale."),
    "payment_method_missing": N_("No payment method was chosen."),
    "free_above_zero": N_("The sale is marked as free but costs something."),
    "zero_total_needs_free": N_("The sale costs nothing but names a payment method that collects money."),
    "submitted_in_future": N_("It is dated in the future: the storefront’s clock is wrong."),
    "schema_invalid": N_("A field is missing or has an invalid format."),
    "envelope_unreadable": N_("The headers of the message have an invalid format."),
    "too_large": N_("The message exceeds the maximum size."),
    "id_not_uuid7": N_("The id of the message has an invalid format."),
    "wrong_sender": N_("It names a sender other than the one that sent it."),
    "unroutable": N_("It was sent under a type other than its own."),
    "idempotency_conflict": N_("Its key was used for another sale."),
    "line_times_reversed": N_("A booking ends before it starts."),
    "more_reasons": N_("More errors were found."),
    "nothing_to_pack": N_("Nothing is left to pack."),
    "waits_for_payment": N_("It is awaiting payment. To ship it unpaid, pack it on its own page."),
    "no_line": N_("No line refers to it."),
    "no_carrier": N_("No carrier is given; choose one for all lines, or enter it here."),
    "nothing_packed": N_("Nothing in it is packed."),
    "shipped_already": N_("It was already shipped."),
    "item_broken": N_("An internal error occurred for this order; nothing was done."),
    "unknown_order": N_("The responsible service does not have the order (yet)."),
    "unknown_parcel": N_("There is no such parcel."),
    "shipment_cancelled": N_("This shipment is cancelled; ship its parcels again."),
    "parcels_lost": N_("Its parcels are reported lost."),
    "parcel_not_shipped": N_("This parcel was not shipped; unpack it and correct the stock instead."),
    "units_restocked": N_("Units of this shipment were restocked after a refund, so it can’t be cancelled."),
    "unknown_shipment": N_("There is no such shipment."),
    "taxes_do_not_add_up": N_("The taxes of a line do not add up to the tax stated for it."),
    "tax_above_amount": N_("A tax exceeds the amount it applies to, or has the opposite sign."),
    "unit_price_differs": N_("The exact unit price does not match the rounded unit price."),
    "cancellation_without_order": N_(
        "All its quantities are negative: it reverses a sale. Cancel or refund the order concerned."
    ),
    "date_out_of_range": N_("A date is outside the supported years."),
    "checkout_placed": N_("Its checkout has already become an order."),
    "submission_id_taken": N_("The id of the message was used before, for another message."),
    "sale_too_large": N_("The sale exceeds the maximum size of a message."),
    "not_your_shop": N_("It names a shop or module other than the one that sent it."),
    "not_your_checkout": N_("Its checkout belongs to another module."),
    "opened_in_future": N_("It is dated in the future: the storefront’s clock is wrong."),
    "login_unknown": N_("The login that sent it belongs to no module."),
    "unknown_shop": N_("This shop is not set up in the responsible service."),
    "line_repeated": N_("A line occurs twice."),
    "another_article": N_("This line already has another article; add a new line."),
    "parcel_unpacked": N_("This parcel was unpacked."),
    "address_invalid": N_("No mail can be sent to this address; correct it."),
    "mail_unknown": N_("There is no such mail."),
    "template_unknown": N_("There is no such mail."),
    "language_unknown": N_("Mails are written in French and English only."),
    "placeholder_unknown": N_("A placeholder is unknown. Choose one from the list."),
    "placeholder_unclosed": N_("A placeholder is not closed. Enter {{ name }}."),
    "link_unusable": N_("A link is not an address. Begin it with https://."),
    "subject_lines": N_("A subject can have only one line."),
    "text_blank": N_("Enter a subject."),
    "part_too_long": N_("The text is too long. Shorten it."),
    "text_unusable": N_("This text fails with a sample order. Change it."),
    "test_mail_failed": N_("The test mail was not sent: the mail server refused it or did not respond."),
    "test_mail_uncertain": N_("The test mail may have been sent. Look for it before you send another."),
    "nothing_left_to_move": N_("Nothing is left of this payment to assign to another order."),
    "carrier_unknown": N_("That carrier no longer exists."),
    "setting_unusable": N_("A value can’t be used; correct it and save again."),
    "reason_unusable": N_("Give a reason."),
    "refused": N_("This can’t be done."),
    "tags_unchanged": N_("The order already has exactly these tags."),
    "json_invalid": N_("Its format is invalid."),
    "slug_unusable": N_("Enter 8 to 64 letters, digits, hyphens and underscores, without accents or spaces."),
    "slug_taken": N_("Another endpoint already has this URL. Choose another one."),
    "field_missing": N_("This field is required."),
    "field_unknown": N_("Endpoints of this provider have no such field."),
    "signing_secret_unusable": N_(
        "A signing secret begins with whsec_. Copy all of it from the endpoint’s page at Stripe."
    ),
    "signing_secrets_many": N_("Five signing secrets are accepted already. Remove an older one first."),
    "api_key_unusable": N_(
        "An API key begins with sk_test_, sk_live_, rk_test_ or rk_live_. Copy all of it from Stripe."
    ),
    "api_key_is_live": N_(
        "This is a live key, but the endpoint is in test mode. Use a test key, or change the mode."
    ),
    "api_key_is_test": N_(
        "This is a test key, but the endpoint is live. Use a live key, or change the mode."
    ),
    "api_key_taken": N_(
        "Another endpoint of this shop has an API key: refunds are sent by one only. Leave it empty here."
    ),
    "stripe_account_unusable": N_(
        "A connected account begins with acct_. Leave it empty unless you use Stripe Connect."
    ),
    "webhook_id_unusable": N_("A webhook ID is 4 to 64 letters and digits. Copy it from PayPal’s dashboard."),
    "webhook_id_of_simulator": N_(
        "WEBHOOK_ID is the value that PayPal’s simulator uses for everybody. Copy the webhook’s own "
        "ID from PayPal’s dashboard."
    ),
    "client_id_unusable": N_(
        "A client ID has at least 16 characters and no spaces. Copy all of it from PayPal."
    ),
    "client_secret_unusable": N_(
        "A client secret has at least 16 characters and no spaces. Copy all of it from PayPal."
    ),
    "paypal_account_unusable": N_(
        "A merchant ID is 8 to 20 capital letters and digits. It is on PayPal’s account page."
    ),
    "paypal_endpoint_taken": N_(
        "This shop already has a PayPal endpoint. Change that one, or remove it first."
    ),
    "live_beside_standin": N_(
        "This installation is a demonstration with a simulated PayPal: only test mode is possible."
    ),
    "secret_unreadable": N_("This secret was encrypted with a key that no longer exists. Enter it again."),
    "secret_needed": N_("The endpoint needs this secret. Enter another one instead of removing it."),
    "endpoint_changed": N_(
        "Somebody changed the endpoint in the meantime. Open it again and repeat what still applies."
    ),
    "secrets_key_missing": N_(
        "Endpoints can only be set in the environment: the payments service has no key to encrypt "
        "secrets with. The administrator sets COMPTOIR_PAYMENTS_SECRETS_KEY."
    ),
    "provider_unknown": N_("This version does not support this provider."),
}
"""By reason code."""
BY_PEOPLE = {
    "command_discarded": (" set the command aside: ", N_("%(name)s set it aside: %(reason)s")),
    "command_ended": (
        " ended the command, which got no answer: ",
        N_("%(name)s ended it because no answer came: %(reason)s"),
    ),
}
"""Codes whose message contains a user's name and reason: the separator between them, and the text for both."""
