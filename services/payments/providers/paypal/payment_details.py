"""Details by which staff can identify a payment: names, addresses and references in PayPal's events.

Raw and unproven, for staff to read; nothing is ever matched by them. Pure.
"""

from typing import Any

from services.payments.providers.strict_json import JsonRefused, read_object

_FIELDS = {
    "description": ("description", "note_to_payer"),
    "invoice": ("invoice_id", "invoice_number"),
    "custom": ("custom_id", "custom"),
}
MOST_CHARACTERS = 200


def payment_details(body: bytes) -> dict[str, Any]:
    """Return the payer, description and references of the object in a webhook; those that are present."""
    try:
        resource = read_object(body).get("resource")
    except JsonRefused:
        return {}
    if not isinstance(resource, dict):
        return {}
    units = resource.get("purchase_units")
    unit = units[0] if isinstance(units, list) and units and isinstance(units[0], dict) else {}
    given = resource.get("payer")
    payer: dict[str, Any] = given if isinstance(given, dict) else {}
    found = {
        "payer_name": _joined(payer.get("name")),
        "payer_email": payer.get("email_address"),
        **{name: _first({**unit, **resource}, fields) for name, fields in _FIELDS.items()},
    }
    return {
        name: value[:MOST_CHARACTERS] for name, value in found.items() if isinstance(value, str) and value
    }


def _first(resource: dict[str, Any], fields: tuple[str, ...]) -> Any:
    return next((resource[field] for field in fields if resource.get(field)), None)


def _joined(name: Any) -> str:
    parts = [name.get(part) for part in ("given_name", "surname")] if isinstance(name, dict) else []
    return " ".join(part for part in parts if isinstance(part, str))
