"""The envelope of a Stripe event: id, type, time, mode, account, and the object inside, in any API version."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.payments.providers.strict_json import JsonRefused, read_object

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,255}", re.ASCII)
_TYPE = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
UNREADABLE = "unreadable"
"""Type of an event whose envelope could not be read; its id is derived from the body."""


class ShapeUnexpected(ValueError):
    """A field of the event is missing or of another type than Stripe documents; the error names the field."""


@dataclass(frozen=True, slots=True)
class Event:
    """One snapshot event."""

    id: str
    type: str
    created_at: datetime
    is_live: bool
    account: str | None
    thing: dict[str, Any]
    api_version: str | None = None


def name_of(body: bytes) -> tuple[str, str]:
    """Return the id and type under which the webhook is stored; a signed body that can't be read is stored
    under its hash.
    """
    try:
        outside = read_object(body)
        return text(outside, "id", _ID), text(outside, "type", _TYPE)
    except (JsonRefused, ShapeUnexpected):
        return f"sha256:{hashlib.sha256(body).hexdigest()}", UNREADABLE


def read_event(body: bytes) -> Event:
    """Return the event. Raises JsonRefused, ShapeUnexpected."""
    outside = read_object(body)
    data = outside.get("data")
    if (
        outside.get("object") != "event"
        or not isinstance(data, dict)
        or not isinstance(data.get("object"), dict)
    ):
        raise ShapeUnexpected("not a snapshot event: object is not `event` or data.object is missing")
    live = outside.get("livemode")
    if not isinstance(live, bool):
        raise ShapeUnexpected("livemode is missing")
    account = outside.get("account")
    return Event(
        id=text(outside, "id", _ID),
        type=text(outside, "type", _TYPE),
        created_at=moment(outside, "created"),
        is_live=live,
        account=None if account is None else text(outside, "account", _ID),
        thing=data["object"],
        api_version=version if isinstance(version := outside.get("api_version"), str) else None,
    )


def text(thing: dict[str, Any], field: str, pattern: re.Pattern[str] = _ID) -> str:
    """Return a text field of plain characters. Raises ShapeUnexpected."""
    value = thing.get(field)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ShapeUnexpected(f"{field} is missing or not plain text")
    return value


def moment(thing: dict[str, Any], field: str) -> datetime:
    """Return a time given as Unix seconds. Raises ShapeUnexpected."""
    value = thing.get(field)
    if type(value) is not int or not 0 < value < 2**33:
        raise ShapeUnexpected(f"{field} is not a time in Unix seconds")
    return datetime.fromtimestamp(value, UTC)
