"""What the auditor found, as far as it concerns the visitor's shop.

Findings name their rows by shop; those of another shop are counted and not shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.orders.backoffice.owners import OwnerDown
from services.orders.backoffice.times import moments_read
from services.orders.backoffice.visit import Visit


@dataclass(frozen=True)
class Audited:
    """The auditor's last look. `at` None: it is away, or has not looked yet (`down` tells).

    `shown` are the findings of this shop and of no shop, `elsewhere` how many others there are. `error`: why the latest
    try failed; what is told is then of the look before.
    """

    at: datetime | None
    seconds: float = 0.0
    failed_at: datetime | None = None
    error: str = ""
    checks: int = 0
    shown: Sequence[Mapping[str, Any]] = ()
    elsewhere: int = 0
    down: OwnerDown | None = None


async def read_findings(visit: Visit) -> Audited:
    """Ask the auditor."""
    told = await visit.office.owners.get("auditor", "/findings")
    if isinstance(told, OwnerDown):
        return Audited(None, down=told)
    others = {one.shop for one in visit.office.settings.shops} - {visit.shop}
    return audited(told.body, others)


def audited(told: Mapping[str, Any], other_shops: set[str]) -> Audited:
    """The report as one shop may see it. Pure."""
    report = moments_read(told, "at", "failed_at")
    found = [moments_read(one, "since") for one in report["violations"]]
    shown = [one for one in found if not other_shops & set(str(one["where"]).replace("/", " ").split())]
    return Audited(
        at=report["at"],
        seconds=float(report["seconds"]),
        failed_at=report["failed_at"],
        error=str(report["error"] or ""),
        checks=len(report["checks"]),
        shown=shown,
        elsewhere=max(int(report["count"]) - len(shown), 0),
    )
