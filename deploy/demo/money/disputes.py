"""Disputes of a run: four customers dispute what they paid, two of them by card and two by PayPal.

By card the merchant wins one and writes the other off. By PayPal the merchant wins a claim, and an inquiry waits
for an answer. A lost case at PayPal would refund its order, which the run's figures tell nothing about.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.staff import Staff, signed_in, submit
from deploy.demo.standins.providers import Providers
from deploy.local.system import System

FORM = "/payments/disputes/resolve"
WON, LOST, WRITTEN_OFF, INQUIRY = "won", "lost", "lost and written off", "inquiry"
ENDS = {"stripe": (WON, WRITTEN_OFF), "paypal": (WON, INQUIRY)}
"""How the disputes of each provider stand in the end, in their order."""
SECONDS = 30.0
POLL_SECONDS = 0.2


class Case(NamedTuple):
    """A sale whose payment is disputed, and how the dispute stands in the end."""

    sale: Sale
    end: str


def cases(sales: Sequence[Sale]) -> list[Case]:
    """Return the disputed sales of each provider; of one with too few sales none."""
    found = []
    for provider, ends in ENDS.items():
        paid = [sale for sale in sales if sale.provider == provider and _may_be_disputed(sale)]
        if len(paid) >= len(ends):
            found += [Case(sale, end) for sale, end in zip(paid, ends, strict=False)]
    return found


def _may_be_disputed(sale: Sale) -> bool:
    is_paid = sale.story.online is OnlineStory.ONCE and sale.total_minor > 0
    return is_paid and sale.story.refund is None


async def dispute_payments(
    system: System, sales: Sequence[Sale], providers: Providers, desk: MerchantDesk, staff: Staff
) -> Counter[str]:
    """Let the disputes happen, and an owner write off the lost one; how they stand in the end, by state."""
    disputed = cases(sales)
    for sale, end in disputed:
        if sale.provider == "paypal":
            providers.dispute_at_paypal(sale, is_won=end == WON)
        else:
            await providers.dispute(sale, is_won=end == WON)
    for sale in (one.sale for one in disputed if one.end == WRITTEN_OFF):
        [dispute] = await _until(desk, sale, LOST)
        async with signed_in(system, staff) as http:
            named = {"provider": dispute["provider"], "reference": dispute["provider_reference"]}
            await submit(http, FORM, {**named, "resolution": "written_off", "note": "Colis perdu."})
    found = [dispute for sale, end in disputed for dispute in await _until(desk, sale, end)]
    return Counter(map(_state, found))


def wrong_disputes(found: Counter[str], sales: Sequence[Sale]) -> list[str]:
    """Return what differs from how the disputes should stand in the end."""
    expected = Counter(one.end for one in cases(sales))
    return [] if found == expected else [f"disputes should be {dict(expected)}, are {dict(found)}"]


def _state(dispute: dict[str, Any]) -> str:
    decided = f" and {dispute['resolution'].replace('_', ' ')}" if dispute["resolution"] else ""
    return f"{dispute['state']}{decided}"


async def _until(desk: MerchantDesk, sale: Sale, state: str) -> list[dict[str, Any]]:
    """Return the disputes of an order once the only one stands so; after half a minute as they are."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    while True:
        found: list[dict[str, Any]] = (await desk.order(sale.event_id))["disputes"]
        if list(map(_state, found)) == [state] or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(POLL_SECONDS)
