"""Conversion of a Stripe event to facts of our ledger. Pure; the table of facts by event type is `READERS`.

Money is read from the object's state, never from the event's name, and named by the intent, whichever object
reports it (the intent, its charge, its checkout session; a charge without intent names itself): each contains
the whole sum so far, so repeats, partial captures and several events about one payment end in the same
entries. Each refund arrives under its own id, regardless of the event's type. Contradictory events,
and types that move money in a way this ledger does not record, are parked, visible and never lost. Source:
Stripe's event reference.
"""

from collections.abc import Callable
from typing import Any

from contracts.payments.accounts import AttemptState
from services.payments.accounts.facts import Facts, Irrelevant, Parked, Reading
from services.payments.accounts.ledger import Kind
from services.payments.accounts.remarks import Topic
from services.payments.providers.strict_json import JsonRefused
from services.payments.providers.stripe.disputing import read_dispute
from services.payments.providers.stripe.event import (
    Event,
    ShapeUnexpected,
    amount_of,
    contradiction,
    facts_of,
    read_event,
    remarks_of,
    text,
)
from services.payments.providers.stripe.money import StripeAmountUnusable
from services.payments.providers.stripe.news import NEWS
from services.payments.providers.stripe.reading_refunds import read_charge_refunded, read_refund

_MONEY = ("payment_intent.", "charge.", "refund.", "checkout.session.")
"""Families of events about customers' payments: a type of these without a reader is shown to staff."""


def read(body: bytes, *, is_live: bool, account: str | None) -> Reading:
    """Return the content of a stored webhook; `is_live` and `account` are what its endpoint was set up for.
    Never raises.
    """
    try:
        event = read_event(body)
        if event.is_live is not is_live:
            return Parked(
                "livemode_differs", f"event {event.is_live}, endpoint {is_live}; check both settings"
            )
        if event.account != account:
            return Parked("account_unexpected", f"event is of account {event.account}, endpoint of {account}")
        return _read_known(event)
    except JsonRefused as refused:
        return Parked("unreadable", str(refused))
    except ShapeUnexpected as unexpected:
        return Parked("shape_unexpected", str(unexpected))
    except StripeAmountUnusable as unusable:
        return Parked("amount_unusable", str(unusable))


def _read_known(event: Event) -> Reading:
    reader = READERS.get(event.type)
    if reader is not None:
        return reader(event)
    if event.type.startswith(_MONEY) or event.type.partition(".")[0] not in NEWS:
        return Parked(
            "type_unknown", f"no rule for {event.type}; take it off the endpoint if it is not wanted"
        )
    return Irrelevant("no_money_of_an_order")


def _intent(event: Event, *attempts: AttemptState, targets: tuple[tuple[Kind, int], ...] = ()) -> Facts:
    return facts_of(event, text(event.resource, "id"), attempts, targets)


def _intent_succeeded(event: Event) -> Reading:
    if event.resource.get("status") != "succeeded":
        return contradiction(event, event.resource.get("status"))
    received = amount_of(event, "amount_received")
    return _intent(event, AttemptState.SETTLED, targets=((Kind.PAYMENT_RECEIVED, received),))


def _intent_capturable(event: Event) -> Reading:
    if event.resource.get("status") not in ("requires_capture", "succeeded"):
        return contradiction(event, event.resource.get("status"))
    received, capturable = amount_of(event, "amount_received"), amount_of(event, "amount_capturable")
    state = AttemptState.CAPTURED if received else AttemptState.AUTHORISED
    authorised = (Kind.AUTHORISED, received + capturable)
    return _intent(event, state, targets=(authorised, (Kind.PAYMENT_RECEIVED, received)))


def _intent_processing(event: Event) -> Reading:
    if event.resource.get("status") == "succeeded":
        return contradiction(event, "succeeded")
    return _intent(event, AttemptState.PENDING, targets=((Kind.PENDING, amount_of(event, "amount")),))


def _intent_cancelled(event: Event) -> Reading:
    if event.resource.get("status") == "succeeded":
        return contradiction(event, "succeeded")
    is_expired = event.resource.get("cancellation_reason") == "expired"
    return _intent(event, AttemptState.EXPIRED if is_expired else AttemptState.CANCELLED)


def _intent_partially_funded(event: Event) -> Reading:
    """Return the remark of a partial funding: the amount is not stated; the intent states it once it is fully
    funded.
    """
    return remarks_of(
        event, Topic.PARTLY_FUNDED, text(event.resource, "id"), text(event.resource, "id"), "", 0
    )


def _intent_is(state: AttemptState) -> Callable[[Event], Reading]:
    def read_intent(event: Event) -> Reading:
        if event.resource.get("status") == "succeeded":
            return contradiction(event, "succeeded")
        return _intent(event, state)

    return read_intent


