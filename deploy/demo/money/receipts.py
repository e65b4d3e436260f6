"""Money that came in and went back over a run: what the shop's list of payments shows, beside what the stories say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.demo.merchantdesk import MerchantDesk
from deploy.demo.sales.sale import OnlineStory, Sale

KINDS = {"refund_paid": "sent by the provider", "refund_marked": "recorded by hand"}
"""Kinds of ledger entry that give money back, in words."""


@dataclass(frozen=True)
class Receipts:
    """How many payments came in by method, and how many refunds went back by mode."""

    received: Counter[str]
    refunded: Counter[str]


async def read_receipts(desk: MerchantDesk) -> Receipts:
    """Count the entries of the shop's list of payments."""
    entries = await desk.entries("payment_received", *KINDS)
    return Receipts(
        Counter(_method(entry) for entry in entries if entry["kind"] == "payment_received"),
        Counter(KINDS[entry["kind"]] for entry in entries if entry["kind"] in KINDS),
    )


def _method(entry: Mapping[str, Any]) -> str:
    return str(entry["method"])


def expected_receipts(sales: Sequence[Sale]) -> Receipts:
    """What the stories of placed sales bring in and give back; a payment reported twice is one."""
    received = Counter(receipt.method.value for sale in sales for receipt in sale.story.receipts)
    refunded: Counter[str] = Counter()
    for sale in sales:
        if sale.story.online is not OnlineStory.NEVER and sale.submission.payment is not None:
            received[sale.submission.payment.method.value] += 1
        if sale.story.refund is not None:
            refunded[_MODES[sale.story.refund.mode]] += 1
    return Receipts(received, refunded)


_MODES = {"sent": KINDS["refund_paid"], "recorded": KINDS["refund_marked"]}


def wrong_receipts(found: Receipts, sales: Sequence[Sale]) -> list[str]:
    """As many payments and refunds of each kind as the stories say."""
    expected = expected_receipts(sales)
    wrongs = []
    if found.received != expected.received:
        wrongs.append(f"payments should be {_words(expected.received)}, are {_words(found.received)}")
    if found.refunded != expected.refunded:
        wrongs.append(f"refunds should be {_words(expected.refunded)}, are {_words(found.refunded)}")
    return wrongs


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
