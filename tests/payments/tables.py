"""What of payments' tables must be equal, row by row, however an order's messages were shuffled and repeated.

Left out are our own clock (recorded_at, handled_at, received_at), what counts batches (account.sequence), the place of
an entry in its account (number) and who was first among several tellers of one thing (caused_by, webhook ids).
"""

EQUAL_AFTER_SHUFFLE: dict[str, tuple[str, ...]] = {
    "account": (
        "shop",
        "order_id",
        "code",
        "currency",
        "method",
        "opened_at",
        "version",
        "due_minor",
        "credited_minor",
        "received_minor",
        "received_by_hand_minor",
        "refunded_minor",
        "marked_minor",
        "disputed_minor",
        "authorised_minor",
        "balance_minor",
        "attempt",
        "flags",
        "closed_at",
    ),
    "order_edit": ("shop", "order_id", "edit_id", "cause", "due_change_minor", "posted_minor"),
    "sale": ("shop", "order_id", "placed_at", "content::text", "revision", "edit::text", "cancelled::text"),
    "ledger_entry": (
        "id",
        "shop",
        "order_id",
        "kind",
        "amount_minor",
        "currency",
        "provider",
        "object_id",
        "step",
        "method",
        "source",
        "occurred_at",
        "received_on",
        "clearing_on",
        "reference",
        "note",
        "actor",
    ),
    "refund": ("shop", "refund_id", "order_id", "mode", "amount_minor", "reference", "is_sent", "refusal"),
    "provider_refund": ("shop", "provider", "object_id", "order_id", "amount_minor", "states", "refund_id"),
    "attempt": ("shop", "order_id", "provider", "object_id", "state", "occurred_at", "started_at"),
    "remark": (
        "shop",
        "order_id",
        "topic",
        "provider",
        "object_id",
        "payment",
        "state",
        "amount_minor",
        "occurred_at",
    ),
    "dispute_report": (
        *("shop", "order_id", "provider", "object_id", "payment", "state", "amount_minor", "occurred_at"),
        *("reason", "due_at"),
    ),
    "dispute_movement": (
        *("shop", "order_id", "provider", "object_id", "dispute", "payment", "direction", "amount_minor"),
        *("fee_minor", "fee_currency", "occurred_at"),
    ),
    "dispute": (
        *("shop", "provider", "object_id", "order_id", "state", "due_at", "is_due_soon", "held_minor"),
        *("resolution", "resolved_by", "note"),
    ),
    "provider_object": ("shop", "provider", "object_id", "order_id"),
    "webhook": (
        "provider",
        "endpoint",
        "shop",
        "event_id",
        "event_type",
        "state",
        "reason",
        "order_id",
        "deliveries",
    ),
    "webhook_wait": ("shop", "key"),
}
"""Columns by table."""


def equal_after_shuffle() -> dict[str, str]:
    """The query by table whose rows, sorted, must be equal."""
    return {
        table: f"SELECT {', '.join(columns)} FROM {table} ORDER BY {', '.join(columns)}"  # noqa: S608
        for table, columns in EQUAL_AFTER_SHUFFLE.items()
    }
