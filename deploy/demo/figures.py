"""The figures of a run: from the orders list, the services' metrics, the journals and the notifier's rows."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from contracts.catalogue import SERVICES
from deploy.auditor.finding import Violation
from deploy.demo.expecting import expected_end
from deploy.demo.mail.conversations import Conversations, mails_of_conversations
from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.money.documents import CREDIT_NOTE, INVOICE, Documents, mails_with_documents, read_documents
from deploy.demo.money.receipts import Receipts, read_receipts
from deploy.demo.play import Play, refusals_of
from deploy.demo.sales.unknown_addresses import is_unknown
from deploy.demo.script import Script
from deploy.demo.standins.delivering import Post, Trick
from deploy.local.mailserver import JournalReader, Mail, read_journal
from deploy.local.system import System

MAIL_SECONDS = 60.0
POLL_SECONDS = 0.2
_SAMPLE = re.compile(r"^(comptoir_messages_\w+_total)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Figures:
    """A run in numbers. Latencies in milliseconds, from submitting to the customer's mail being accepted."""

    submitted: int
    placed: int
    refused: Counter[str]
    carts: Counter[str]
    states: Counter[str]
    payments: Counter[str]
    receipts: Receipts
    documents: Documents
    disputes: Counter[str]
    conversations: Conversations
    lost: int
    reconciled: int
    fulfilment: Counter[str]
    modules: Counter[str]
    mails_accepted: int
    mails_duplicated: int
    mails_returned: Counter[str]
    suppressed_addresses: int
    handled: int
    duplicates: int
    parked: int
    webhooks: Counter[str]
    latencies_ms: Sequence[float]
    violations: Sequence[Violation]

    def report(self) -> dict[str, Any]:
        """What `report.json` holds."""
        return {
            "orders": {
                "submitted": self.submitted,
                "placed": self.placed,
                "refused": self.refused.total(),
            },
            "states": dict(self.states),
            "payments": dict(self.payments),
            "received": dict(self.receipts.received),
            "refunds": dict(self.receipts.refunded),
            "documents": {kind: self.documents.count(kind) for kind in (INVOICE, CREDIT_NOTE)},
            "disputes": dict(self.disputes),
            "conversations": self.conversations.report(),
            "webhooks": {"lost": self.lost, "reconciled": self.reconciled},
            "fulfilment": dict(self.fulfilment),
            "modules": dict(self.modules),
            "mails": {
                "accepted": self.mails_accepted,
                "duplicated": self.mails_duplicated,
                **self.mails_returned,
            },
            "suppressed_addresses": self.suppressed_addresses,
            "messages": {"handled": self.handled, "duplicates": self.duplicates, "parked": self.parked},
            "latency_ms": {
                "p50": percentile(self.latencies_ms, 50),
                "p99": percentile(self.latencies_ms, 99),
            },
            "audit": {"violations": len(self.violations)},
        }


async def gather_figures(
    system: System,
    play: Play,
    disputes: Counter[str],
    conversations: Conversations,
    violations: Sequence[Violation],
) -> Figures:
    """Read everything off the system once it is at rest."""
    outcome, orders = play.outcome, list(play.outcome.orders.values())
    mails = list(read_journal(system.mail_journal))
    ids = Counter(mail.message_id for mail in mails)
    messages = await _messages(system)
    returned, suppressed = await _returned(system)
    shop = play.script.merchant.shop
    async with MerchantDesk(system.url("orders"), system.secrets.api_tokens[shop]) as desk:
        receipts = await read_receipts(desk)
    return Figures(
        submitted=play.script.submissions,
        placed=len(orders),
        refused=refusals_of(outcome, play.script),
        carts=+Counter({"placed": len(play.script.carts), **Counter(outcome.carts.values())}),
        states=Counter(order["state"] for order in orders),
        payments=Counter(order["payment_status"] for order in orders),
        receipts=receipts,
        disputes=disputes,
        conversations=conversations,
        lost=play.providers.lost,
        reconciled=outcome.reconciled,
        documents=await read_documents(system, shop),
        fulfilment=Counter(order["fulfilment_status"] for order in orders),
        modules=Counter(order["module"] for order in orders),
        mails_accepted=len(mails),
        mails_duplicated=len(mails) - len(ids),
        mails_returned=returned,
        suppressed_addresses=suppressed,
        handled=messages["comptoir_messages_handled_total"],
        duplicates=messages["comptoir_messages_duplicate_total"],
        parked=messages["comptoir_messages_parked_total"],
        webhooks=Counter(map(_answered, play.providers.journal.posts)),
        latencies_ms=await _latencies_ms(system, _submissions(play), mails),
        violations=violations,
    )


