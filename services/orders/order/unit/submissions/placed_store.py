"""Placed sales in the tables `orders` and `order_line`: their rows, and the SQL that inserts them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from contracts.sale import Tax
from contracts.storefront import CheckoutOpened, OrderSubmitted
from services.chassis.storage.bulk import Bulk, Integer, JsonText
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.record import Order
from services.orders.order.store import Row
from services.orders.order.unit.submissions.submission import sku_of


class NewOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str


_FIND_TAKEN = Bulk(
    NewOrderRow,
    """SELECT k.shop, k.order_id,
              EXISTS (SELECT 1 FROM orders AS o
                      WHERE o.order_id = k.order_id AND o.shop || '' = k.shop OFFSET 0) AS id_taken,
              EXISTS (SELECT 1 FROM orders AS o
                      WHERE o.code = k.code AND o.shop || '' = k.shop OFFSET 0) AS code_taken
       FROM {rows} AS k ({columns})""",
)


async def find_taken(connection: Connection, rows: Sequence[NewOrderRow]) -> list[Row]:
    """Return the orders whose id or code another order has: shop, order_id, id_taken, code_taken."""
    return await _FIND_TAKEN.fetch(connection, rows)


class PlacedOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str
    sequence: int
    module: str
    idempotency_key: str
    source_reference: str | None
    locale: str | None
    placed_at: datetime
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    payment_method: str | None
    currency: str
    total_minor: int
    state: str | None
    label: str
    automatic_state: str | None
    payment_status: str
    fulfilment_status: str
    goods: Integer
    others: Integer


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


_INSERT_ORDERS = Bulk(
    PlacedOrderRow,
    """INSERT INTO orders
           (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
            customer_name, customer_email, customer_phone, payment_method, currency, total_minor,
            state, label, automatic_state, payment_status, fulfilment_status, ship_ordered, other_ordered,
            flags, payment_version, due_minor, balance_minor,
            fulfilment_version, ship_needed, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
       SELECT r.*, '{}', 0, total_minor, total_minor, 0, goods, others, goods, 0, {now}, {now}
       FROM {rows} AS r ({columns})""",
)


async def insert_orders(connection: Writer, rows: Sequence[PlacedOrderRow], now: datetime) -> None:
    """Insert placed orders, whose payments and goods are not known yet."""
    await _INSERT_ORDERS.execute(connection, rows, now=now)


class LineRow(NamedTuple):
    shop: str
    order_id: UUID
    line: Integer
    kind: str
    description: str
    sku: str | None
    quantity: Integer
    unit_price_minor: int
    discount_minor: int
    total_minor: int
    vat_rate: Integer | None
    resource: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    options: JsonText | None
    unit_price_exact: str | None
    tax_minor: int | None
    taxes: JsonText | None


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


async def insert_lines(connection: Connection, rows: Sequence[LineRow]) -> None:
    """Insert the lines of placed orders, the most numerous rows of all: COPY takes a third of the time of
    unnest.
    """
    await connection.copy_records_to_table("order_line", columns=LineRow._fields, records=rows)
