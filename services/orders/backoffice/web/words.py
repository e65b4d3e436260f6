"""Display names of fixed values: marked for translation here, translated where they are shown."""

from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.language.translating import N_

ROLE_NAMES = {
    Role.OWNER: N_("Owner"),
    Role.MANAGER: N_("Manager"),
    Role.FULFILMENT: N_("Fulfilment"),
    Role.ACCOUNTANT: N_("Accountant"),
}
NOT_SENT = N_("Nothing has been sent yet: check your input, then send it.")
"""The note above a form that was sent after its session had ended, in place of an error."""
OWNER_NAMES = {
    "orders": N_("Orders service"),
    "payments": N_("Payments service"),
    "fulfillment": N_("Fulfilment service"),
    "notifier": N_("Mail service"),
    "auditor": N_("Auditor"),
}
