"""A placed sale as the rows that `store.insert_orders` and `store.insert_lines` write. Pure."""

import json
from datetime import UTC
from typing import Any

from contracts.storefront import CheckoutOpened, OrderSubmitted, Tax
from services.orders.order.record import Order
from services.orders.order.unit.submission import sku_of


def order_row(sale: OrderSubmitted, order: Order) -> tuple[Any, ...]:
    """The order's row; what is not known yet has its default in the table."""
    return (
        order.shop,
        order.id,
        order.code,
        order.sequence,
        sale.module,
        sale.idempotency_key,
        sale.source_reference,
        sale.locale,
        sale.submitted_at.astimezone(UTC),
        sale.customer.name,
        sale.customer.email,
        sale.customer.phone,
        order.method,
        sale.currency,
        sale.totals.total_minor,
        order.state,
        order.label,
        order.automatic_state,
        order.payment_status,
        order.fulfilment_status,
        order.units.ordered,
        order.units.other_ordered,
    )


def checkout_row(opened: CheckoutOpened, order: Order) -> tuple[Any, ...]:
    """The row of an order that is a checkout; what its customer has not told is null, without totals it is worth
    its lines."""
    customer = opened.customer
    return (
        order.shop,
        order.id,
        order.code,
        order.sequence,
        opened.module,
        opened.idempotency_key,
        opened.source_reference,
        opened.locale,
        opened.opened_at.astimezone(UTC),
        customer.name if customer else None,
        customer.email if customer else None,
        customer.phone if customer else None,
        order.method,
        opened.currency,
        opened.totals.total_minor if opened.totals else sum(line.total_minor for line in opened.lines),
        order.state,
        order.label,
        order.automatic_state,
        order.payment_status,
        order.fulfilment_status,
    )


def line_rows(sale: OrderSubmitted | CheckoutOpened, order: Order) -> list[tuple[Any, ...]]:
    """The rows of its lines, numbered from 1. A checkout's line may not have any units yet: it has no row."""
    return [
        (
            order.shop,
            order.id,
            number,
            line.kind,
            line.description,
            sku_of(line),
            line.quantity,
            line.unit_price_minor,
            line.discount_minor,
            line.total_minor,
            line.vat_rate,
            line.resource,
            line.starts_at,
            line.ends_at,
            json.dumps(line.options, ensure_ascii=False) if line.options else None,
            line.unit_price_exact,
            line.tax_minor,
            taxes_json(line.taxes),
        )
        for number, line in enumerate(sale.lines, 1)
        if line.quantity > 0
    ]


def taxes_json(taxes: list[Tax] | None) -> str | None:
    """A line's several taxes as its row holds them."""
    return json.dumps([tax.model_dump(exclude_none=True) for tax in taxes]) if taxes else None
