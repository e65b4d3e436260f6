"""Webhooks without an order: what each waits for, its result meanwhile, and the report of its money."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from contracts.payments.accounts import PaymentUnmatched
from services.chassis.messaging.subscribers import order_key
from services.chassis.messaging.unit import Unit
from services.payments.accounts.facts import Facts, Reading, RefundFacts
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, object_key
from services.payments.accounts.unit.webhook_store import Ending
from services.payments.providers.port import ObjectNamed
from services.payments.webhooks import store
from services.payments.webhooks.aside_store import SET_ASIDE
from services.payments.webhooks.store import APART


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook whose order was not found."""

    webhook_id: UUID
    shop: str
    facts: Facts | RefundFacts
    received_at: datetime
    is_judged: bool = False
    """Whether staff had it applied again."""
    source: str = "webhook"
    """The source of the entries it causes: `reconcile` when no webhook brought it."""

    @property
    def order_id(self) -> UUID | None:
        """Return the order named by the storefront, when it named one of this shop."""
        return self.facts.order_id if self.facts.order_shop in (None, self.shop) else None

    @property
    def names_other_shop(self) -> bool:
        """Return whether the storefront names another shop."""
        return self.facts.order_shop not in (None, self.shop)

    @property
    def names_its_order(self) -> bool:
        """Return whether the storefront meant to name an order, even by a value that is not an order's id or by
        another shop's order.
        """
        return self.order_id is not None or self.facts.names_order_badly or self.names_other_shop

    @property
    def own(self) -> list[tuple[str, str, str]]:
        """Return the names that belong to its order from now on."""
        return [(self.shop, self.facts.provider, object_id) for object_id in self.facts.own_ids]

    @property
    def payment(self) -> tuple[str, str, str]:
        return (self.shop, self.facts.provider, self.facts.object_id)

    @property
    def objects(self) -> list[tuple[str, str, str]]:
        return [(self.shop, self.facts.provider, object_id) for object_id in self.facts.ids]

    @property
    def keys(self) -> list[str]:
        """Return the keys that can bring its order: a claim of any of the payment's ids, or the opening of
        the order.
        """
        keys = [object_key(self.facts.provider, object_id) for object_id in self.facts.ids]
        return [*keys, order_key(self.order_id)] if self.order_id else keys


async def report_unmatched(unit: Unit, key: str, payload: dict[str, Any]) -> None:
    """Report a webhook after the waiting time: money is parked and reported, other events are set aside.
    Either still joins its order.

    Money that names an order is reported at its first timer and goes on waiting: orders may have that order
    as a checkout that was never placed, and place it. It is not reported twice.
    """
    if (over_at := payload.pop("over_at", None)) is not None:
        if await store.is_waiting(unit.connection, UUID(key)):
            _say_unmatched(unit, payload)
            unit.set_timer(
                UNMATCHED_TIMER, key, datetime.fromisoformat(over_at), {**payload, "is_reported": True}
            )
        return
    has_money = payload["amount_minor"] > 0
    state, detail = ("parked", "no order claims it") if has_money else ("irrelevant", "no order, no money")
    given_up = await store.give_up(unit.connection, UUID(key), state, "order_unknown", detail)
    if given_up and has_money and not payload.get("is_reported"):
        _say_unmatched(unit, payload)


def _say_unmatched(unit: Unit, payload: dict[str, Any]) -> None:
    unit.emit(PaymentUnmatched.model_validate(payload), subject=payload["provider_reference"])


def ending_of_other(
    row: asyncpg.Record, reading: Reading | ObjectNamed, order_id: UUID | None, *, is_same: bool
) -> Ending:
    """Return the result of a webhook under an event id that has another body: a repeat if its content is
    equal, else staff decide. `order_id` is the order that the first webhook is about.
    """
    if is_same:
        return Ending(row["id"], "duplicate", order_id=order_id)
    event_id = row["event_id"].partition(APART)[0]
    detail = f"event {event_id} came before with other content; compare both, then look again or set it aside"
    money: tuple[str | None, int | None, str | None] = (None, None, None)
    if isinstance(reading, Facts | RefundFacts):
        money = (reading.object_id, reading.received_minor or None, reading.currency)
    return Ending(row["id"], "parked", "other_content", detail, order_id, *money)


def ending_without_order(webhook: Waiting, aside: str | None, *, is_elsewhere: bool) -> Ending:
    """Return the result without an order: it waits, unless it names another shop that has an endpoint too
    (`is_elsewhere`), or staff set its payment aside; if an order names the payment later, it joins that
    order in any case.
    """
    facts = webhook.facts
    money = (facts.object_id, facts.received_minor or None, facts.currency)
    named = f"names shop {str(facts.order_shop)[:100]}; this endpoint is of shop {webhook.shop}"
    if webhook.names_other_shop and is_elsewhere:
        return Ending(webhook.webhook_id, "irrelevant", "names_other_shop", named, None, *money)
    if aside is not None:
        return Ending(webhook.webhook_id, "irrelevant", SET_ASIDE, aside, None, *money)
    keys = ", ".join(webhook.keys)
    detail = f"{keys}; the order it names is not an order's id" if facts.names_order_badly else keys
    detail = f"{detail}; {named}" if webhook.names_other_shop else detail
    return Ending(webhook.webhook_id, "waiting", "order_unknown", detail, None, *money)


def orders_of(
    webhook: Waiting, known: dict[tuple[str, str, str], UUID], holders: dict[tuple[str, str, str], UUID]
) -> list[UUID]:
    """Return the orders its money may belong to, the surest first: by a linked id, then by what the
    storefront wrote.
    """
    if isinstance(webhook.facts, RefundFacts):
        known = {key: known[key] for key in webhook.own if key in known} | holders
    orders = [known[key] for key in webhook.objects if key in known]
    return [*orders, webhook.order_id] if webhook.order_id else orders
