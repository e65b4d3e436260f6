"""A Stripe event: its envelope (id, type, time, mode, account), in any API version, and the fields that its objects
have in common: the order they name, the payment they belong to, their amounts. Pure.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.payments.accounts import AttemptState
from services.payments.accounts.facts import Facts, Parked, RefundFacts
from services.payments.accounts.ledger import Kind
from services.payments.accounts.remarks import Remark, Topic
from services.payments.providers.strict_json import JsonRefused, read_object
from services.payments.providers.stripe import PROVIDER
from services.payments.providers.stripe.money import currency_of, to_minor

ORDER_KEY = "comptoir_order_id"
SHOP_KEY = "comptoir_shop"
REFUND_KEY = "comptoir_refund_id"
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
    resource: dict[str, Any]
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
        created_at=timestamp(outside, "created"),
        is_live=live,
        account=None if account is None else text(outside, "account", _ID),
        resource=data["object"],
        api_version=version if isinstance(version := outside.get("api_version"), str) else None,
    )


def text(resource: dict[str, Any], field: str, pattern: re.Pattern[str] = _ID) -> str:
    """Return a text field of plain characters. Raises ShapeUnexpected."""
    value = resource.get(field)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ShapeUnexpected(f"{field} is missing or not plain text")
    return value


def timestamp(resource: dict[str, Any], field: str) -> datetime:
    """Return a time given as Unix seconds. Raises ShapeUnexpected."""
    value = resource.get(field)
    if type(value) is not int or not 0 < value < 2**33:
        raise ShapeUnexpected(f"{field} is not a time in Unix seconds")
    return datetime.fromtimestamp(value, UTC)


def facts_of(
    event: Event,
    object_id: str,
    attempts: tuple[AttemptState, ...],
    targets: tuple[tuple[Kind, int], ...],
    other_ids: tuple[str, ...] = (),
) -> Facts:
    """Return the facts about one payment in an event's object. Raises ShapeUnexpected, StripeAmountUnusable."""
    order_id, order_shop, is_bad = order_named_in(event.resource)
    has_currency = bool(targets) or event.resource.get("currency") is not None
    return Facts(
        provider=PROVIDER,
        object_id=object_id,
        currency=currency_of(event.resource.get("currency")) if has_currency else None,
        occurred_at=event.created_at,
        started_at=timestamp(event.resource, "created"),
        targets=tuple((kind, target) for kind, target in targets if target > 0),
        attempts=attempts,
        other_ids=other_ids,
        order_id=order_id,
        order_shop=order_shop,
        names_order_badly=is_bad,
    )


def order_named_in(resource: dict[str, Any]) -> tuple[UUID | None, str | None, bool]:
    """Return what the storefront wrote into the object's metadata, or into a session's client reference; and
    whether it meant to name an order but used a value that is not an order's id.
    """
    metadata = resource.get("metadata")
    named: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    shop = named.get(SHOP_KEY)
    candidate = named.get(ORDER_KEY) or resource.get("client_reference_id")
    try:
        order_id = UUID(candidate) if isinstance(candidate, str) else None
    except ValueError:
        order_id = None
    is_bad = order_id is None and bool(named.get(ORDER_KEY))
    return order_id, shop if isinstance(shop, str) else None, is_bad


def amount_of(event: Event, field: str) -> int:
    """Return an amount of the event's object in ISO 4217 minor units. Raises StripeAmountUnusable."""
    return to_minor(event.resource.get(field), currency_of(event.resource.get("currency")))


def payment_of(resource: dict[str, Any]) -> str:
    """Return the intent, or the charge that has none."""
    if resource.get("payment_intent") is not None:
        return text(resource, "payment_intent")
    return text(resource, "id" if resource.get("object") == "charge" else "charge")


def remarks_of(
    event: Event, topic: Topic, object_id: str, payment: str, state: str, amount_minor: int
) -> RefundFacts:
    """Return one remark about a payment, from an event's object. Raises StripeAmountUnusable."""
    order_id, order_shop, is_bad = order_named_in(event.resource)
    remark = Remark(topic, PROVIDER, object_id, payment, state, amount_minor, event.created_at)
    currency = currency_of(event.resource.get("currency"))
    return RefundFacts(
        PROVIDER,
        payment,
        currency,
        event.created_at,
        (),
        order_id,
        order_shop,
        remarks=(remark,),
        names_order_badly=is_bad,
    )


def contradiction(event: Event, state: Any) -> Parked:
    """Return the result for an event whose type and object contradict each other."""
    kind = str(event.resource.get("object") or "object")[:40].replace("_", " ")
    text = f"its {kind} is {str(state)[:40]}"
    return Parked(
        "state_contradicts_type", f"{event.type}, but {text}; look at it in Stripe, then look again"
    )
