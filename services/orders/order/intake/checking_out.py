"""Checkouts that are opened, resumed, dropped, time out or are paid without having been submitted.

Handlers only fold the received facts; the result is settled once per unit, from all of them. A checkout
already placed is an order: later facts are stored and change nothing. One that ended and was paid is placed
as last opened, if that is a complete sale; if not, it is flagged and its money waits for staff.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.catalogue import STOREFRONT, type_of
from contracts.envelope import Envelope
from contracts.orders.lifecycle import AbandonedBy, CheckoutAbandoned
from contracts.storefront import CheckoutDropped, CheckoutOpened
from contracts.timestamps import is_in_range
from services.chassis.messaging.subscribers import ReceivedMessage, Refuse
from services.chassis.messaging.unit import Unit
from services.orders.order.attention import PAID_WITHOUT_ORDER
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.intake import placing, refusing
from services.orders.order.intake.adaptation import is_link_of_a_mail
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.shop.settings import settings_of
from services.orders.order.state import Stage
from services.orders.order.store import OrderKey
from services.orders.order.unit.actions import StaffAction
from services.orders.order.unit.checkouts.checkout import CLOCK_TOLERANCE, Checkout, sale_of
from services.orders.order.unit.checkouts.checkouts import TIMER, timer_key
from services.orders.order.unit.submissions import placed_store
from services.orders.order.unit.submissions.submission import body_of, is_foreign
from services.orders.order.unit.unit import OrderUnit
from services.orders.order.validation.sale import out_of_range


def open_checkout(work: OrderUnit, received: ReceivedMessage[CheckoutOpened]) -> None:
    """Record the checkout as opened, unless a later opening is recorded.

    Idempotent: a repeat, or an earlier opening than the known one, changes nothing.
    """
    opened = received.message
    _check_dates({"opened_at": opened.opened_at, **_dates_of_lines(opened)})
    if opened.opened_at > work.unit.now + CLOCK_TOLERANCE:
        raise Refuse(
            "opened_in_future",
            f"opened at {opened.opened_at.isoformat()}, but it is {work.unit.now.isoformat()}; correct the clock",
        )
    checkout = _own(work, received)
    checkout.open(opened.opened_at, received.envelope.id, opened.model_dump_json(exclude_none=True))
    _note(work, received, "checkout_opened")
    _note_link(work, received)


def drop_checkout(work: OrderUnit, received: ReceivedMessage[CheckoutDropped]) -> None:
    """Record that the customer dropped the checkout; a later opening takes precedence.

    Idempotent: a repeat changes nothing.
    """
    _check_dates({"dropped_at": received.message.dropped_at})
    _own(work, received).drop(received.message.dropped_at)
    _note(work, received, "checkout_dropped")


def _dates_of_lines(opened: CheckoutOpened) -> dict[str, datetime | None]:
    return {
        f"lines[{index}].{name}": timestamp
        for index, line in enumerate(opened.lines)
        for name, timestamp in (("starts_at", line.starts_at), ("ends_at", line.ends_at))
    }


def _check_dates(dates: Mapping[str, datetime | None]) -> None:
    """Raise Refuse for a date out of range: the message is parked, and no answer is sent."""
    for field, timestamp in dates.items():
        if timestamp is not None and not is_in_range(timestamp):
            raise Refuse("date_out_of_range", out_of_range(field, timestamp).message)


def note_money(work: OrderUnit, key: OrderKey, received_at: datetime, cause: Envelope) -> None:
    """Record money with the reference of this order, which payments does not know."""
    work.checkouts.touch(key, cause).pay(received_at)
    work.last_steps.add(settle)


async def run_out(unit: Unit, _: str, payload: dict[str, Any]) -> None:
    """Handle the timer of a checkout: its time is over, counted from the opening that set the timer."""
    key = payload["shop"], UUID(payload["checkout_id"])
    work = OrderUnit(unit)
    await work.load_checkouts([key])
    action = StaffAction(UUID(payload["opening_id"]), f"timer.{TIMER}", unit.now, "orders")
    work.checkouts.touch(key, action).time_out(datetime.fromisoformat(payload["opened_at"]))
    work.last_steps.add(settle)
    await work.save()


async def settle(work: OrderUnit) -> None:
    """Settle the result of the changed checkouts."""
    for checkout in work.checkouts.touched:
        order, before = work.orders.get((checkout.shop, checkout.id)), work.checkouts.before(checkout)
        is_deleted = order is None and before.opened_at is not None
        is_placed = order is not None and order.stage is Stage.PLACED
        if checkout.snapshot is None or checkout == before or is_deleted or is_placed:
            continue
        opened = CheckoutOpened.model_validate_json(checkout.snapshot)
        chosen = await settings_of.get(work.unit.connection, work.unit.owner, checkout.shop)
        if chosen.places_paid_checkouts and await _place_paid(work, checkout, opened):
            continue
        _show(work, checkout, opened, order)
        _set_timer(work, checkout, timedelta(minutes=chosen.checkout_minutes))


def _own(
    work: OrderUnit, received: ReceivedMessage[CheckoutOpened] | ReceivedMessage[CheckoutDropped]
) -> Checkout:
    """Return the checkout that the message names, if it is the storefront's own.

    Raises Refuse: parked, no answer is sent.
    """
    message = received.message
    if is_foreign(received.user_id, message):
        raise Refuse(
            "not_your_shop",
            f"{received.user_id} is not the login of {message.shop}/{message.module}; use that module's login",
        )
    key = message.shop, message.checkout_id
    if work.checkouts.find(key).module not in (None, message.module):
        raise Refuse(
            "not_your_checkout",
            f"checkout {message.checkout_id} is of the module {work.checkouts.find(key).module}, not of "
            f"{message.module}; give each checkout an id of its own",
        )
    checkout = work.checkouts.touch(key, received.envelope)
    checkout.module = message.module
    work.last_steps.add(settle)
    return checkout


def _note(
    work: OrderUnit, received: ReceivedMessage[CheckoutOpened] | ReceivedMessage[CheckoutDropped], kind: str
) -> None:
    message, cause = received.message, received.envelope
    actor = f"storefront.{message.shop}.{message.module}"
    work.note(message.shop, message.checkout_id, kind, cause.id, actor, cause, {})


def _note_link(work: OrderUnit, received: ReceivedMessage[CheckoutOpened]) -> None:
    """Note once per checkout that its link was left out. Changes of the rest are noted on the sale that is placed."""
    opened, cause = received.message, received.envelope
    reasons = [note.model_dump(exclude_none=True) for note in received.notes if note.field == "resume_url"]
    if reasons:
        actor = f"storefront.{opened.shop}.{opened.module}"
        item, data = opened.checkout_id, {"reasons": reasons}
        work.note(opened.shop, opened.checkout_id, "sale_adapted", item, actor, cause, data)


async def _place_paid(work: OrderUnit, checkout: Checkout, opened: CheckoutOpened) -> bool:
    """Place a checkout that ended and was paid. Return whether it was a complete sale whose key was free."""
    if checkout.ended_as is None or checkout.paid_at is None:
        return False
    sale = sale_of(opened, checkout.paid_at, work.unit.now)
    assert checkout.snapshot_id is not None
    if sale is None or len(body_of(sale)) > refusing.MOST_BYTES:
        return False
    claim = await work.intake.claim(sale, checkout.snapshot_id)
    if claim is None:
        return False
    type_, source = type_of(CheckoutOpened, STOREFRONT), f"/{STOREFRONT}/{sale.shop}/{sale.module}"
    cause = Envelope(checkout.snapshot_id, source, type_, checkout.paid_at, shop=sale.shop)
    claim.answer = placing.accept(work, sale, checkout.id, cause, "orders")
    placing.answer(work, sale, claim.answer, None)
    return True


def _show(work: OrderUnit, checkout: Checkout, opened: CheckoutOpened, order: Order | None) -> None:
    key = checkout.shop, checkout.id
    was_over = order is not None and order.stage is Stage.CHECKOUT_OVER
    if order is None:
        order = Order(*key, work.intake.codes[key], None, Money(), Quantities(), Stage.CHECKOUT)
        work.orders[key] = order
        _update_checkout(order, checkout, opened)
        order.restate()
    else:
        _update_checkout(order, checkout, opened)
        work.changed(order, work.checkouts.causes[key])
    if order.stage is Stage.CHECKOUT_OVER and not was_over and checkout.paid_at is None:
        work.unit.emit(_abandoned(work, checkout, opened, order), about=order)
    work.checkouts.show(order, opened)
    work.checkouts.replace_lines(key)
    work.intake.lines += placed_store.line_rows(opened, order)


def _update_checkout(order: Order, checkout: Checkout, opened: CheckoutOpened) -> None:
    """Update an order while it is a checkout. If its customer resumed it, it is removed from the archive."""
    is_paid = checkout.paid_at is not None and checkout.ended_as is not None
    order.stage = checkout.stage
    order.method = opened.payment.method if opened.payment else None
    order.money = Money(flags=(PAID_WITHOUT_ORDER,) if is_paid else ())
    if order.stage is Stage.CHECKOUT:
        order.archived_at = None


def _set_timer(work: OrderUnit, checkout: Checkout, lasts: timedelta) -> None:
    key = checkout.shop, checkout.id
    if checkout.stage is Stage.CHECKOUT_OVER:
        return work.unit.cancel_timer(TIMER, timer_key(key))
    assert checkout.opened_at is not None
    payload = {
        "shop": checkout.shop,
        "checkout_id": str(checkout.id),
        "opened_at": checkout.opened_at.isoformat(),
        "opening_id": str(checkout.snapshot_id),
    }
    return work.unit.set_timer(TIMER, timer_key(key), checkout.opened_at + lasts, payload)


def _abandoned(
    work: OrderUnit, checkout: Checkout, opened: CheckoutOpened, order: Order
) -> CheckoutAbandoned:
    assert checkout.ended_as is not None
    customer = opened.customer
    return CheckoutAbandoned(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        module=opened.module,
        opened_at=opened.opened_at,
        abandoned_at=work.unit.now,
        cause=checkout.ended_as,
        locale=opened.locale,
        currency=opened.currency,
        total_minor=opened.totals.total_minor if opened.totals else None,
        customer=AbandonedBy(name=customer.name, email=customer.email) if customer else None,
        resume_url=opened.resume_url if is_link_of_a_mail(opened.resume_url) else None,
    )
