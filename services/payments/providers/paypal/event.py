"""PayPal's webhook events, as far as they are believed: id, type, and the object that each names. Pure.

The signature does not bind the content, so nothing but these names leaves this file: amounts and states are
read from the API. The simulator and an order's completion give two types one event id, so the stored name of
an event has its type in it. Source: PayPal's webhook event names.
"""

import hashlib
import re
from typing import Any

from services.payments.accounts.facts import Irrelevant, Parked
from services.payments.providers.port import ObjectNamed
from services.payments.providers.strict_json import JsonRefused, read_object

UNREADABLE = "unreadable"
"""Type of an event whose envelope could not be read; its id is derived from the body."""
_ID = re.compile(r"[A-Za-z0-9_.-]{1,120}", re.ASCII)
_TYPE = re.compile(r"[A-Z0-9_.-]{1,100}", re.ASCII)
_OBJECT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

CAPTURE, REFUND, AUTHORIZATION, ORDER, DISPUTE = "capture", "refund", "authorization", "order", "dispute"
KINDS: dict[str, str] = {
    "CHECKOUT.ORDER.COMPLETED": ORDER,
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": ORDER,
    "PAYMENT.AUTHORIZATION.CREATED": AUTHORIZATION,
    "PAYMENT.AUTHORIZATION.VOIDED": AUTHORIZATION,
    "PAYMENT.CAPTURE.COMPLETED": CAPTURE,
    "PAYMENT.CAPTURE.PENDING": CAPTURE,
    "PAYMENT.CAPTURE.DENIED": CAPTURE,
    "PAYMENT.CAPTURE.DECLINED": CAPTURE,
    "PAYMENT.CAPTURE.REFUNDED": REFUND,
    "PAYMENT.CAPTURE.REVERSED": REFUND,
    "PAYMENT.REFUND.PENDING": REFUND,
    "PAYMENT.REFUND.FAILED": REFUND,
    "CUSTOMER.DISPUTE.CREATED": DISPUTE,
    "CUSTOMER.DISPUTE.UPDATED": DISPUTE,
    "CUSTOMER.DISPUTE.RESOLVED": DISPUTE,
}
"""The kind of object that each type of event names. A refund and a reversal name the refund, not the capture."""
_FIELDS = {ORDER: ("id", "order_id"), DISPUTE: ("dispute_id", "id")}
"""The fields that may hold an object's id, where it is not `id`."""
_APPROVED = frozenset(("CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.SAVED", "CHECKOUT.ORDER.PROCESSED"))
_NEWS = frozenset(("CATALOG", "IDENTITY", "INVOICING", "MERCHANT", "VAULT"))
"""Families of events that concern no money of an order."""


def name_of(body: bytes) -> tuple[str, str]:
    """Return the id and type under which the webhook is stored; a body that can't be read is stored under its
    hash.
    """
    try:
        outside = read_object(body)
    except JsonRefused:
        return f"sha256:{hashlib.sha256(body).hexdigest()}", UNREADABLE
    event_id, event_type = outside.get("id"), outside.get("event_type")
    if not _is(event_id, _ID) or not _is(event_type, _TYPE):
        return f"sha256:{hashlib.sha256(body).hexdigest()}", UNREADABLE
    return f"{event_id}:{event_type}", str(event_type)


def read(body: bytes) -> ObjectNamed | Irrelevant | Parked:
    """Return the object that an event names. Never raises."""
    try:
        outside = read_object(body)
    except JsonRefused as refused:
        return Parked("unreadable", str(refused))
    event_type, resource = outside.get("event_type"), outside.get("resource")
    if not _is(event_type, _TYPE) or not isinstance(resource, dict):
        return Parked("shape_unexpected", "not an event of PayPal's: event_type or resource is missing")
    kind = KINDS.get(str(event_type))
    if kind is None:
        return _without_object(str(event_type))
    object_id = _object_id(resource, kind)
    if object_id is None:
        return Parked("shape_unexpected", f"{event_type} names no {kind}")
    return ObjectNamed(kind, object_id, str(event_type))


def _object_id(resource: dict[str, Any], kind: str) -> str | None:
    found = (resource.get(field) for field in _FIELDS.get(kind, ("id",)))
    return next((str(one) for one in found if _is(one, _OBJECT)), None)


def _without_object(event_type: str) -> Irrelevant | Parked:
    if event_type in _APPROVED:
        return Irrelevant("approved_not_captured")
    if event_type.partition(".")[0] in _NEWS:
        return Irrelevant("no_money_of_an_order")
    return Parked("type_unknown", f"no rule for {event_type}; take it off the webhook if it is not wanted")


def _is(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
