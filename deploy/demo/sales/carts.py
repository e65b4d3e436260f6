"""The demo's checkouts: some become one of its sales, some are come back to, some are abandoned, one is still open."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import uuid7
from contracts.sale import Module
from contracts.storefront import CheckoutDropped, CheckoutOpened
from deploy.demo.sales.sale import Sale

ANNOUNCED_EVERY = 9
"""Of every so-many-th sale the storefront told from the checkout's first page on."""


@dataclass(frozen=True)
class Cart:
    """What a storefront says of one checkout, in sequence, and the state it must be in when all is over.

    One that becomes a sale has that sale's event id for its own, so that its order has it too.
    """

    checkout_id: UUID
    module: Module
    messages: tuple[CheckoutOpened | CheckoutDropped, ...]
    end: str = "placed"


def with_carts(sales: Sequence[Sale]) -> tuple[list[Sale], dict[UUID, Cart]]:
    """The sales, and the carts that some of them now come of, by the sales' event ids."""
    keys = Counter(sale.submission.idempotency_key for sale in sales)
    plain = [sale for sale in sales if sale.is_placed and keys[sale.submission.idempotency_key] == 1]
    carts = {sale.event_id: _cart_of(sale, rank) for rank, sale in enumerate(plain[::ANNOUNCED_EVERY])}
    return [_in_cart(sale) if sale.event_id in carts else sale for sale in sales], carts


def left_carts(sales: Sequence[Sale], now: datetime) -> list[Cart]:
    """Carts of customers who filled theirs like these sales and went away; the last is still thinking."""
    shop = [sale for sale in sales if sale.module == Module.SHOP and sale.is_placed]
    first, second, third, fourth = shop[:4]
    resumed = _opened(second, uuid7(), now - timedelta(minutes=20))
    given_up = _opened(third, uuid7(), now - timedelta(minutes=3))
    return [
        _left(_opened(first, uuid7(), now - timedelta(minutes=5))),
        _left(resumed, resumed.model_copy(update={"opened_at": now - timedelta(minutes=9)})),
        _left(given_up, _dropped(given_up, now - timedelta(minutes=2))),
        replace(_left(_first_page(_opened(fourth, uuid7(), now))), end="in_checkout"),
    ]


def _in_cart(sale: Sale) -> Sale:
    return replace(sale, submission=sale.submission.model_copy(update={"checkout_id": sale.event_id}))


def _cart_of(sale: Sale, rank: int) -> Cart:
    """Every other customer went back to the basket once."""
    last = _opened(sale, sale.event_id, sale.submission.submitted_at - timedelta(seconds=30))
    first = _first_page(last).model_copy(update={"opened_at": last.opened_at - timedelta(minutes=2)})
    return Cart(sale.event_id, sale.submission.module, (first, last) if rank % 2 else (last,))


def _opened(sale: Sale, checkout_id: UUID, opened_at: datetime) -> CheckoutOpened:
    submission = sale.submission.model_dump(exclude_none=True, exclude={"submitted_at", "checkout_id"})
    key = submission["idempotency_key"] if checkout_id == sale.event_id else f"cart-{checkout_id}"
    return CheckoutOpened.model_validate(
        {**submission, "checkout_id": checkout_id, "idempotency_key": key, "opened_at": opened_at}
    )


def _first_page(opened: CheckoutOpened) -> CheckoutOpened:
    """Before the customer said who they are."""
    unknown = dict.fromkeys(("payment", "customer", "billing_address", "shipping_address", "totals", "note"))
    return opened.model_copy(update={**unknown, "lines": opened.lines[:1]})


def _dropped(opened: CheckoutOpened, dropped_at: datetime) -> CheckoutDropped:
    return CheckoutDropped(
        shop=opened.shop, module=opened.module, checkout_id=opened.checkout_id, dropped_at=dropped_at
    )


def _left(opened: CheckoutOpened, *then: CheckoutOpened | CheckoutDropped) -> Cart:
    return Cart(opened.checkout_id, opened.module, (opened, *then), "abandoned")


def wrong_ends(carts: Sequence[Cart], states: Mapping[UUID, str]) -> list[str]:
    """The carts nobody submitted that are not in the state they must be in."""
    return [
        f"checkout {cart.checkout_id} should end as {cart.end}, is {states.get(cart.checkout_id, 'not listed')}"
        for cart in carts
        if cart.end != "placed" and states.get(cart.checkout_id) != cart.end
    ]
