"""Unmatched payments («À identifier»): money without an order, and its assignment to one.

Payments reports what is unmatched now, with hints from the provider; while it is unavailable, orders' own
copy of its reports is shown. Only a user decides whose money it is: an equal amount is merely suggested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
from starlette.responses import Response

from contracts.payments.accounts import ReassignPayment
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.orders.api.actions import unmatched_store
from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.reasons import by_field
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations.parked import request
from services.orders.backoffice.payments import store as payments_store
from services.orders.backoffice.payments.pages import tabs_of_payments
from services.orders.backoffice.payments.webhook_pages import reason_of
from services.orders.backoffice.payments.words import hint_words, provider_word, reason_words
from services.orders.backoffice.web.actions.action import Errors, carry_out, command, do
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing import payments as payments_listing
from services.orders.order.short_code import read_code

pages = Pages()
LIST, ONE, ASIDE = "/payments/unmatched", "/payments/unmatched/payment", "/payments/unmatched/set_aside"
LONGEST_NOTE = 1000
PAYER = ("payer_name", "payer_email")


@dataclass(frozen=True)
class Unmatched:
    """An unmatched payment. `hints`: the provider's data, with labels; `who`: name and mail address among these;
    `is_reported`: payments currently reports it as unmatched.
    """

    provider: str
    reference: str
    amount_minor: int
    currency: str
    received_at: datetime
    reason: str
    hints: tuple[tuple[str, str], ...] = ()
    who: tuple[str, ...] = ()
    is_reported: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Return the payment's unique key within its shop."""
        return self.provider, self.reference

    @property
    def provider_name(self) -> str:
        """Return the provider's display name."""
        return provider_word(self.provider)

    @property
    def href(self) -> str:
        """Return the address of its page."""
        return href_of(self.provider, self.reference)


def href_of(provider: str, reference: str, order: str = "") -> str:
    """Return the address of a payment's page, with an order it may be assigned to."""
    names = {"provider": provider, "reference": reference, **({"order": order} if order else {})}
    return f"{ONE}?{urlencode(names)}"


async def _show(context: PageContext, rejected: Errors) -> Response:
    errors = {name: why for name, why in rejected.items() if name in ("order", "note", "reason")}
    if above := " ".join(why for name, why in rejected.items() if name not in errors):
        errors[""] = above
    provider, reference = _named(context)
    payments, owner = await _unmatched(context)
    payment = next((one for one in payments if one.key == (provider, reference)), None)
    async with context.reading() as connection:
        holders = await payments_store.read_holders(connection, context.shop, provider, reference)
        order = await _order(connection, context)
        suggested = await _suggested(connection, context, payment) if payment else []
    if payment is None and not holders:
        raise Missing
    typed = context.query.get("order", "").strip()[:64]
    if typed and order is None:
        errors = {"order": gettext("No order has this code."), **errors}
    return context.render(
        "payments/payment.html",
        422 if context.request.method == "POST" else 200,
        payment=payment,
        owner=owner,
        holders=list(holders.values()),
        order=order,
        suggested=[(one, href_of(provider, reference, one["code"])) for one in suggested],
        typed_order=typed,
        note=context.form_read["note"],
        typed_reason=context.form_read["reason"],
        aside_href=f"{ASIDE}?{urlencode({'provider': provider, 'reference': reference})}",
        key=context.form_read.key,
        names=(provider, reference),
        errors=errors,
        reasons=reason_words(),
    )


@pages.get(LIST, Permission.PAYMENTS_VIEW)
async def show_unmatched(context: PageContext) -> Response:
    """Show all unmatched payments, and the latest assigned ones."""
    payments, owner = await _unmatched(context)
    async with context.reading() as connection:
        found = await payments_store.read_found(connection, context.shop)
    return context.render(
        "payments/unmatched.html",
        payments=payments,
        owner=owner,
        found=found,
        reasons=reason_words(),
        provider_word=provider_word,
        tabs_shown=tabs_of_payments(LIST),
    )


@pages.get(ONE, Permission.PAYMENTS_VIEW)
async def show_payment(context: PageContext) -> Response:
    """Show one payment, orders it may belong to, and the effect of an assignment on the order's balance."""
    return await _show(context, {})


@pages.post(ONE, Permission.PAYMENTS_REASSIGN, action="payment.reassign", again=_show)
async def assign(context: PageContext) -> Response:
    """Assign the payment to the order."""
    provider, reference = _named(context)
    note = context.form_read.text("note", longest=LONGEST_NOTE)
    order = await _order_to_have(context, provider, reference)
    about = {"provider": provider, "provider_reference": reference, "note": note}

    def message(_: UUID) -> ReassignPayment:
        return ReassignPayment(shop=context.shop, order_id=order["order_id"], actor=context.actor, **about)

    flash = gettext("Payment assigned to order %(code)s.", code=order["code"])
    return await carry_out(context, command(context, order["order_id"], message), to=LIST, flash=flash)


