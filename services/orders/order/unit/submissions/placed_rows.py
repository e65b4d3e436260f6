"""Rows of a placed sale, as `store.insert_orders` and `store.insert_lines` write them. Pure."""

import json
from datetime import UTC

from contracts.sale import Tax
from contracts.storefront import CheckoutOpened, OrderSubmitted
from services.orders.order.record import Order
from services.orders.order.store import SEPARATOR, LineRow, PlacedOrderRow
from services.orders.order.unit.checkouts.checkout_store import CheckoutOrderRow
from services.orders.order.unit.submissions.submission import sku_of


def order_row(sale: OrderSubmitted, order: Order) -> PlacedOrderRow:
    """Return the order's row; values not known yet have their defaults in the table."""
    return PlacedOrderRow(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        sequence=order.sequence,
        module=sale.module,
        idempotency_key=sale.idempotency_key,
        source_reference=sale.source_reference,
        locale=sale.locale,
        placed_at=sale.submitted_at.astimezone(UTC),
        customer_name=sale.customer.name,
        customer_email=sale.customer.email,
        customer_phone=sale.customer.phone,
        payment_method=order.method,
        currency=sale.currency,
        total_minor=sale.totals.total_minor,
        state=order.state,
        label=order.label,
        automatic_state=order.automatic_state,
        payment_status=order.payment_status,
        fulfilment_status=order.fulfilment_status,
        goods=order.units.ordered,
        others=order.units.other_ordered,
    )


def checkout_row(opened: CheckoutOpened, order: Order) -> CheckoutOrderRow:
    """Return the row of an order that is a checkout.

    Values that the customer has not entered are null; without totals, the amount is the sum of its lines.
    """
    customer = opened.customer
    return CheckoutOrderRow(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        sequence=order.sequence,
        module=opened.module,
        idempotency_key=opened.idempotency_key,
        source_reference=opened.source_reference,
        locale=opened.locale,
        placed_at=opened.opened_at.astimezone(UTC),
        customer_name=customer.name if customer else None,
        customer_email=customer.email if customer else None,
        customer_phone=customer.phone if customer else None,
        payment_method=order.method,
        currency=opened.currency,
        total_minor=opened.totals.total_minor
        if opened.totals
        else sum(line.total_minor for line in opened.lines),
        state=order.state,
        label=order.label,
        automatic_state=order.automatic_state,
        payment_status=order.payment_status,
        fulfilment_status=order.fulfilment_status,
        stage=order.stage,
        payment_flags=SEPARATOR.join(order.money.flags),
        flags=SEPARATOR.join(order.flags),
    )


def line_rows(sale: OrderSubmitted | CheckoutOpened, order: Order) -> list[LineRow]:
    """Return the rows of its lines, numbered from 1. A line of a checkout without units has no row."""
    return [
        LineRow(
            shop=order.shop,
            order_id=order.id,
            line=number,
            kind=line.kind,
            description=line.description,
            sku=sku_of(line),
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            discount_minor=line.discount_minor,
            total_minor=line.total_minor,
            vat_rate=line.vat_rate,
            resource=line.resource,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            options=json.dumps(line.options, ensure_ascii=False) if line.options else None,
            unit_price_exact=line.unit_price_exact,
            tax_minor=line.tax_minor,
            taxes=taxes_json(line.taxes),
        )
        for number, line in enumerate(sale.lines, 1)
        if line.quantity > 0
    ]


def taxes_json(taxes: list[Tax] | None) -> str | None:
    """Return several taxes of a line in the format of its row."""
    return json.dumps([tax.model_dump(exclude_none=True) for tax in taxes]) if taxes else None
