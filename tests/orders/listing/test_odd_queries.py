"""Nothing that stands in an address answers 500."""

import pytest

from tests.conftest import Desks
from tests.orders.rest_client import TOKENS, client

QUERIES = [
    "q=abcd%00ef",
    "q=%ff%fe%00abcd",
    "label=a%00b",
    "carrier=%ed%a0%80",
    "q=" + "a" * 200,
    "q=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80",
    "after=AAAA",
    "limit=0",
    "limit=99999999999999999999",
    "from=0001-01-01",
    "to=9999-12-31",
    "amount_min=-1000000000000000&currency=EUR",
    "amount_min=9223372036854775807&currency=EUR",
]


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/ledger", "/v1/payments", "/v1/stock"])
async def test_no_query_breaks_a_list(desks: Desks, path: str) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        broken = [query for query in QUERIES if (await http.get(f"{path}?{query}")).status_code >= 500]
    assert broken == []
