"""Details by which staff can identify a payment: names, addresses and references from Stripe's objects.

Raw facts for staff to read; nothing is ever matched by them. Pure.
"""

from collections.abc import Iterator
from typing import Any

from services.payments.providers.strict_json import JsonRefused, read_object

_PLACES = {
    "payer_name": (("billing_details", "name"), ("customer_details", "name"), ("shipping", "name")),
    "payer_email": (("receipt_email",), ("billing_details", "email"), ("customer_details", "email")),
    "description": (("description",), ("statement_descriptor",)),
    "charge": (("latest_charge",),),
    "customer": (("customer",),),
    "session_reference": (("client_reference_id",),),
}
MOST_CHARACTERS = 200


def payment_details(body: bytes) -> dict[str, Any]:
    """Return name, mail, description, references and metadata of the object in a webhook; those that are
    present.
    """
    try:
        data = read_object(body).get("data")
    except JsonRefused:
        return {}
    resource = data.get("object") if isinstance(data, dict) else None
    if not isinstance(resource, dict):
        return {}
    found = {name: value for name, places in _PLACES.items() if (value := _first(resource, places))}
    metadata = resource.get("metadata")
    named = metadata.items() if isinstance(metadata, dict) else ()
    return {**found, "metadata": {str(k)[:40]: v[:MOST_CHARACTERS] for k, v in named if isinstance(v, str)}}


def _first(resource: dict[str, Any], places: tuple[tuple[str, ...], ...]) -> str | None:
    return next((value[:MOST_CHARACTERS] for value in _texts(resource, places)), None)


def _texts(resource: dict[str, Any], places: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    for place in places:
        value: Any = resource
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            yield value
