"""Which columns of fulfillment's tables must be equal however an order's messages were shuffled and repeated.

Left out by design: - times of our own clock (created_at, moved_at, packed_at, dispatched_at, recorded_at); -
parcel.number and fulfilment_order.next_parcel_number's part in it: people number parcels in the sequence of
packing, nothing refers to the number (the next number itself counts parcels and must be equal); - counts of
stock are no facts that fold: a later SetStock replaces an earlier one, so stock is set before the shuffle.
"""

EQUAL_COLUMNS: dict[str, tuple[str, ...]] = {
    "fulfilment_order": (
        "shop",
        "order_id",
        "code",
        "placed_at",
        "stock",
        "version",
        "sequence",
        "next_parcel_number",
    ),
    "order_line": (
        "shop",
        "order_id",
        "line",
        "kind",
        "sku",
        "ordered",
        "cancelled",
        "packed",
        "lost",
        "shipped",
        "delivered",
        "returned",
    ),
    "stock_level": ("shop", "sku", "location", "on_hand", "reserved"),
    "stock_movement": ("shop", "order_id", "line", "cause", "kind", "sku", "location", "quantity"),
    "stock_change": ("shop", "cause", "actor", "reason"),
    "reservation": (
        "shop",
        "order_id",
        "line",
        "sku",
        "location",
        "taken",
        "released",
        "shipped",
        "written_off",
        "restocked",
        "quantity",
    ),
    "parcel": (
        "shop",
        "order_id",
        "parcel_id",
        "kind",
        "weight_grams",
        "length_mm",
        "width_mm",
        "height_mm",
        "declared_value_minor",
        "packed_by",
    ),
    "parcel_line": ("shop", "order_id", "parcel_id", "line", "quantity"),
    "shipment": (
        "shop",
        "order_id",
        "shipment_id",
        "carrier",
        "tracking_number",
        "tracking_url",
        "shipped_on",
        "expected_on",
        "cost_minor",
        "cost_currency",
        "notify_customer",
        "dispatched_by",
        "delivered_at",
        "proof",
        "proof_reference",
        "recorded_by",
    ),
    "shipment_parcel": ("shop", "order_id", "shipment_id", "parcel_id"),
}
"""Columns by table; a table's rows are compared as a set."""
