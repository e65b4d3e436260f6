"""The auditor's findings that concern the user's shop.

Findings name their rows by shop; those of another shop are counted and not shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.web.page_context import PageContext

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Group:
    """The findings of one check: the latest ones, and their total number."""

    check: str
    sentence: str
    found: Sequence[Mapping[str, Any]]
    count: int


@dataclass(frozen=True)
class Audited:
    """The auditor's last audit. `at` None: the auditor is unavailable, or has not run yet (`down` has which).

    `groups` are the findings of this shop and of no shop by check, `elsewhere` the number of other findings.
    `error`: why the latest audit failed; the findings are then those of the audit before.
    """

    at: datetime | None
    seconds: float = 0.0
    failed_at: datetime | None = None
    error: str = ""
    checks: int = 0
    groups: Sequence[Group] = ()
    elsewhere: int = 0
    down: ServiceUnavailable | None = None

    @property
    def count(self) -> int:
        """Return the number of findings, including those of other shops."""
        return sum(group.count for group in self.groups) + self.elsewhere

    @property
    def named(self) -> set[UUID]:
        """Return all ids that the findings contain; those of orders are shown as orders."""
        texts = (str(one["where"]) for group in self.groups for one in group.found)
        return {UUID(found) for text in texts for found in _UUID.findall(text)}


async def read_findings(context: PageContext) -> Audited:
    """Fetch the auditor's report."""
    answer = await context.app_state.clients.get("auditor", "/findings")
    if isinstance(answer, ServiceUnavailable):
        return Audited(None, down=answer)
    others = {one.shop for one in context.app_state.settings.shops} - {context.shop}
    return audited(answer.body, others)


def audited(body: Mapping[str, Any], other_shops: set[str]) -> Audited:
    """Return the report restricted to one shop. Pure."""
    report = timestamps_read(body, "at", "failed_at")
    found = [timestamps_read(one, "since") for one in report["violations"]]
    mine = [one for one in found if not other_shops & set(str(one["where"]).replace("/", " ").split())]
    groups = [_group(check, found, mine) for check in report["checks"]]
    return Audited(
        at=report["at"],
        seconds=float(report["seconds"]),
        failed_at=report["failed_at"],
        error=str(report["error"] or ""),
        checks=len(report["checks"]),
        groups=[group for group in groups if group.count],
        elsewhere=len(found) - len(mine),
    )


def _group(
    check: Mapping[str, Any], found: Sequence[Mapping[str, Any]], mine: Sequence[Mapping[str, Any]]
) -> Group:
    """Build a group: `found` are the listed findings, `mine` those that may be shown; the rest is counted."""
    name = check["name"]
    listed = sum(1 for one in found if one["check"] == name)
    shown = [one for one in mine if one["check"] == name]
    return Group(name, str(check["sentence"]), shown, len(shown) + max(int(check["violations"]) - listed, 0))
