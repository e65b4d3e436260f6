"""Invoices and credit notes of a run: the shop's legal details are filled in, and every paid order gets its papers.

The owner fills in the form of the back office, as any merchant does. What must be issued follows from the stories: an
order's invoice once it is paid, and a credit note for each refund.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import httpx2

from deploy.demo.expecting import received_minor
from deploy.demo.sales.sale import Sale
from deploy.demo.staff import Staff, signed_in, submit
from deploy.local.system import System
from deploy.samples.merchants import Merchant

INVOICE, CREDIT_NOTE = "invoice", "credit_note"
FORM = "/settings/invoices"
PAGE = 500
SECONDS = 60.0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Documents:
    """All documents of a shop by kind, in the sequence of their numbers."""

    by_kind: Mapping[str, Sequence[Mapping[str, Any]]]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Return documents as payments lists them."""
        by_kind: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in sorted(rows, key=lambda one: int(one["position"])):
            by_kind[row["kind"]].append(row)
        return cls(by_kind)

    def count(self, kind: str) -> int:
        """Return how many documents of a kind there are."""
        return len(self.by_kind.get(kind, ()))

    def span(self, kind: str) -> str:
        """Return how many there are, and their first and last numbers."""
        issued = self.by_kind.get(kind, ())
        if not issued:
            return "none"
        first, last = issued[0]["number"], issued[-1]["number"]
        return f"{len(issued)}: {first}" + (f" to {last}" if len(issued) > 1 else "")


def expected_documents(sales: Sequence[Sale]) -> dict[UUID, Counter[str]]:
    """Return the number of documents of each kind that placed sales must have, by order."""
    expected = {}
    for sale in sales:
        is_invoiced = received_minor(sale) >= sale.total_minor > 0
        is_credited = is_invoiced and sale.story.refund is not None
        expected[sale.event_id] = +Counter({INVOICE: int(is_invoiced), CREDIT_NOTE: int(is_credited)})
    return expected


def mails_with_documents(sales: Sequence[Sale]) -> int:
    """Return how many mails bring customers a document."""
    return sum(counts.total() for counts in expected_documents(sales).values())


def wrong_documents(found: Documents, sales: Sequence[Sale]) -> list[str]:
    """Return what differs: documents that orders must have, and numbers that must have no gap."""
    issued: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for kind, documents in found.by_kind.items():
        for one in documents:
            issued[UUID(one["order_id"])][kind] += 1
    expected = expected_documents(sales)
    wrongs = [
        f"order {order_id} should have {_words(expected.get(order_id))}, has {_words(issued.get(order_id))}"
        for order_id in sorted(expected.keys() | issued.keys())
        if expected.get(order_id, Counter()) != issued.get(order_id, Counter())
    ]
    for kind, documents in found.by_kind.items():
        numbers = [one["position"] for one in documents]
        if numbers != list(range(1, len(numbers) + 1)):
            wrongs.append(f"numbers of {kind}s should run from 1 to {len(numbers)}, are {numbers}")
    return wrongs


def _words(counts: Counter[str] | None) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted((counts or {}).items())) or "no document"


async def switch_on(system: System, merchant: Merchant, sales: Sequence[Sale], staff: Staff) -> None:
    """Let the owner sign in and fill in the legal details; orders since the first sale are invoiced."""
    first_day = min(sale.submission.submitted_at for sale in sales).date()
    form = {
        "version": "0",
        "is_on": "on",
        "mails_customer": "on",
        "first_day": first_day.isoformat(),
        **merchant.mentions,
    }
    async with signed_in(system, staff) as http:
        await submit(http, FORM, form)
    await _until_on(system, merchant.shop)


async def _until_on(system: System, shop: str) -> None:
    deadline = asyncio.get_running_loop().time() + SECONDS
    while True:
        answer = await _get(system, "/internal/invoicing", shop=shop)
        if answer["version"] and not answer["missing"]:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise RuntimeError(f"invoices are not switched on; the legal details lack {answer['missing']}")
        await asyncio.sleep(POLL_SECONDS)


async def read_documents(system: System, shop: str) -> Documents:
    """Read all documents of a shop from payments, page by page."""
    rows: list[Mapping[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = await _get(system, "/internal/invoices", shop=shop, limit=str(PAGE), **after)
        rows += page["invoices"]
        if page["next"] is None:
            return Documents.of(rows)
        after = {"after": page["next"]}


async def all_issued(system: System, shop: str, sales: Sequence[Sale]) -> None:
    """Wait until every document is issued, or for at most a minute; the later check reports missing ones."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if not wrong_documents(await read_documents(system, shop), sales):
            return
        await asyncio.sleep(POLL_SECONDS)


async def _get(system: System, path: str, **query: str) -> Any:
    async with httpx2.AsyncClient(headers=system.operator, timeout=15, trust_env=False) as http:
        answer = await http.get(f"{system.url('payments')}{path}", params=query)
        return answer.raise_for_status().json()
