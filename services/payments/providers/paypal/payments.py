"""Conversion of PayPal's captures, authorizations and orders to facts of our ledger. Pure.

A capture is one payment of its full amount: read late it shows REFUNDED, and was a receipt all the same, since
its refunds are facts of their own. An authorization is a memo, which its final capture ends; an order has its
captures inside. Source: PayPal's reference of Orders v2 and Payments v2.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contracts.payments.accounts import AttemptState
from services.payments.accounts.facts import Facts, Irrelevant, Parked
from services.payments.accounts.ledger import Kind
from services.payments.providers.paypal import PROVIDER
from services.payments.providers.paypal.money import amount_of
from services.payments.providers.paypal.objects import (
    ShapeUnexpected,
    linked,
    named_in,
    related,
    status_of,
    text,
    timestamp,
)
from services.payments.providers.port import ObjectNamed

_RECEIVED = frozenset(("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED", "REVERSED"))
_LOST = frozenset(("DECLINED", "DENIED", "FAILED"))
_ENDED = frozenset(("VOIDED", "DENIED", "EXPIRED"))
_CONTRADICTING = {
    "PAYMENT.CAPTURE.COMPLETED": _LOST | {"PENDING"},
    "PAYMENT.CAPTURE.DENIED": _RECEIVED,
    "PAYMENT.CAPTURE.DECLINED": _RECEIVED,
    "PAYMENT.AUTHORIZATION.VOIDED": frozenset(("CREATED",)),
}
"""States that an object can't have any more, or not yet, once PayPal has sent an event of the type."""


def contradiction(named: ObjectNamed, status: str) -> Parked | None:
    """Return the result for an event whose type and object contradict each other."""
    if status not in _CONTRADICTING.get(named.event_type, ()):
        return None
    text = f"its {named.kind} {named.object_id} is {status}"
    return Parked(
        "state_contradicts_type", f"{named.event_type}, but {text}; look at it in PayPal, then look again"
    )


def read_capture(resource: dict[str, Any], named: ObjectNamed) -> Facts | Parked:
    """Return the facts of a capture. Raises ShapeUnexpected, PaypalAmountUnusable."""
    return contradiction(named, status_of(resource)) or capture_facts(resource)


def capture_facts(resource: dict[str, Any], order_id: str | None = None) -> Facts:
    """Return the facts of a capture of the order, if that is known. Raises ShapeUnexpected,
    PaypalAmountUnusable.
    """
    status, object_id = status_of(resource), text(resource, "id")
    amount_minor, currency = amount_of(resource)
    kind, state = _money_of(status)
    order = order_id or related(resource, "order_id") or linked(resource, "orders")
    wrote, started_at = named_in(resource), timestamp(resource, "create_time")
    changed_at = timestamp(resource, "update_time") if "update_time" in resource else started_at
    facts = Facts(
        provider=PROVIDER,
        object_id=object_id,
        currency=currency,
        occurred_at=started_at if status in _RECEIVED - {"COMPLETED"} else changed_at,
        started_at=started_at,
        targets=((kind, amount_minor),) if kind else (),
        attempts=(state,),
        other_ids=(order,) if order else (),
        order_id=wrote.order_id,
        order_shop=wrote.shop,
        is_final=True,
    )
    return _ending_authorization(facts, resource) if status in _RECEIVED else facts


def _money_of(status: str) -> tuple[Kind | None, AttemptState]:
    """Return the kind of entry that a capture's state makes, and the attempt's. Raises ShapeUnexpected."""
    if status in _RECEIVED:
        return Kind.PAYMENT_RECEIVED, AttemptState.SETTLED
    if status == "PENDING":
        return Kind.PENDING, AttemptState.PENDING
    if status in _LOST:
        return None, AttemptState.DECLINED
    raise ShapeUnexpected(f"status of a capture is {status[:40]}")


def _ending_authorization(facts: Facts, resource: dict[str, Any]) -> Facts:
    """Add that the capture's authorization is over, if this was its last capture: no event reports that."""
    authorization = related(resource, "authorization_id") or linked(resource, "authorizations")
    if authorization is None or resource.get("final_capture") is False:
        return facts
    over = replace(
        facts, object_id=authorization, targets=(), attempts=(AttemptState.SETTLED,), other_ids=(), also=()
    )
    return replace(facts, also=(over,))


