"""Placement: a storefront's sale becomes an order, or is refused with all reasons together.

Invariant: a submission is answered exactly once, and once an order was placed, the same purchase under its
key gets the same answer again: it never places a second order, and another purchase never changes the first.
Only sales whose key was claimed here are placed; without the claim, two sends through two processes would be
two orders. A refused sale leaves its key free.
"""

from datetime import UTC
from uuid import UUID

from contracts.envelope import Envelope
from contracts.fulfillment.position import StockStanding
from contracts.message import Reason
from contracts.orders.lifecycle import Buyer, OrderPlaced, PlacedLine
from contracts.sale import LineKind, SubmittedLine
from contracts.storefront import OrderAccepted, OrderSubmitted
from services.chassis.messaging.subscribers import ReceivedMessage, order_key
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.intake import later_references, refusing
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.state import Stage
from services.orders.order.unit.checkouts.checkout_store import PlacedCheckoutRow
from services.orders.order.unit.submissions import placed_store
from services.orders.order.unit.submissions.submission import (
    Accepted,
    Claim,
    is_foreign,
    key_of,
    order_id_of,
    sku_of,
)
from services.orders.order.unit.unit import FIRST_REVISION, OrderUnit
from services.orders.order.validation.sale import reasons_against

MOST_NOTES = 100


def place(work: OrderUnit, received: ReceivedMessage[OrderSubmitted]) -> None:
    """Place the sale, refuse it, or give the first answer again.

    Idempotent: a repeat of a placed sale under another id gets the first answer again.
    """
    if is_foreign(received.user_id, received.message):
        return refusing.refuse_foreign(work, received)
    if received.message.checkout_id is not None:
        _join_checkout(work, received)
    claim = work.intake.claims[key_of(received.message)]
    if claim.is_free:
        return _decide(work, received, claim)
    if claim.answer is None:
        return refusing.refuse(work, received, [refusing.gone(received, claim)])
    if differing := claim.differing(received.message, work.intake.received(received).content_hash):
        return refusing.refuse(work, received, [refusing.conflict(received, claim.answer, differing)])
    later_references.join(work, received, claim, claim.answer)
    return answer(work, received.message, claim.answer, received.envelope)


def _decide(work: OrderUnit, received: ReceivedMessage[OrderSubmitted], claim: Claim) -> None:
    sale, event_id, content = received.message, received.envelope.id, work.intake.received(received)
    reasons = reasons_against(sale, work.unit.now)
    if received.reuses_id or _is_taken(work, received):
        reasons.insert(0, refusing.id_taken(received))
    if fault := _fault_of_checkout(work, sale):
        reasons.insert(0, fault)
    if len(content.body) > refusing.MOST_BYTES:
        reasons.append(refusing.too_large(len(content.body)))
    if reasons:
        return refusing.refuse(work, received, reasons)
    claim.hold(sale, event_id, content)
    actor = f"storefront.{sale.shop}.{sale.module.value}"
    claim.answer = accept(work, sale, order_id_of(sale, event_id), received.envelope, actor)
    if received.notes:
        data = {"reasons": [note.model_dump(exclude_none=True) for note in received.notes[:MOST_NOTES]]}
        work.note(sale.shop, claim.answer.order_id, "sale_adapted", event_id, actor, received.envelope, data)
    return answer(work, sale, claim.answer, received.envelope)


def accept(work: OrderUnit, sale: OrderSubmitted, order_id: UUID, cause: Envelope, actor: str) -> Accepted:
    """Return the answer after making the order of a sale without faults whose key is claimed, or turning its
    checkout into one.
    """
    assert sale.payment is not None
    checkout = work.orders.get((sale.shop, order_id))
    order = _open(work, sale, order_id, checkout)
    order.restate()
    work.unit.emit(_placed(sale, order), about=order, cause=cause)
    data = {"total_minor": sale.totals.total_minor, "currency": sale.currency, "method": sale.payment.method}
    work.note(order.shop, order.id, "order_placed", order.id, actor, cause, data)
    row = placed_store.order_row(sale, order)
    if checkout is None:
        work.intake.orders.append(row)
    else:
        work.intake.placed_checkouts.append(PlacedCheckoutRow(*row, revision=order.revision))
        work.checkouts.replace_lines((order.shop, order.id))
        work.note_state_change(order, checkout.state, checkout.label, cause, None)
    work.intake.lines += placed_store.line_rows(sale, order)
    work.orders[order.shop, order.id] = order
    if sale.checkout_id is not None:
        work.checkouts.touch(_checkout_key(sale), cause)
    work.unit.wake(order_key(order.id))
    return Accepted(order.id, order.code, sale.source_reference, sale.totals.total_minor, sale.currency)


