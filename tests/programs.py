"""The services' programs as tests find them."""

SETTINGS_MODULES = {
    "orders": "services.orders.order.settings",
    "payments": "services.payments.settings",
    "fulfillment": "services.fulfillment.settings",
    "notifier": "services.notifier.mails.settings",
}
"""Where each service declares its settings."""
