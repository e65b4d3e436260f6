"""Codes people can read aloud, and when two submissions have the same content."""

import re
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.storefront import OrderSubmitted
from services.orders.order.short_code import code_of
from services.orders.order.unit.submissions.submission import content_hash, is_foreign, storefront_of
from tests.builders.submissions import a_line, a_sale


def hash_of(sale: OrderSubmitted) -> bytes:
    """The hash of a sale as it was received."""
    return content_hash(sale)


@given(st.uuids(), st.integers(0, 3))
def test_a_code_has_no_letter_that_is_misread(order_id: UUID, salt: int) -> None:
    code = code_of(order_id, salt)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code)
    assert code == code_of(order_id, salt)
    assert code != code_of(order_id, salt + 1)


def test_many_codes_are_all_different() -> None:
    assert len({code_of(UUID(int=number)) for number in range(20_000)}) == 20_000


def test_the_same_sale_sent_again_has_the_same_content() -> None:
    key = {"idempotency_key": "k-1"}
    first = a_sale(a_line(options={"size": "L", "colour": "blue"}), **key)
    again = a_sale(
        a_line(options={"colour": "blue", "size": "L"}), submitted_at="2026-11-22T10:30:01+01:00", **key
    )
    assert hash_of(first) == hash_of(again)


def test_one_timestamp_in_two_time_zones_is_the_same_content() -> None:
    paris, utc = "2026-12-01T19:00:00+01:00", "2026-12-01T18:00:00Z"
    hashes = {
        hash_of(a_sale(a_line(kind="booking", starts_at=timestamp), idempotency_key="k-1"))
        for timestamp in (paris, utc)
    }
    assert len(hashes) == 1


def test_what_changes_by_itself_or_is_known_later_is_no_part_of_the_purchase() -> None:
    customer = a_sale().customer.model_dump(exclude_none=True)
    sales = [
        a_sale(idempotency_key="k-1"),
        a_sale(idempotency_key="k-1", source_reference=None, checkout_id=UUID(int=7)),
        a_sale(idempotency_key="k-1", payment={"method": "card"}),
        a_sale(idempotency_key="k-1", customer={**customer, "ip_address": "198.51.100.1", "browser": "Lynx"}),
    ]
    assert len({hash_of(sale) for sale in sales}) == 1


def test_another_difference_is_another_purchase() -> None:
    sales = [
        a_sale(idempotency_key="k-1"),
        a_sale(idempotency_key="k-1", note="Merci"),
        a_sale(idempotency_key="k-1", note='"submitted_at":"Merci"'),
        a_sale(idempotency_key="k-1", locale="en"),
        a_sale(a_line(quantity=3), idempotency_key="k-1"),
        a_sale(idempotency_key="k-1", currency="USD"),
        a_sale(a_line(options={"size": "L"}), idempotency_key="k-1"),
        a_sale(a_line(options={"size": "M"}), idempotency_key="k-1"),
    ]
    assert len({hash_of(sale) for sale in sales}) == len(sales)


def test_only_a_storefronts_login_names_a_shop() -> None:
    assert storefront_of("storefront.maison.price_table") == ("maison", "price_table")
    assert storefront_of("orders") is None
    assert storefront_of(None) is None


def test_a_storefront_speaks_for_its_own_shop_and_module() -> None:
    sale = a_sale()
    assert not is_foreign("storefront.maison.shop", sale)
    assert not is_foreign(None, sale)
    assert is_foreign("storefront.maison.events", sale)
    assert is_foreign("storefront.autre.shop", sale)
