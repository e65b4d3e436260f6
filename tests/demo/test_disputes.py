"""Disputes and lost webhooks of a run: which sales have them, what Stripe would report, and what is told if wrong."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from random import Random

from deploy.demo.expecting import expected_end
from deploy.demo.money.disputes import ENDS, INQUIRY, WON, WRITTEN_OFF, cases, wrong_disputes
from deploy.demo.money.reconciliation import lost_payments, wrong_reconciliation
from deploy.demo.sales.orders import demo_sales
from deploy.demo.sales.sale import OnlineStory
from deploy.demo.sales.stories import with_lost_webhook, with_refunds
from deploy.demo.standins import stripe_disputes
from deploy.demo.standins.delivering import Journal
from deploy.demo.standins.provider import LOST_SECONDS, Provider
from services.payments.reconciliation.events import IN_FLIGHT

SALES = [sale for sale in with_lost_webhook(with_refunds(demo_sales())) if sale.is_placed]


def test_one_payment_is_lost_and_its_order_still_ends_as_paid() -> None:
    [sale] = lost_payments(SALES)
    assert sale.provider == "stripe"
    assert expected_end(sale).payment == "paid"
    assert IN_FLIGHT.total_seconds() < LOST_SECONDS < 3600
    assert wrong_reconciliation(1, SALES) == []
    assert wrong_reconciliation(0, SALES) == ["1 webhooks were lost, reconciliation found 0"]


async def test_a_lost_payment_is_listed_and_not_posted(tmp_path: Path) -> None:
    [sale] = lost_payments(SALES)
    listed: list[bytes] = []
    journal = Journal(tmp_path / "webhooks.jsonl")
    stripe = Provider("http://127.0.0.1:9/hook", "whsec_x", journal, Random(1), happened=listed.append)
    stripe.lose_payment(sale)
    async with asyncio.timeout(30):
        await stripe.courier.settled()
    await stripe.close()
    assert [event.reference for event in stripe.courier.lost] == [sale.provider_reference]
    assert [json.loads(body)["data"]["object"]["id"] for body in listed] == [sale.provider_reference]
    assert journal.posts == []


def test_payments_by_card_and_by_paypal_that_are_not_refunded_are_disputed() -> None:
    found = cases(SALES)
    assert [(one.sale.provider, one.end) for one in found] == [
        ("stripe", WON),
        ("stripe", WRITTEN_OFF),
        ("paypal", WON),
        ("paypal", INQUIRY),
    ]
    stories = {(one.sale.story.online, one.sale.story.refund) for one in found}
    assert stories == {(OnlineStory.ONCE, None)}
    assert cases([found[0].sale]) == []
    assert wrong_disputes(Counter(end for ends in ENDS.values() for end in ends), SALES) == []
    assert len(wrong_disputes(Counter(won=2), SALES)) == 1


def test_a_won_dispute_gives_back_what_it_took_and_a_lost_one_nothing() -> None:
    opened = stripe_disputes.opened(cases(SALES)[0].sale)
    for is_won, left in ((True, 0), (False, -opened["amount"] - stripe_disputes.FEE_MINOR)):
        closed = stripe_disputes.closed(opened, is_won=is_won)
        assert closed["id"] == opened["id"]
        assert sum(moved["net"] for moved in closed["balance_transactions"]) == left