@pages.post(ASIDE, Permission.PAYMENTS_REASSIGN, action="payment.set_aside", again=_show)
async def set_aside(context: PageContext) -> Response:
    """Set the payment aside, once and with a reason: it belongs to no order of this shop."""
    provider, reference = _named(context)
    context.audited.update(provider=provider, reference=reference)
    reason = reason_of(context.form_read)
    body = {"shop": context.shop, "provider": provider, "provider_reference": reference, "reason": reason}

    async def act(unit: Unit) -> None:
        answer = await request(context, "payments", "unmatched/set_aside", body)
        context.audited["webhooks"] = answer.get("webhooks", 0)
        if context.audited["webhooks"]:
            payment, who = (provider, reference), (context.actor, reason, unit.now)
            await unmatched_store.set_aside(unit.connection, context.shop, payment, *who)

    await do(context, act)
    if context.audited.get("webhooks") == 0:
        return context.redirect(LIST, gettext("Nothing to do: somebody else has already done it."), "note")
    return context.redirect(LIST, gettext("Payment set aside."))


async def _order_to_have(context: PageContext, provider: str, reference: str) -> asyncpg.Record:
    """Return the chosen order. Raises Invalid when it does not exist, the payment is too large, or another order has
    got the payment since the page was shown.
    """
    async with context.reading() as connection:
        order = await _order(connection, context)
        holders = await payments_store.read_holders(connection, context.shop, provider, reference)
        faults = await unmatched_store.faults_of_assigning(connection, context.shop, (provider, reference))
    if faults:
        raise Invalid(**by_field(faults))
    if order is None:
        raise Invalid(order=gettext("No order has this code."))
    if holders and order["order_id"] not in holders:
        code = next(iter(holders.values()))
        raise Invalid(**{"": gettext("Order %(code)s has received this payment in the meantime.", code=code)})
    return order


def _named(context: PageContext) -> tuple[str, str]:
    """Return provider and reference in the URL. Raises Missing when they are invalid."""
    provider, reference = context.query.get("provider", ""), context.query.get("reference", "")
    if not all(0 < len(one) <= 200 and "\x00" not in one for one in (provider, reference)):
        raise Missing
    return provider, reference


async def _order(connection: Connection, context: PageContext) -> asyncpg.Record | None:
    code = read_code(context.query.get("order", "")[:64])
    return await payments_store.read_order(connection, context.shop, code) if code else None


async def _suggested(
    connection: Connection, context: PageContext, payment: Unmatched
) -> list[asyncpg.Record]:
    return await payments_store.read_orders_owing(
        connection, context.shop, payment.amount_minor, payment.currency, payment.received_at
    )


async def _unmatched(context: PageContext) -> tuple[list[Unmatched], Answer | ServiceUnavailable]:
    """Return the unmatched payments, the latest first; from orders' copy when payments does not answer."""
    answer = await context.app_state.clients.get("payments", "/internal/unmatched", shop=context.shop)
    may_see = context.may(Permission.ORDERS_PERSONAL)
    listed = (
        []
        if isinstance(answer, ServiceUnavailable)
        else [_reported(row, may_see) for row in answer.body["payments"]]
    )
    keys = [one.key for one in listed]
    async with context.reading() as connection:
        copied = (await payments_listing.read_unmatched(connection, context.shop))["payments"]
        assigned = await payments_store.read_assigned(
            connection, context.shop, [provider for provider, _ in keys], [reference for _, reference in keys]
        )
    found = {one.key: one for one in map(_copied, copied)}
    found.update({one.key: one for one in listed if one.key not in assigned})
    return sorted(found.values(), key=lambda one: one.received_at, reverse=True), answer


def _copied(row: Mapping[str, Any]) -> Unmatched:
    return Unmatched(
        row["provider"],
        row["provider_reference"],
        row["amount_minor"],
        row["currency"],
        datetime.fromisoformat(row["received_at"]),
        row["reason"],
    )


def _reported(row: Mapping[str, Any], may_see: bool) -> Unmatched:
    return Unmatched(
        row["provider"],
        row["object_id"],
        row["amount_minor"],
        row["currency"],
        datetime.fromisoformat(row["received_at"]),
        "waiting" if row["state"] == "waiting" else row["reason"] or "order_unknown",
        tuple(_hints(row["clues"])) if may_see else (),
        tuple(str(row["clues"][name]) for name in PAYER if row["clues"].get(name)) if may_see else (),
        is_reported=True,
    )


def _hints(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    words = hint_words()
    named = [(words[name], str(details[name])) for name in words if details.get(name)]
    return [*named, *((str(name), str(value)) for name, value in details.get("metadata", {}).items())]
