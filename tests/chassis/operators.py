"""What an operator does over HTTP, on the real routes of a hub."""

from typing import Any

import httpx2

from services.chassis.http import health
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.watchdog import Watchdog

TOKEN = "a-token-for-tests-only"


def operator(hub: Hub, token: str = TOKEN) -> httpx2.AsyncClient:
    """A client with the operators' token, on a hub's own routes."""
    app = health.application(hub, Watchdog(60))
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://chassis",
        headers={"Authorization": f"Bearer {token}"},
    )


async def parked_by_http(hub: Hub, *states: str) -> list[dict[str, Any]]:
    """What GET /internal/parked shows."""
    async with operator(hub) as client:
        answer = await client.get("/internal/parked", params=[("state", state) for state in states])
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["parked"]
    return rows
