"""The refused sale of a submission that nobody can read: what of it can be kept and shown. Pure.

The message itself is set aside with its bytes. Here is only what the shop's list of refused sales can show.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from contracts.envelope import MAX_BODY_BYTES
from contracts.message import Reason
from contracts.storefront import Module
from services.chassis.messaging.inbound.parking import storable
from services.orders.order.store import RefusalRow
from services.orders.order.unit.submissions import reasons_json

_MOST_CHARACTERS = 200


def unread_row(
    shop: str, module: Module, event_id: UUID | None, reasons: Sequence[Reason], body: bytes
) -> RefusalRow:
    """The row of `store.insert_refusals`. Without an event id it is known by its content, so that the list can tell
    two of them apart."""
    content_hash, said = sha256(body).digest(), _readable(body)
    return RefusalRow(
        shop=shop,
        submission_id=event_id or UUID(bytes=content_hash[:16]),
        module=module,
        idempotency_key=_short_text(said.get("idempotency_key")),
        source_reference=_short_text(said.get("source_reference")),
        reasons=reasons_json([_storable_reason(one) for one in reasons]),
        body=_as_json(said),
        content_hash=content_hash,
    )


def _readable(body: bytes) -> dict[str, Any]:
    """The object that the body is; empty for anything else. Bytes that are no JSON stay in the parked message alone,
    for nothing could find an IP address in them that is due to be forgotten."""
    if len(body) > MAX_BODY_BYTES:
        return {}
    try:
        said = from_json(body, allow_inf_nan=False)
    except ValueError:
        return {}
    return _storable(said) if isinstance(said, dict) else {}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): _storable(one) for name, one in value.items()}
    return value


def _as_json(said: dict[str, Any]) -> str:
    try:
        return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return "{}"


def _short_text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MOST_CHARACTERS else None


def _storable_reason(reason: Reason) -> Reason:
    return reason.model_copy(
        update={
            "message": storable(reason.message),
            "field": storable(reason.field) if reason.field is not None else None,
        }
    )