def read_authorization(resource: dict[str, Any], named: ObjectNamed) -> Facts | Parked:
    """Return the facts of an authorization. Raises ShapeUnexpected, PaypalAmountUnusable."""
    return contradiction(named, status_of(resource)) or authorization_facts(resource)


def authorization_facts(resource: dict[str, Any], order_id: str | None = None) -> Facts:
    """Return the facts of an authorization of the order, if that is known. Raises ShapeUnexpected,
    PaypalAmountUnusable.
    """
    status = status_of(resource)
    amount_minor, currency = amount_of(resource)
    started_at = timestamp(resource, "create_time")
    changed_at = timestamp(resource, "update_time") if "update_time" in resource else started_at
    order, wrote = order_id or related(resource, "order_id") or linked(resource, "orders"), named_in(resource)
    is_memo = status not in ("PENDING", "DENIED")
    return Facts(
        provider=PROVIDER,
        object_id=text(resource, "id"),
        currency=currency,
        occurred_at=changed_at,
        started_at=started_at,
        targets=((Kind.AUTHORISED, amount_minor),) if is_memo else (),
        attempts=(_attempt_of(status),),
        other_ids=(order,) if order else (),
        order_id=wrote.order_id,
        order_shop=wrote.shop,
        is_final=True,
    )


def _attempt_of(status: str) -> AttemptState:
    """Return the state of an attempt that reserves money first. Raises ShapeUnexpected."""
    states = {
        "CREATED": AttemptState.AUTHORISED,
        "PARTIALLY_CAPTURED": AttemptState.CAPTURED,
        "CAPTURED": AttemptState.SETTLED,
        "PENDING": AttemptState.PENDING,
        "DENIED": AttemptState.DECLINED,
        "VOIDED": AttemptState.CANCELLED,
        "EXPIRED": AttemptState.EXPIRED,
    }
    if status not in states:
        raise ShapeUnexpected(f"status of an authorization is {status[:40]}")
    return states[status]


def read_order(resource: dict[str, Any], named: ObjectNamed) -> Facts | Irrelevant:
    """Return the facts of all captures and authorizations of an order, in one. Raises ShapeUnexpected,
    PaypalAmountUnusable.
    """
    order_id = text(resource, "id")
    found = [*_inside(resource, "captures", order_id), *_inside(resource, "authorizations", order_id)]
    if found:
        first, *others = found
        return replace(first, also=(*first.also, *(each for one in others for each in _flat(one))))
    if status_of(resource) != "VOIDED":
        return Irrelevant("order_without_payment")
    return _forgotten(resource, order_id)


def _inside(resource: dict[str, Any], what: str, order_id: str) -> Sequence[Facts]:
    read = capture_facts if what == "captures" else authorization_facts
    units = [one for one in resource.get("purchase_units") or () if isinstance(one, dict)]
    payments = [(unit, unit.get("payments")) for unit in units]
    return [
        read({**_custom(unit), **one}, order_id)
        for unit, inside in payments
        if isinstance(inside, dict)
        for one in inside.get(what) or ()
        if isinstance(one, dict)
    ]


def _custom(unit: dict[str, Any]) -> dict[str, Any]:
    return {"custom_id": unit["custom_id"]} if "custom_id" in unit else {}


def _flat(facts: Facts) -> list[Facts]:
    return [replace(facts, also=()), *facts.also]


def _forgotten(resource: dict[str, Any], order_id: str) -> Facts:
    """Return the facts of an order that was approved and never captured."""
    units = [one for one in resource.get("purchase_units") or () if isinstance(one, dict)]
    wrote, started_at = named_in(units[0] if units else {}), timestamp(resource, "create_time")
    return Facts(
        provider=PROVIDER,
        object_id=order_id,
        currency=None,
        occurred_at=timestamp(resource, "update_time") if "update_time" in resource else started_at,
        started_at=started_at,
        attempts=(AttemptState.EXPIRED,),
        order_id=wrote.order_id,
        order_shop=wrote.shop,
    )
