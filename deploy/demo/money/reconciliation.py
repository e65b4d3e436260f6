"""Webhooks that were lost: Stripe's own list of events is compared with what arrived, and the rest is posted once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx2

from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.local.system import System

PATH = "/internal/reconciliation"
SECONDS = 60.0
POLL_SECONDS = 0.2


class NotReconciled(Exception):
    """The comparison with the provider's list did not end."""


def lost_payments(sales: Sequence[Sale]) -> list[Sale]:
    """Return the sales whose payment no webhook reports."""
    return [sale for sale in sales if sale.story.online is OnlineStory.LOST]


async def reconcile(system: System, shop: str) -> int:
    """Ask for a comparison, as a person does on its page; how many lost events it found. Raises NotReconciled."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    async with httpx2.AsyncClient(
        base_url=system.url("payments"), headers=system.operator, timeout=15, trust_env=False
    ) as http:
        while asyncio.get_running_loop().time() < deadline:
            response = await http.post(f"{PATH}/run", json={"shop": shop, "actor": "demo"})
            if response.is_success:
                return await _found(http, shop, deadline)
            await asyncio.sleep(POLL_SECONDS)
    raise NotReconciled(f"no comparison could be started: {response.status_code} {response.text[:500]}")


async def _found(http: httpx2.AsyncClient, shop: str, deadline: float) -> int:
    while asyncio.get_running_loop().time() < deadline:
        shown = (await http.get(PATH, params={"shop": shop})).raise_for_status().json()
        [events] = [run for run in shown["runs"] if run["kind"] == "events" and run["provider"] == "stripe"]
        if events["error"] is None and _is_over(events):
            return int(events["found"])
        await asyncio.sleep(POLL_SECONDS)
    raise NotReconciled(f"the comparison of Stripe's events did not end: {events}")


def _is_over(run: dict[str, Any]) -> bool:
    """Whether the run that was asked for last is over."""
    times = [run[name] for name in ("asked_at", "started_at", "ended_at")]
    return None not in times and sorted(times, key=datetime.fromisoformat) == times


def wrong_reconciliation(found: int, sales: Sequence[Sale]) -> list[str]:
    """Return what differs from finding exactly the lost webhooks."""
    lost = len(lost_payments(sales))
    return [] if found == lost else [f"{lost} webhooks were lost, reconciliation found {found}"]
