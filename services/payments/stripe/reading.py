"""From a Stripe event to facts of our books. Pure; the table of what each type may write is `READERS`.

Money comes from the intent only (a charge counts when it has no intent): `amount_received` is the whole sum so far,
so repeats, captures in parts and several events about one payment end in the same entries. Refunds come each by its
own id, whatever the event about it is called. Types that move money in a way these books do not take in are parked,
visible and never lost. Source: Stripe's event reference.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.payments import AttemptState
from services.payments.facts import Facts, Irrelevant, Parked, Reading, RefundFacts
from services.payments.ledger import Kind
from services.payments.refunds import RANKS, Made
from services.payments.strict_json import JsonRefused
from services.payments.stripe import PROVIDER
from services.payments.stripe.event import Event, ShapeUnexpected, moment, read_event, text
from services.payments.stripe.money import StripeAmountUnusable, currency_of, to_minor

ORDER_KEY = "comptoir_order_id"
SHOP_KEY = "comptoir_shop"
REFUND_KEY = "comptoir_refund_id"
EACH_REFUND_TOLD_SINCE = "2024-10-28"
_NO_MONEY_OF_ORDERS = ("customer.", "payment_method.", "product.", "price.", "setup_intent.")
_MONEY_TO_BE_SEEN = ("charge.dispute.",)


def read(body: bytes, *, is_live: bool, account: str | None) -> Reading:
    """What a stored webhook says; `is_live` and `account` are what its endpoint was set up for. Never raises."""
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
    if event.type.startswith(_NO_MONEY_OF_ORDERS):
        return Irrelevant("no_money_of_an_order")
    if event.type.startswith(_MONEY_TO_BE_SEEN):
        return Parked(
            "not_posted_by_itself", f"{event.type} moves money and is not posted; look at it in Stripe"
        )
    return Parked("type_unknown", f"no rule for {event.type}; take it off the endpoint if it is not wanted")


def _intent(event: Event, *attempts: AttemptState, targets: tuple[tuple[Kind, int], ...] = ()) -> Facts:
    return _facts(event, text(event.thing, "id"), attempts, targets)


def _facts(
    event: Event,
    object_id: str,
    attempts: tuple[AttemptState, ...],
    targets: tuple[tuple[Kind, int], ...],
    other_ids: tuple[str, ...] = (),
) -> Facts:
    order_id, order_shop = _order_named_in(event.thing)
    has_currency = bool(targets) or event.thing.get("currency") is not None
    return Facts(
        provider=PROVIDER,
        object_id=object_id,
        currency=currency_of(event.thing.get("currency")) if has_currency else None,
        occurred_at=event.created_at,
        started_at=moment(event.thing, "created"),
        targets=tuple((kind, target) for kind, target in targets if target > 0),
        attempts=attempts,
        other_ids=other_ids,
        order_id=order_id,
        order_shop=order_shop,
    )


def _order_named_in(thing: dict[str, Any]) -> tuple[UUID | None, str | None]:
    """What the storefront wrote into the object's metadata, or into a session's client reference."""
    metadata = thing.get("metadata")
    named: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    shop = named.get(SHOP_KEY)
    candidate = named.get(ORDER_KEY) or thing.get("client_reference_id")
    try:
        order_id = UUID(candidate) if isinstance(candidate, str) else None
    except ValueError:
        order_id = None
    return order_id, shop if isinstance(shop, str) else None


def _amount(event: Event, field: str) -> int:
    return to_minor(event.thing.get(field), currency_of(event.thing.get("currency")))


def _intent_succeeded(event: Event) -> Reading:
    if event.thing.get("status") != "succeeded":
        return Parked("state_contradicts_type", f"{event.type} of an intent that is not succeeded")
    received = _amount(event, "amount_received")
    return _intent(event, AttemptState.SETTLED, targets=((Kind.PAYMENT_RECEIVED, received),))


def _intent_capturable(event: Event) -> Reading:
    received, capturable = _amount(event, "amount_received"), _amount(event, "amount_capturable")
    state = AttemptState.CAPTURED if received else AttemptState.AUTHORISED
    authorised = (Kind.AUTHORISED, received + capturable)
    return _intent(event, state, targets=(authorised, (Kind.PAYMENT_RECEIVED, received)))


def _intent_processing(event: Event) -> Reading:
    return _intent(event, AttemptState.PENDING, targets=((Kind.PENDING, _amount(event, "amount")),))


def _intent_cancelled(event: Event) -> Reading:
    is_expired = event.thing.get("cancellation_reason") == "expired"
    return _intent(event, AttemptState.EXPIRED if is_expired else AttemptState.CANCELLED)


def _intent_partially_funded(event: Event) -> Reading:
    return Parked("not_posted_by_itself", "a bank transfer covered a part of the intent; read it in Stripe")


def _refund(event: Event) -> Reading:
    return refund_facts(event.thing, event.created_at)


def _charge_refunded(event: Event) -> Reading:
    """Versions before 2022-11-15 list the charge's refunds inside; those from 2024-10-28 on tell each by an event of
    its own; those between tell only a sum, which would be posted without knowing of which refund.
    """
    listed = event.thing.get("refunds")
    items = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        if event.api_version is not None and event.api_version[:10] < EACH_REFUND_TOLD_SINCE:
            return Parked(
                "not_posted_by_itself",
                f"{event.api_version} tells refunds in sums; raise the endpoint's API version",
            )
        return Irrelevant("refund_says_it")
    found = [refund_facts(item, event.created_at) for item in items]
    return replace(found[0], made=tuple(made for facts in found for made in facts.made))


def _intent_is(state: AttemptState) -> Callable[[Event], Reading]:
    return lambda event: _intent(event, state)


def _lone_charge(*attempts: AttemptState, with_money: bool) -> Callable[[Event], Reading]:
    """A charge speaks for itself only when no intent does."""

    def read_charge(event: Event) -> Reading:
        if event.thing.get("payment_intent") is not None:
            return Irrelevant("intent_says_it")
        if with_money and event.thing.get("captured") is not True:
            return _intent(
                event, AttemptState.AUTHORISED, targets=((Kind.AUTHORISED, _amount(event, "amount")),)
            )
        field = "amount_captured" if "amount_captured" in event.thing else "amount"
        received = ((Kind.PAYMENT_RECEIVED, _amount(event, field)),) if with_money else ()
        return _intent(event, *attempts, targets=received)

    return read_charge


def _session(*attempts: AttemptState) -> Callable[[Event], Reading]:
    """A checkout session names the intent; the money comes with the intent."""

    def read_session(event: Event) -> Reading:
        intent = event.thing.get("payment_intent")
        if intent is None:
            return Irrelevant("session_without_payment")
        unpaid = event.thing.get("payment_status") == "unpaid"
        states = attempts or ((AttemptState.PENDING,) if unpaid else ())
        session_id = text(event.thing, "id")
        return _facts(event, text(event.thing, "payment_intent"), states, (), (session_id,))

    return read_session


def refund_facts(thing: dict[str, Any], occurred_at: datetime) -> RefundFacts:
    """What a refund says, from an event or from the answer to our own call.

    Raises ShapeUnexpected, StripeAmountUnusable. The payment is the intent, or the charge that has none.
    """
    payment = text(thing, "charge" if thing.get("payment_intent") is None else "payment_intent")
    currency = currency_of(thing.get("currency"))
    state = thing.get("status") or "succeeded"
    if state not in RANKS:
        raise ShapeUnexpected(f"status of a refund is {str(state)[:40]}")
    order_id, order_shop = _order_named_in(thing)
    why = thing.get("failure_reason")
    made = Made(
        provider=PROVIDER,
        object_id=text(thing, "id"),
        payment=payment,
        amount_minor=to_minor(thing.get("amount"), currency),
        made_at=moment(thing, "created"),
        states=frozenset((state,)),
        refund_id=_refund_named_in(thing),
        is_duplicate=thing.get("reason") == "duplicate",
        detail=why[:500] if isinstance(why, str) else None,
    )
    return RefundFacts(PROVIDER, payment, currency, occurred_at, (made,), order_id, order_shop)


def _refund_named_in(thing: dict[str, Any]) -> UUID | None:
    metadata = thing.get("metadata")
    named = metadata.get(REFUND_KEY) if isinstance(metadata, dict) else None
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None


READERS: dict[str, Callable[[Event], Reading]] = {
    "payment_intent.succeeded": _intent_succeeded,
    "payment_intent.amount_capturable_updated": _intent_capturable,
    "payment_intent.processing": _intent_processing,
    "payment_intent.canceled": _intent_cancelled,
    "payment_intent.partially_funded": _intent_partially_funded,
    "payment_intent.created": _intent_is(AttemptState.CREATED),
    "payment_intent.requires_action": _intent_is(AttemptState.REQUIRES_ACTION),
    "payment_intent.payment_failed": _intent_is(AttemptState.DECLINED),
    "charge.succeeded": _lone_charge(AttemptState.SETTLED, with_money=True),
    "charge.captured": _lone_charge(AttemptState.SETTLED, with_money=True),
    "charge.updated": _lone_charge(AttemptState.SETTLED, with_money=True),
    "charge.pending": _lone_charge(AttemptState.PENDING, with_money=False),
    "charge.failed": _lone_charge(AttemptState.DECLINED, with_money=False),
    "charge.expired": _lone_charge(AttemptState.EXPIRED, with_money=False),
    "charge.refunded": _charge_refunded,
    "charge.refund.updated": _refund,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "checkout.session.completed": _session(),
    "checkout.session.async_payment_succeeded": _session(),
    "checkout.session.async_payment_failed": _session(AttemptState.DECLINED),
    "checkout.session.expired": _session(AttemptState.EXPIRED),
}
"""What each type of event may write. A type that is not here writes nothing."""