def _join_checkout(work: OrderUnit, received: ReceivedMessage[OrderSubmitted]) -> None:
    """Record the owner of the checkout, even if this is the first message about it."""
    key = _checkout_key(received.message)
    if work.checkouts.find(key).module is None:
        work.checkouts.touch(key, received.envelope).module = received.message.module


def _fault_of_checkout(work: OrderUnit, sale: OrderSubmitted) -> Reason | None:
    if sale.checkout_id is None:
        return None
    owner = work.checkouts.find(_checkout_key(sale)).module
    return refusing.not_your_checkout(sale, owner) if owner not in (None, sale.module) else None


def _checkout_key(sale: OrderSubmitted) -> tuple[str, UUID]:
    assert sale.checkout_id is not None
    return sale.shop, sale.checkout_id


def _is_taken(work: OrderUnit, received: ReceivedMessage[OrderSubmitted]) -> bool:
    """Return whether the id that the order would have is already taken by an order."""
    sale = received.message
    key = sale.shop, order_id_of(sale, received.envelope.id)
    order = work.orders.get(key)
    return key not in work.intake.codes or (order is not None and order.stage is Stage.PLACED)


def _open(work: OrderUnit, sale: OrderSubmitted, order_id: UUID, checkout: Order | None) -> Order:
    """Return the order before any payment or shipment: everything is due and everything is to be done."""
    assert sale.payment is not None
    total = sale.totals.total_minor
    goods = sum(line.quantity for line in sale.lines if line.kind is LineKind.SHIP)
    others = sum(line.quantity for line in sale.lines) - goods
    return Order(
        shop=sale.shop,
        id=order_id,
        code=checkout.code if checkout else work.intake.codes[sale.shop, order_id],
        method=sale.payment.method,
        money=Money(due=total, balance=total),
        units=Quantities(ordered=goods, needed=goods, other_ordered=others, other_needed=others),
        sequence=checkout.sequence if checkout else 0,
        revision=checkout.revision + 1 if checkout else FIRST_REVISION,
        placed_at=sale.submitted_at,
        stock=StockStanding.NOT_REQUIRED,
    )


def _placed(sale: OrderSubmitted, order: Order) -> OrderPlaced:
    customer = sale.customer
    assert sale.payment is not None
    return OrderPlaced(
        shop=sale.shop,
        order_id=order.id,
        code=order.code,
        module=sale.module,
        source_reference=sale.source_reference,
        placed_at=sale.submitted_at.astimezone(UTC),
        locale=sale.locale,
        currency=sale.currency,
        prices_include_tax=sale.prices_include_tax,
        payment=sale.payment,
        customer=Buyer(
            name=customer.name,
            email=customer.email,
            phone=customer.phone,
            company=customer.company,
            vat_number=customer.vat_number,
            company_id=customer.company_id,
        ),
        billing_address=sale.billing_address,
        shipping_address=sale.shipping_address,
        lines=[_placed_line(number, line) for number, line in enumerate(sale.lines, 1)],
        shipping=sale.shipping,
        extra_lines=sale.extra_lines,
        totals=sale.totals,
        note=sale.note,
    )


def _placed_line(number: int, line: SubmittedLine) -> PlacedLine:
    return PlacedLine(
        line=number,
        kind=line.kind,
        description=line.description,
        sku=sku_of(line),
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        unit_price_exact=line.unit_price_exact,
        discount_minor=line.discount_minor,
        total_minor=line.total_minor,
        vat_rate=line.vat_rate,
        tax_minor=line.tax_minor,
        taxes=line.taxes,
        resource=line.resource,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        options=line.options,
    )


def answer(work: OrderUnit, sale: OrderSubmitted, answer: Accepted, cause: Envelope | None) -> None:
    """Send the storefront the order of its sale."""
    accepted = OrderAccepted(
        shop=sale.shop,
        module=sale.module,
        order_id=answer.order_id,
        code=answer.code,
        idempotency_key=sale.idempotency_key,
        source_reference=answer.source_reference,
        total_minor=answer.total_minor,
        currency=answer.currency,
    )
    work.unit.answer_storefront(accepted, shop=sale.shop, module=sale.module.value, cause=cause)
