"""Failed work as the services list it: refunds, documents and readings of the shop that failed for good.

Mails are left out: they are decided on the page of mails.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from contracts.catalogue import SERVICES
from services.orders.api.owners.clients import Answer, Owner, ServiceUnavailable
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.web.clients.monitor import Seen, ServiceSeen
from services.orders.backoffice.web.page_context import PageContext

MOST, MOST_SEEN = 100, 20
MAILS = "mail"
DOCUMENTS = "invoice_pdf"
"""The kind of the work that makes a document's PDF; its key is the document's id."""


@dataclass
class Failed:
    """Failed work of all services, the latest first; that which was acknowledged; and services that did not answer, or
    are of a version that has no such list."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    away: list[ServiceUnavailable] = field(default_factory=list)
    older: list[Owner] = field(default_factory=list)

    @property
    def order_ids(self) -> set[UUID]:
        """Return the ids of the orders that it is about."""
        return {UUID(row["order_id"]) for row in (*self.rows, *self.seen) if row["order_id"]}

    @property
    def document_ids(self) -> list[str]:
        """Return the ids of the documents that it is about."""
        return [row["key"] for row in (*self.rows, *self.seen) if row["kind"] == DOCUMENTS]


async def read(context: PageContext) -> Failed:
    """Return the failed work of the shop."""
    owners = [cast("Owner", name) for name in SERVICES]
    answers = await asyncio.gather(
        *(_ask(context, owner, state) for owner in owners for state in ("failed", "acknowledged"))
    )
    found = Failed()
    for owner, rows, seen in zip(owners, answers[::2], answers[1::2], strict=True):
        if isinstance(rows, ServiceUnavailable) or isinstance(seen, ServiceUnavailable):
            found.away.append(
                rows if isinstance(rows, ServiceUnavailable) else cast("ServiceUnavailable", seen)
            )
        elif rows.status != 200 or seen.status != 200:
            found.older.append(owner)
        else:
            found.rows += [_row(owner, row, "failed_at") for row in rows.body["effects"]]
            found.seen += [_row(owner, row, "failed_at", "acknowledged_at") for row in seen.body["effects"]]
    found.rows = sorted(found.rows, key=lambda row: row["failed_at"], reverse=True)[:MOST]
    found.seen = sorted(found.seen, key=lambda row: row["acknowledged_at"], reverse=True)[:MOST_SEEN]
    return found


async def count(context: PageContext, seen: Seen) -> int:
    """Return how much failed work of the shop nobody has acknowledged. Services are asked only if they report any."""
    answers = await asyncio.gather(
        *(_ask(context, one.name, "failed") for one in seen.services if _has_failed(one))
    )
    bodies = [one.body for one in answers if not isinstance(one, ServiceUnavailable) and one.status == 200]
    return sum(int(body.get("total", len(body["effects"]))) for body in bodies)


async def read_documents(context: PageContext, failed: Failed) -> dict[str, Mapping[str, Any]]:
    """Return number and order of the documents that failed work is about, by their id; none while payments does not
    answer."""
    if not failed.document_ids:
        return {}
    answer = await context.app_state.clients.get(
        "payments",
        "/internal/invoices",
        shop=context.shop,
        id=failed.document_ids,
        limit=str(MOST + MOST_SEEN),
    )
    is_told = not isinstance(answer, ServiceUnavailable) and answer.status == 200
    return {one["id"]: one for one in cast("Answer", answer).body["invoices"]} if is_told else {}


def _has_failed(service: ServiceSeen) -> bool:
    return any(
        one["state"] == "failed" and one["kind"] != MAILS and one["effects"]
        for one in service.report.get("effects", ())
    )


async def _ask(context: PageContext, owner: Owner, state: str) -> Answer | ServiceUnavailable:
    return await context.app_state.clients.get(
        owner, "/internal/effects", shop=context.shop, state=state, without=MAILS
    )


def _row(owner: Owner, row: Mapping[str, Any], *timestamps: str) -> dict[str, Any]:
    return {**timestamps_read(row, *timestamps), "service": owner}
