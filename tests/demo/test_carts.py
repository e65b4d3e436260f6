"""The demo's carts: some become its sales, the others end as each says."""

from datetime import UTC, datetime

from contracts.storefront import CheckoutOpened
from deploy.demo.sales.carts import left_carts, with_carts, wrong_ends
from deploy.demo.sales.orders import demo_sales

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BEFORE = demo_sales(opened_at=NOW)
SALES, CARTS = with_carts(BEFORE)


def test_a_cart_becomes_the_sale_that_names_it() -> None:
    named = {sale.event_id: sale for sale in SALES if sale.submission.checkout_id is not None}
    assert named.keys() == CARTS.keys()
    assert len(CARTS) >= 10
    for event_id, cart in CARTS.items():
        sale, last = named[event_id].submission, cart.messages[-1]
        assert isinstance(last, CheckoutOpened)
        assert sale.checkout_id == last.checkout_id == event_id
        assert (last.idempotency_key, last.lines) == (sale.idempotency_key, sale.lines)
        assert last.opened_at <= sale.submitted_at
    assert {len(cart.messages) for cart in CARTS.values()} == {1, 2}


def test_mistakes_and_their_originals_have_none() -> None:
    keys = [sale.submission.idempotency_key for sale in SALES if sale.submission.checkout_id]
    assert all(sum(sale.submission.idempotency_key == key for sale in SALES) == 1 for key in keys)


def test_carts_nobody_submits_end_as_declared() -> None:
    left = left_carts(SALES, NOW)
    assert [cart.end for cart in left] == ["abandoned", "abandoned", "abandoned", "in_checkout"]
    assert wrong_ends(left, {cart.checkout_id: cart.end for cart in left}) == []
    assert len(wrong_ends(left, {cart.checkout_id: "placed" for cart in left})) == 4
