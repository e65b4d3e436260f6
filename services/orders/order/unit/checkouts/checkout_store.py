"""SQL on checkouts, and on orders while they are checkouts, with their rows; one function per statement."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from contracts.storefront import CheckoutOpened
from services.chassis.storage.bulk import Bulk, Integer, JsonText
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.record import Order
from services.orders.order.store import SEPARATOR, OrderKey, Row

_LOCK_CHECKOUTS = Bulk(
    tuple[str, UUID],
    """SELECT pg_advisory_xact_lock(h) FROM (
           SELECT DISTINCT hashtextextended('checkout ' || shop || ' ' || id, 0) AS h
           FROM {rows} AS k (shop, id) ORDER BY h) AS sorted""",
)


async def lock_checkouts(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Lock checkouts, known or not, until the end of the transaction, in one fixed order.

    Two checkouts may share a lock (64-bit hash); one then waits for the other unnecessarily, without further
    effect.
    """
    await _LOCK_CHECKOUTS.execute(connection, keys)


_READ_CHECKOUTS = Bulk(
    tuple[str, UUID],
    """SELECT c.* FROM {rows} AS k (shop, checkout_id)
       JOIN checkout AS c USING (shop, checkout_id)""",
)


async def read_checkouts(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Return the recorded facts of these locked checkouts."""
    return await _READ_CHECKOUTS.fetch(connection, keys)


class CheckoutRow(NamedTuple):
    shop: str
    checkout_id: UUID
    module: str | None
    opened_at: datetime | None
    snapshot_id: UUID | None
    body: JsonText | None
    dropped_at: datetime | None
    timed_out_at: datetime | None
    paid_at: datetime | None


_WRITE_CHECKOUTS = Bulk(
    CheckoutRow,
    """INSERT INTO checkout ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, checkout_id) DO UPDATE SET
           module = excluded.module, opened_at = excluded.opened_at, snapshot_id = excluded.snapshot_id,
           body = excluded.body, dropped_at = excluded.dropped_at,
           timed_out_at = excluded.timed_out_at, paid_at = excluded.paid_at""",
)


async def write_checkouts(connection: Writer, rows: Sequence[CheckoutRow]) -> None:
    """Write locked checkouts, with all columns."""
    await _WRITE_CHECKOUTS.execute(connection, rows)


class CheckoutOrderRow(NamedTuple):
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
    stage: str
    payment_flags: str
    flags: str


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


_WRITE_ORDERS = Bulk(
    CheckoutOrderRow,
    """INSERT INTO orders
           ({columns},
            payment_version, due_minor, balance_minor, fulfilment_version, ship_ordered, other_ordered,
            ship_needed, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
       SELECT shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
              customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state,
              label, automatic_state, payment_status, fulfilment_status, stage,
              string_to_array(payment_flags, E'\\x1f'), string_to_array(flags, E'\\x1f'),
              0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {now}, {now}
       FROM {rows} AS r ({columns})
       ON CONFLICT (order_id, shop) DO UPDATE SET
           module = excluded.module, idempotency_key = excluded.idempotency_key,
           source_reference = excluded.source_reference, locale = excluded.locale,
           placed_at = excluded.placed_at, customer_name = excluded.customer_name,
           customer_email = excluded.customer_email, customer_phone = excluded.customer_phone,
           payment_method = excluded.payment_method, currency = excluded.currency,
           total_minor = excluded.total_minor, stage = excluded.stage
       WHERE orders.stage <> 'placed'""",
)


async def write_orders(connection: Writer, rows: Sequence[CheckoutOrderRow], now: datetime) -> None:
    """Write orders that are checkouts, from the last event of their customers: no amount is due, no unit is
    ordered.
    """
    await _WRITE_ORDERS.execute(connection, rows, now=now)


class PlacedCheckoutRow(NamedTuple):
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
    revision: Integer


_PLACE_ORDERS = Bulk(
    PlacedCheckoutRow,
    """UPDATE orders AS o SET
           stage = 'placed', sequence = r.sequence, module = r.module, idempotency_key = r.idempotency_key,
           source_reference = r.source_reference, locale = r.locale, placed_at = r.placed_at,
           customer_name = r.customer_name, customer_email = r.customer_email,
           customer_phone = r.customer_phone, payment_method = r.payment_method, currency = r.currency,
           total_minor = r.total_minor, state = r.state, label = r.label, automatic_state = r.automatic_state,
           payment_status = r.payment_status, fulfilment_status = r.fulfilment_status, flags = '{}',
           payment_flags = '{}', hand_state = NULL, hand_label = NULL, hand_over = NULL,
           due_minor = r.total_minor, balance_minor = r.total_minor, ship_ordered = r.goods,
           ship_needed = r.goods, other_ordered = r.others, other_needed = r.others, units_to_pack = r.goods,
           archived_at = NULL, revision = r.revision, changed_at = {now}
       FROM {rows} AS r ({columns})
       WHERE o.order_id = r.order_id AND o.shop = r.shop""",
)


async def place_orders(connection: Writer, rows: Sequence[PlacedCheckoutRow], now: datetime) -> None:
    """Turn locked checkouts into orders.

    Choices that staff made for the checkout (archiving, a state) do not apply to the order.
    """
    await _PLACE_ORDERS.execute(connection, rows, now=now)


_DELETE_LINES = Bulk(
    tuple[str, UUID],
    """DELETE FROM order_line AS l USING {rows} AS k (shop, order_id)
       WHERE l.shop = k.shop AND l.order_id = k.order_id""",
)


async def delete_lines(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Delete the lines of these checkouts."""
    await _DELETE_LINES.execute(connection, keys)