def _charge(*states: str) -> Callable[[Event], Reading]:
    """Return the facts of a charge whose state must be one of these, if any are given. A charge of an intent
    reports the intent's money; its other fields are in the intent as well.
    """

    def read_charge(event: Event) -> Reading:
        state = _charge_state(event.resource)
        if state and states and state not in states:
            return contradiction(event, state)
        is_captured = event.resource.get("captured") is True
        if event.resource.get("payment_intent") is None:
            return _lone_charge(event, state, is_captured)
        if state != "succeeded" or not is_captured:
            return Irrelevant("intent_says_it")
        money = ((Kind.PAYMENT_RECEIVED, _captured(event)),)
        return facts_of(
            event, text(event.resource, "payment_intent"), (), money, (text(event.resource, "id"),)
        )

    return read_charge


def _charge_state(resource: dict[str, Any]) -> str:
    """Return `succeeded` only when the charge is paid as well; Stripe sets both. Empty when neither is set."""
    is_paid = resource.get("paid") is True
    state = resource.get("status", "succeeded" if is_paid else "pending" if "paid" in resource else "")
    if state not in ("succeeded", "pending", "failed", ""):
        raise ShapeUnexpected(f"status of a charge is {str(state)[:40]}")
    return "pending" if state == "succeeded" and not is_paid else str(state)


def _captured(event: Event) -> int:
    return amount_of(event, "amount_captured" if "amount_captured" in event.resource else "amount")


def _lone_charge(event: Event, state: str, is_captured: bool) -> Facts:
    if state != "succeeded":
        return _intent(event, AttemptState.DECLINED if state == "failed" else AttemptState.PENDING)
    if not is_captured:
        return _intent(
            event, AttemptState.AUTHORISED, targets=((Kind.AUTHORISED, amount_of(event, "amount")),)
        )
    return _intent(event, AttemptState.SETTLED, targets=((Kind.PAYMENT_RECEIVED, _captured(event)),))


def _charge_expired(event: Event) -> Reading:
    if event.resource.get("payment_intent") is not None:
        return Irrelevant("intent_says_it")
    if event.resource.get("captured") is True:
        return contradiction(event, "captured")
    return _intent(event, AttemptState.EXPIRED)


def _session(*attempts: AttemptState, paid: bool | None = None) -> Callable[[Event], Reading]:
    """Return the facts of a checkout session, which names its intent and reports the intent's money when it
    is paid. `paid` is the statement of the event's type.

    A session without an intent has money of its own only in mode `payment`: a subscription's comes by its
    invoice's intent.
    """

    def read_session(event: Event) -> Reading:
        state = event.resource.get("payment_status")
        if paid is not None and (state == "paid") is not paid:
            return contradiction(event, state)
        has_total = state == "paid" and event.resource.get("amount_total") is not None
        total = amount_of(event, "amount_total") if has_total else 0
        intent, session_id = event.resource.get("payment_intent"), text(event.resource, "id")
        if intent is None and not (total and event.resource.get("mode") == "payment"):
            return Irrelevant("session_without_payment")
        payment = session_id if intent is None else text(event.resource, "payment_intent")
        states = attempts or ((AttemptState.PENDING,) if state == "unpaid" else ())
        money = ((Kind.PAYMENT_RECEIVED, total),) if total else ()
        return facts_of(event, payment, states, money, (session_id,))

    return read_session


READERS: dict[str, Callable[[Event], Reading]] = {
    "payment_intent.succeeded": _intent_succeeded,
    "payment_intent.amount_capturable_updated": _intent_capturable,
    "payment_intent.processing": _intent_processing,
    "payment_intent.canceled": _intent_cancelled,
    "payment_intent.partially_funded": _intent_partially_funded,
    "payment_intent.created": _intent_is(AttemptState.CREATED),
    "payment_intent.requires_action": _intent_is(AttemptState.REQUIRES_ACTION),
    "payment_intent.payment_failed": _intent_is(AttemptState.DECLINED),
    "charge.succeeded": _charge("succeeded"),
    "charge.captured": _charge("succeeded"),
    "charge.updated": _charge(),
    "charge.pending": _charge("pending"),
    "charge.failed": _charge("failed"),
    "charge.expired": _charge_expired,
    "charge.refunded": read_charge_refunded,
    "charge.refund.updated": read_refund,
    "refund.created": read_refund,
    "refund.updated": read_refund,
    "refund.failed": read_refund,
    "charge.dispute.created": read_dispute,
    "charge.dispute.updated": read_dispute,
    "charge.dispute.closed": read_dispute,
    "charge.dispute.funds_withdrawn": read_dispute,
    "charge.dispute.funds_reinstated": read_dispute,
    "checkout.session.completed": _session(),
    "checkout.session.async_payment_succeeded": _session(paid=True),
    "checkout.session.async_payment_failed": _session(AttemptState.DECLINED, paid=False),
    "checkout.session.expired": _session(AttemptState.EXPIRED, paid=False),
}
"""The facts each type of event may write. A type that is not here writes nothing."""
