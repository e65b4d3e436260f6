"""Common fields of PayPal's objects as its API shows them: ids, times, links, the order they name. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

REFUND_PREFIX = "refund:"
"""What precedes our refund's id in the `custom_id` of a refund that we requested."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_LINKS = re.compile(r"/v[12]/(?:payments|checkout)/(\w+)/([A-Za-z0-9_-]{1,64})$", re.ASCII)


class ShapeUnexpected(ValueError):
    """A field of the object is missing or of another type than PayPal documents; the error names the field."""


@dataclass(frozen=True, slots=True)
class Named:
    """The order that the storefront wrote into an object: `<order id>` or `<shop>:<order id>`."""

    order_id: UUID | None
    shop: str | None


def text(resource: dict[str, Any], field: str) -> str:
    """Return an id in a field. Raises ShapeUnexpected."""
    value = resource.get(field)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ShapeUnexpected(f"{field} is missing or not an id")
    return value


def timestamp(resource: dict[str, Any], field: str) -> datetime:
    """Return a time with its offset, in UTC. Raises ShapeUnexpected."""
    value = resource.get(field)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ShapeUnexpected(f"{field} is not a time with an offset")
    return found.astimezone(UTC)


def status_of(resource: dict[str, Any]) -> str:
    """Return an object's state in capitals: `status` in version 2, `state` in version 1. Raises
    ShapeUnexpected.
    """
    value = resource.get("status", resource.get("state"))
    if not isinstance(value, str) or not value:
        raise ShapeUnexpected("status is missing")
    return value.upper()


def named_in(resource: dict[str, Any]) -> Named:
    """Return the order that the storefront wrote into `custom_id` (`custom` in version 1)."""
    custom = resource.get("custom_id", resource.get("custom"))
    shop, _, candidate = custom.rpartition(":") if isinstance(custom, str) else ("", "", "")
    try:
        return Named(UUID(candidate), shop or None)
    except ValueError:
        return Named(None, None)


def refund_named_in(resource: dict[str, Any]) -> UUID | None:
    """Return the id of our refund that a refund names."""
    custom = resource.get("custom_id")
    if not isinstance(custom, str) or not custom.startswith(REFUND_PREFIX):
        return None
    try:
        return UUID(custom.removeprefix(REFUND_PREFIX))
    except ValueError:
        return None


def related(resource: dict[str, Any], field: str) -> str | None:
    """Return an id of `supplementary_data.related_ids`, which PayPal fills often and not always."""
    data = resource.get("supplementary_data")
    ids = data.get("related_ids") if isinstance(data, dict) else None
    value = ids.get(field) if isinstance(ids, dict) else None
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def linked(resource: dict[str, Any], *families: str) -> str | None:
    """Return the id in the link `up`, if it leads to an object of one of these families of addresses."""
    links = resource.get("links")
    for one in links if isinstance(links, list) else ():
        if not isinstance(one, dict) or one.get("rel") not in ("up", "capture", "sale"):
            continue
        found = _LINKS.search(str(one.get("href", "")))
        if found and found[1] in families:
            return found[2]
    return None


def payees_of(resource: dict[str, Any]) -> set[str]:
    """Return the merchant ids that an object, or the units of an order, were paid to."""
    units = resource.get("purchase_units")
    holders = [resource, *(units if isinstance(units, list) else ())]
    payees = [one.get("payee") for one in holders if isinstance(one, dict)]
    ids = [one.get("merchant_id") for one in payees if isinstance(one, dict)]
    return {one for one in ids if isinstance(one, str)}
