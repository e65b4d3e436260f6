"""Questions to a real Prometheus, for tests."""

from typing import Any

import httpx2

from tests.trust import TRUSTED


async def get(url: str, path: str, **query: str) -> Any:
    """Return the data of an answer of Prometheus' API; raise with its text when it is an error."""
    async with httpx2.AsyncClient(base_url=url, timeout=10, trust_env=False, verify=TRUSTED) as http:
        answer = await http.get(f"/api/v1/{path}", params=query)
    assert answer.is_success, answer.text
    return answer.json()["data"]


async def query(url: str, expression: str) -> list[tuple[dict[str, str], float]]:
    """Return labels and value of each series that an expression has now."""
    data = await get(url, "query", query=expression)
    return [(one["metric"], float(one["value"][1])) for one in data["result"]]
