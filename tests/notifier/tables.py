"""The tables and columns that must be equal whatever the sequence and number of an order's messages.

Left out is what our own clock gives (`created_at`). `msg.effect` counts by key and kind: one mail, one sending.
"""

EQUAL_COLUMNS: dict[str, tuple[str, ...]] = {
    "addressee": (
        "shop",
        "order_id",
        "code",
        "name",
        "email",
        "locale",
        "thread_mail_id",
        "placed",
        "revision",
        "edited",
    ),
    "mail": (
        "id",
        "shop",
        "order_id",
        "code",
        "cause_id",
        "template",
        "recipient",
        "locale",
        "message_id",
        "context",
    ),
    "msg.effect": ("key", "kind", "payload"),
}
