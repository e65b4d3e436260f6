"""A storefront's sale becomes an order, or is refused with every reason at once.

Invariant: a submission is answered exactly once and a repeat hears that answer again: the same key with the same
content never places a second order, and with other content never changes the first. Only what was claimed
here is placed; without the claim two sends through two processes would be two orders.
"""

from datetime import UTC

from contracts.fulfillment import StockStanding
from contracts.orders import Buyer, OrderPlaced, PlacedLine
from contracts.storefront import LineKind, OrderAccepted, OrderSubmitted, SubmittedLine
from services.chassis.subscribers import Delivery, order_key
from services.orders import placed_rows, refusing
from services.orders.book import OrderBook
from services.orders.fulfilment_status import Quantities
from services.orders.payment_status import Money
from services.orders.record import Order
from services.orders.submission import Accepted, Claim, Refused, is_foreign, key_of
from services.orders.validating import reasons_against


def place(book: OrderBook, delivery: Delivery[OrderSubmitted]) -> None:
    """Place the sale, refuse it, or give the first answer again."""
    if is_foreign(delivery.user_id, delivery.message):
        return refusing.refuse_foreign(book, delivery)
    claim = book.intake.claims.get(key_of(delivery.message))
    if claim is None or (claim.is_fresh and claim.submission_id == delivery.envelope.id):
        return _decide(book, delivery, claim)
    if claim.content_hash != book.intake.hashes[delivery.envelope.id]:
        return refusing.refuse(book, delivery, [refusing.conflict(delivery, claim)])
    return _answer_again(book, delivery, claim)


def _decide(book: OrderBook, delivery: Delivery[OrderSubmitted], claim: Claim | None) -> None:
    reasons = reasons_against(delivery.message, book.unit.now)
    if claim is None:
        reasons.insert(0, refusing.id_taken(delivery))
    if len(book.intake.bodies[delivery.envelope.id]) > refusing.MOST_BYTES:
        reasons.append(refusing.too_large(len(book.intake.bodies[delivery.envelope.id])))
    if reasons:
        refusing.refuse(book, delivery, reasons)
        if claim is not None:
            claim.answer = Refused(reasons)
        return
    assert claim is not None
    claim.answer = _accept(book, delivery)
    _answer(book, delivery, claim.answer)


def _answer_again(book: OrderBook, delivery: Delivery[OrderSubmitted], claim: Claim) -> None:
    if isinstance(claim.answer, Accepted):
        _answer(book, delivery, claim.answer)
    elif isinstance(claim.answer, Refused):
        refusing.answer(book, delivery, claim.answer.reasons, claim.submission_id)
    else:
        refusing.refuse(book, delivery, [refusing.gone(delivery, claim)])


def _accept(book: OrderBook, delivery: Delivery[OrderSubmitted]) -> Accepted:
    sale, cause = delivery.message, delivery.envelope
    assert sale.payment is not None
    order = _open(book, sale, delivery)
    order.restate()
    book.unit.emit(_placed(sale, order), about=order, cause=cause)
    actor = f"storefront.{sale.shop}.{sale.module.value}"
    data = {"total_minor": sale.totals.total_minor, "currency": sale.currency, "method": sale.payment.method}
    book.note(order.shop, order.id, "order_placed", order.id, actor, cause, data)
    book.intake.orders.append(placed_rows.order_row(sale, order))
    book.intake.lines += placed_rows.line_rows(sale, order)
    book.unit.wake(order_key(order.id))
    return Accepted(order.id, order.code, sale.source_reference, sale.totals.total_minor, sale.currency)


def _open(book: OrderBook, sale: OrderSubmitted, delivery: Delivery[OrderSubmitted]) -> Order:
    """The order before anything is known of its money and goods: all is due and all is to be done."""
    assert sale.payment is not None
    total = sale.totals.total_minor
    goods = sum(line.quantity for line in sale.lines if line.kind is LineKind.SHIP)
    others = sum(line.quantity for line in sale.lines) - goods
    return Order(
        shop=sale.shop,
        id=delivery.envelope.id,
        code=book.intake.codes[sale.shop, delivery.envelope.id],
        method=sale.payment.method,
        money=Money(due=total, balance=total),
        units=Quantities(ordered=goods, needed=goods, other_ordered=others, other_needed=others),
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
            name=customer.name, email=customer.email, phone=customer.phone, company=customer.company
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
        sku=line.sku,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        discount_minor=line.discount_minor,
        total_minor=line.total_minor,
        vat_rate=line.vat_rate,
        resource=line.resource,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        options=line.options,
    )


def _answer(book: OrderBook, delivery: Delivery[OrderSubmitted], answer: Accepted) -> None:
    sale = delivery.message
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
    book.unit.answer_storefront(accepted, shop=sale.shop, module=sale.module.value, cause=delivery.envelope)
