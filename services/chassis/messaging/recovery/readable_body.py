"""Explanation of a parked message for an operator: its structure and numbers, without personal data.

Customers' texts are included only if the operator may see them. What no contract names, and a value that does not fit
its field, may be a customer's text, so it is hidden as well. Pure.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.envelope import HEADERS_READ
from services.chassis.messaging.erasure.redacting import (
    ADDRESSES,
    IDENTIFYING,
    PERSONS,
    REMOVED,
    TEXTS,
    is_code,
    without_addresses,
)
from services.chassis.messaging.inbound.parking import storable
from services.chassis.messaging.outgoing import REPLAY_HEADER, SNAPSHOT_HEADER
from services.chassis.messaging.recovery.known_fields import Field, known_fields

MOST_TEXT = 16 * 1024
MOST_UNREADABLE = 200
"""Bytes shown of a body that is not JSON."""
HIDDEN = "‹hidden›"
_OF_THE_BROKER = frozenset(
    {
        *(
            "x-death",
            "x-delivery-count",
            "x-first-death-exchange",
            "x-first-death-queue",
            "x-first-death-reason",
        ),
        *("x-last-death-exchange", "x-last-death-queue", "x-last-death-reason"),
    }
)
_KNOWN_HEADERS = HEADERS_READ | _OF_THE_BROKER | {REPLAY_HEADER, SNAPSHOT_HEADER}
_ONE_WORD = re.compile(r"[!-~]{0,200}")
"""A value of the envelope's attributes: ids, names and times, without a space."""
PERSONAL = (
    PERSONS | REMOVED | TEXTS | ADDRESSES | IDENTIFYING | {"city", "comment", "note", "recipient", "region"}
)
"""Fields that contain or may contain personal data: those that an erasure removes, and texts that it removes only
from an erased person's messages. In `options` even the names are customers' texts."""


def readable_body(
    body: bytes, message_type: str | None = None, *, with_persons: bool = False
) -> dict[str, Any]:
    """Return `text`, at most 16 KiB of it, `is_json`, `is_cut` and `is_hidden`.

    In JSON the fields of the message's contract are kept, or of all contracts if its type is unknown. Personal
    values, unknown fields and values that do not fit their field are hidden, unless the reader may see them. Of any
    other body only such a reader sees the beginning, since its content can't be classified.
    """
    try:
        value = json.loads(body)
        shown = value if with_persons else _Reader(known_fields(message_type)).document(value)
        text = json.dumps(shown, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        if not with_persons:
            return {"text": HIDDEN, "is_json": False, "is_cut": False, "is_hidden": True}
        start = body[:MOST_UNREADABLE].decode(errors="replace")
        return {"text": start, "is_json": False, "is_cut": len(body) > MOST_UNREADABLE, "is_hidden": False}
    is_cut = len(text) > MOST_TEXT
    return {"text": storable(text[:MOST_TEXT]), "is_json": True, "is_cut": is_cut, "is_hidden": False}


def readable_headers(headers: Mapping[str, Any], *, with_persons: bool = False) -> dict[str, Any]:
    """Return the headers; unknown ones are hidden unless the reader may see personal data."""
    return dict(headers) if with_persons else dict(_shown_headers(headers))


def _shown_headers(headers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    unknown = 0
    for name, value in headers.items():
        if name in _KNOWN_HEADERS:
            is_plain = name in _OF_THE_BROKER or _ONE_WORD.fullmatch(str(value)) is not None
            yield name, (without_addresses(str(value), HIDDEN) if is_plain else HIDDEN)
        else:
            unknown += 1
            yield _numbered(unknown), HIDDEN


class _Reader:
    """Shows a document as far as the fields that are known let it be shown."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields

    def document(self, value: Any) -> Any:
        """Return a body without personal data; a value outside an object has no key that says what it is."""
        return dict(self._object(value, False)) if isinstance(value, dict) else self._under(None, value)

    def _under(self, key: str | None, value: Any) -> Any:
        """Return a value as it may be shown under a key; None is a key that is personal or names no field."""
        if isinstance(value, dict):
            return dict(self._object(value, key is None or _is_personal(key, value)))
        if isinstance(value, list):
            return [self._under(key, inner) for inner in value]
        if value is None:
            return None
        return _shown_value(value, self._fields[key]) if key is not None else HIDDEN

    def _object(self, document: dict[str, Any], is_personal: bool) -> Iterator[tuple[str, Any]]:
        unknown = 0
        for key, inner in document.items():
            if key not in self._fields:
                unknown += 1
                yield _numbered(unknown), HIDDEN
            elif key == "options":
                yield key, HIDDEN
            else:
                yield key, self._under(None if is_personal or _is_personal(key, inner) else key, inner)


def _numbered(position: int) -> str:
    """Return the name shown of a field that no contract knows; two of an object have two names."""
    return HIDDEN if position == 1 else f"{HIDDEN} {position}"


def _shown_value(value: Any, field: Field) -> Any:
    if not isinstance(value, str):
        return value if field.is_number() else HIDDEN
    if field.is_free_text():
        return without_addresses(value, HIDDEN)
    return value if field.allows(value) else HIDDEN


def _is_personal(key: str, value: Any) -> bool:
    if key == "reason" or key.endswith("_reason"):
        return isinstance(value, str) and not is_code(value)
    return key in PERSONAL
