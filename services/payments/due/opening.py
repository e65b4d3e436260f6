"""Placed orders: the account is opened with the amount due, and the provider's payment for it is linked.

A zero total is settled by the same arithmetic as any other: nothing due, balance 0. Webhooks that arrived
before the order wait under the order's id or the payment's; opening the account wakes them.
"""

from contracts.orders.lifecycle import OrderPlaced, PaymentReferenced
from services.chassis.messaging.subscribers import ReceivedMessage, Refuse, Wait, order_key
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import ORDER, Entry, Kind
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.invoices.sale import sale_of


def open_account(work: AccountUnit, received: ReceivedMessage[OrderPlaced]) -> None:
    """Open the account; a repeat, under any event id, changes nothing."""
    placed = received.message
    if work.find(placed.shop, placed.order_id) is not None:
        return
    if placed.totals.total_minor < 0:
        raise Refuse(
            "total_negative",
            f"order {placed.code} has a total of {placed.totals.total_minor} {placed.currency}; a customer can't owe "
            "less than nothing, correct the order's lines",
        )
    account = Account(
        shop=placed.shop,
        id=placed.order_id,
        code=placed.code,
        currency=placed.currency,
        method=placed.payment.method,
        opened_at=placed.placed_at,
        version_floor=work.unit.restored.version_floor,
        is_new=True,
    )
    account.post(_order_total(received), received.envelope)
    work.open(account)
    work.sales.keep(account, sale_of(placed).model_dump_json(exclude_none=True))
    if placed.payment.provider and placed.payment.provider_reference:
        work.link_payment(account, placed.payment.provider, placed.payment.provider_reference)


def link_payment(work: AccountUnit, received: ReceivedMessage[PaymentReferenced]) -> None:
    """Link a provider's payment to its order; a repeat changes nothing. Raises Wait for an unknown order."""
    named = received.message
    account = work.find(named.shop, named.order_id)
    if account is None:
        raise Wait(order_key(named.order_id), "order_unknown")
    if account.closed_at is None:
        work.link(account, named.provider, named.provider_reference)


def _order_total(received: ReceivedMessage[OrderPlaced]) -> Entry:
    placed = received.message
    return Entry(
        kind=Kind.ORDER_TOTAL,
        amount_minor=placed.totals.total_minor,
        provider=ORDER,
        object_id=str(placed.order_id),
        step=0,
        source="order",
        caused_by=received.envelope.id,
        occurred_at=placed.placed_at,
        actor="orders",
    )