def _answered(post: Post) -> str:
    """Return what became of a post; an attempt that got another answer is made again."""
    if post.status is not None and 200 <= post.status < 300:
        return "accepted"
    return f"answered {post.status}" if post.trick is Trick.NOTHING else "forged and refused"


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile, to a tenth; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return round(ordered[rank - 1], 1)


def _submissions(play: Play) -> dict[UUID, datetime]:
    return {
        event_id: timestamp
        for storefront in play.storefronts.values()
        for event_id, timestamp in storefront.submitted_at.items()
    }


async def _messages(system: System) -> Counter[str]:
    """The message counters of all services, added up."""
    counted: Counter[str] = Counter()
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as http:
        for service in SERVICES:
            answer = await http.get(f"{system.url(service)}/metrics", headers=system.operator)
            text = answer.raise_for_status().text
            for name, value in _SAMPLE.findall(text):
                counted[name] += int(float(value))
    return counted


async def _latencies_ms(
    system: System, submitted_at: Mapping[UUID, datetime], mails: Sequence[Mail]
) -> list[float]:
    """For each order, from its submission to the acceptance of the customer's recap."""
    accepted = {mail.message_id: datetime.fromisoformat(mail.time) for mail in reversed(mails)}
    connection = await asyncpg.connect(system.databases["notifier"])
    try:
        rows = await connection.fetch("SELECT order_id, message_id FROM mail WHERE template = 'order_recap'")
    finally:
        await connection.close()
    return [
        (accepted[row["message_id"]] - submitted_at[row["order_id"]]).total_seconds() * 1000
        for row in rows
        if row["message_id"] in accepted and row["order_id"] in submitted_at
    ]


async def _returned(system: System) -> tuple[Counter[str], int]:
    """How many mails came back or were held, and how many addresses are suppressed."""
    connection = await asyncpg.connect(system.databases["notifier"])
    try:
        rows = await connection.fetch("SELECT state, count(*)::int AS mails FROM mail_end GROUP BY state")
        suppressed = await connection.fetchval("SELECT count(*) FROM suppression WHERE lifted_at IS NULL")
    finally:
        await connection.close()
    return Counter({row["state"]: row["mails"] for row in rows}), suppressed


def lost_orders(figures: Figures) -> list[str]:
    """Nothing disappears: what was asked for is placed or refused."""
    refused = figures.refused.total()
    if figures.submitted == figures.placed + refused:
        return []
    return [f"{figures.submitted} orders asked for, but {figures.placed} placed and {refused} refused"]


def expected_mails(script: Script) -> int:
    """Return how many mails the stories ask for: about orders, with invoices and credit notes, and of conversations.

    Of a customer whose address does not exist, only the merchant's mail is accepted.
    """
    known = [sale for sale in script.placed if not is_unknown(sale)]
    mails = sum(expected_end(sale).mails for sale in known) + mails_with_documents(known)
    return mails + mails_of_conversations(script.placed) + len(script.placed) - len(known)


async def all_mailed(system: System, script: Script) -> None:
    """Wait until all mails are accepted, or for a minute: one with a document waits for its PDF."""
    expected, deadline = expected_mails(script), asyncio.get_running_loop().time() + MAIL_SECONDS
    journal, accepted = JournalReader(system.mail_journal), 0
    while (accepted := accepted + len(list(journal))) < expected:
        if asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(POLL_SECONDS)


def wrong_mails(figures: Figures, script: Script) -> list[str]:
    """As many mails went out as the stories ask for."""
    expected = expected_mails(script)
    unknown = sum(is_unknown(sale) for sale in script.placed)
    wrongs = []
    if figures.mails_accepted != expected:
        wrongs.append(f"{expected} mails should have gone out, {figures.mails_accepted} were accepted")
    if figures.suppressed_addresses != unknown:
        found = figures.suppressed_addresses
        wrongs.append(f"{unknown} addresses should be suppressed, {found} are")
    return wrongs
