"""References that a repeated submission adds to its order: a payment or number that was unknown at first.

Invariant: stored data of an order is kept; the storefront's number fills an empty field, and payments links a
newly named payment to the order, besides any others. The repeated submission gets the first answer in any
case.
"""

from uuid import uuid5

from contracts.orders.lifecycle import PaymentReferenced
from contracts.storefront import OrderSubmitted
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.record import Order
from services.orders.order.unit.submissions.submission import Accepted, Claim, Names, names_of
from services.orders.order.unit.submissions.submission_store import ReferenceRow
from services.orders.order.unit.unit import OrderUnit


def join(work: OrderUnit, received: ReceivedMessage[OrderSubmitted], claim: Claim, placed: Accepted) -> None:
    """Add to a placed order the references that this submission of the same purchase names for the first
    time.
    """
    sale = received.message
    new = claim.names.unknown_in(names_of(sale))
    order = work.orders.get((sale.shop, placed.order_id))
    if new == Names() or order is None:
        return
    is_filling = new.source_reference is not None or claim.names.provider_reference is None
    _write(work, sale, order, new)
    claim.names.join(new)
    placed.source_reference = claim.names.source_reference
    _note(work, received, order, new)
    if is_filling:
        work.changed(order, received.envelope)
    if new.provider and new.provider_reference:
        work.unit.emit(
            _referenced(order, new.provider, new.provider_reference), cause=received.envelope, about=order
        )


def _write(work: OrderUnit, sale: OrderSubmitted, order: Order, new: Names) -> None:
    """Write the references with those from other submissions of this unit; the one named first is kept."""
    known = work.intake.joined.get((order.shop, order.id))
    work.intake.joined[order.shop, order.id] = ReferenceRow(
        shop=sale.shop,
        module=sale.module.value,
        key=sale.idempotency_key,
        source_reference=(known and known.source_reference) or new.source_reference,
        provider=(known and known.provider) or new.provider,
        provider_reference=(known and known.provider_reference) or new.provider_reference,
    )


def _note(work: OrderUnit, received: ReceivedMessage[OrderSubmitted], order: Order, new: Names) -> None:
    named = {"source_reference": new.source_reference, "provider_reference": new.provider_reference}
    data = {name: value for name, value in named.items() if value is not None}
    actor = f"storefront.{order.shop}.{received.message.module.value}"
    item = uuid5(order.id, "\n".join(data.values()))
    work.note(order.shop, order.id, "reference_added", item, actor, received.envelope, data)


def _referenced(order: Order, provider: str, reference: str) -> PaymentReferenced:
    return PaymentReferenced(
        shop=order.shop, order_id=order.id, code=order.code, provider=provider, provider_reference=reference
    )
