"""Explanation of a parked message for an operator: its structure and numbers, without personal data.

Customers' texts are included only if the operator may see them. Pure.
"""

import json
from typing import Any

from services.chassis.messaging.inbound.parking import storable

MOST_TEXT = 16 * 1024
HIDDEN = "‹hidden›"
PERSONAL = frozenset(
    {
        "billing_address",
        "browser",
        "buyer",
        "comment",
        "company",
        "customer",
        "email",
        "ip_address",
        "name",
        "note",
        "phone",
        "public_comment",
        "recipient",
        "shipping_address",
        "vat_number",
    }
)
"""Fields of contracts/ that contain or may contain personal data. In `options` even the names are customers'
texts."""


def readable_body(body: bytes, *, with_persons: bool = False) -> dict[str, Any]:
    """Return `text`, at most 16 KiB of it, `is_json` and `is_cut`. In JSON the fields are kept and personal
    values are hidden, unless the reader may see them; of any other body only the beginning is shown, since
    its content can't be classified."""
    try:
        value = json.loads(body)
        text = json.dumps(value if with_persons else _without_persons(value), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        start = body[:200].decode(errors="replace")
        return {"text": start, "is_json": False, "is_cut": len(body) > 200}
    return {"text": storable(text[:MOST_TEXT]), "is_json": True, "is_cut": len(text) > MOST_TEXT}


def _without_persons(value: Any, is_personal: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if key == "options" else _without_persons(inner, is_personal or key in PERSONAL)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_persons(inner, is_personal) for inner in value]
    return HIDDEN if is_personal and isinstance(value, str) else value
