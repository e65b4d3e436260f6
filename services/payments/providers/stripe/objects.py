"""Common fields of Stripe's objects: the order they name, the payment they belong to, their amounts. Pure."""

from typing import Any
from uuid import UUID

from contracts.payments.accounts import AttemptState
from services.payments.accounts.facts import Facts, Parked, RefundFacts
from services.payments.accounts.ledger import Kind
from services.payments.accounts.remarks import Remark, Topic
from services.payments.providers.stripe import PROVIDER
from services.payments.providers.stripe.event import Event, moment, text
from services.payments.providers.stripe.money import currency_of, to_minor

ORDER_KEY = "comptoir_order_id"
SHOP_KEY = "comptoir_shop"
REFUND_KEY = "comptoir_refund_id"


def facts_of(
    event: Event,
    object_id: str,
    attempts: tuple[AttemptState, ...],
    targets: tuple[tuple[Kind, int], ...],
    other_ids: tuple[str, ...] = (),
) -> Facts:
    """Return the facts about one payment in an event's object. Raises ShapeUnexpected, StripeAmountUnusable."""
    order_id, order_shop, is_bad = order_named_in(event.thing)
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
        names_order_badly=is_bad,
    )


def order_named_in(thing: dict[str, Any]) -> tuple[UUID | None, str | None, bool]:
    """Return what the storefront wrote into the object's metadata, or into a session's client reference; and
    whether it meant to name an order but used a value that is not an order's id.
    """
    metadata = thing.get("metadata")
    named: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    shop = named.get(SHOP_KEY)
    candidate = named.get(ORDER_KEY) or thing.get("client_reference_id")
    try:
        order_id = UUID(candidate) if isinstance(candidate, str) else None
    except ValueError:
        order_id = None
    is_bad = order_id is None and bool(named.get(ORDER_KEY))
    return order_id, shop if isinstance(shop, str) else None, is_bad


def amount_of(event: Event, field: str) -> int:
    """Return an amount of the event's object in ISO 4217 minor units. Raises StripeAmountUnusable."""
    return to_minor(event.thing.get(field), currency_of(event.thing.get("currency")))


def payment_of(thing: dict[str, Any]) -> str:
    """Return the intent, or the charge that has none."""
    if thing.get("payment_intent") is not None:
        return text(thing, "payment_intent")
    return text(thing, "id" if thing.get("object") == "charge" else "charge")


def remarks_of(
    event: Event, topic: Topic, object_id: str, payment: str, state: str, amount_minor: int
) -> RefundFacts:
    """Return one remark about a payment, from an event's object. Raises StripeAmountUnusable."""
    order_id, order_shop, is_bad = order_named_in(event.thing)
    remark = Remark(topic, PROVIDER, object_id, payment, state, amount_minor, event.created_at)
    currency = currency_of(event.thing.get("currency"))
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
    kind = str(event.thing.get("object") or "object")[:40].replace("_", " ")
    said = f"its {kind} is {str(state)[:40]}"
    return Parked(
        "state_contradicts_type", f"{event.type}, but {said}; look at it in Stripe, then look again"
    )
