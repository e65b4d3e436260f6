"""Refused sale of an unreadable submission: the part that can be stored and shown. Pure.

The message itself is parked with its bytes. This is only the data for the shop's list of refused sales.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from contracts.envelope import MAX_BODY_BYTES
from contracts.message import Reason
from contracts.sale import Module
from services.chassis.messaging.inbound.parking import storable
from services.orders.order.unit.submissions.submission_store import RefusalRow
from services.orders.order.unit.submissions.submissions import reasons_json

_MOST_CHARACTERS = 200


def unread_row(
    shop: str, module: Module, event_id: UUID | None, reasons: Sequence[Reason], body: bytes
) -> RefusalRow:
    """Return the row of `store.insert_refusals`.

    Without an event id it is identified by its content, so that the list can distinguish two of them.
    """
    content_hash, content = sha256(body).digest(), _readable(body)
    return RefusalRow(
        shop=shop,
        submission_id=event_id or UUID(bytes=content_hash[:16]),
        module=module,
        idempotency_key=_short_text(content.get("idempotency_key")),
        source_reference=_short_text(content.get("source_reference")),
        reasons=reasons_json([_storable_reason(one) for one in reasons]),
        body=_as_json(content),
        content_hash=content_hash,
    )


def _readable(body: bytes) -> dict[str, Any]:
    """Return the JSON object in the body; empty for anything else.

    Bytes that are not JSON are kept in the parked message only, because an IP address in them could not be
    found when it is due for deletion.
    """
    if len(body) > MAX_BODY_BYTES:
        return {}
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError:
        return {}
    return _storable(content) if isinstance(content, dict) else {}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): _storable(one) for name, one in value.items()}
    return value


def _as_json(content: dict[str, Any]) -> str:
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
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
