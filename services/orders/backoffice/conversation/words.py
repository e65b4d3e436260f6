"""Labels of a conversation's fixed values: states, channels, sender verification, and outcomes of received mails."""

from services.orders.backoffice.language.translating import N_

STATES = {
    "waiting_staff": (N_("To answer"), "warning"),
    "waiting_customer": (N_("Waiting for the customer"), "waiting"),
    "closed": (N_("Conversation closed"), "neutral"),
}
"""Label and badge tone by state of a thread."""
WAYS = {
    "mail": N_("by mail"),
    "page": N_("on the customer’s page"),
}
OUTCOMES = {
    "posted": (N_("In a conversation"), "good"),
    "automatic": (N_("Automatic reply"), "neutral"),
    "bounce": (N_("Non-delivery report"), "warning"),
    "own": (N_("Our own mail"), "neutral"),
    "to_file": (N_("To be filed"), "warning"),
    "parked": (N_("Unreadable"), "danger"),
}
"""Label and badge tone by outcome of a received mail."""
ATTACHMENTS = {
    "omitted": N_("too many or too large, not kept"),
    "blocked": N_("may be dangerous: open it only if you were expecting it"),
}
"""Notes on attachments that were not stored or may be dangerous."""
LONGEST_MESSAGE = 10_000
LONGEST_REASON = 500
