"""Disputes: their money stands beside the balance, and what staff decide when one is lost."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.accounts import BalanceChanged, ReassignPayment
from contracts.payments.disputes import (
    DisputeClosed,
    DisputeOpened,
    DisputeResolution,
    DisputeState,
    DisputeUpdated,
    ResolveDispute,
)
from contracts.service import CommandDone, CommandRejected
from services.payments.accounts.disputes import Disputes
from services.payments.accounts.facts import RefundFacts
from services.payments.disputes.watching import warn_of_deadline, watch_disputes
from services.payments.providers.stripe.reading import read
from tests.payments.builders import (
    STARTED,
    as_body,
    dispute,
    event,
    of_kind,
    placed,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks

WITHDRAWN = {"id": "txn_out", "amount": -5000, "currency": "eur", "fee": 2000, "created": STARTED + 210}
AGAIN = {"id": "txn_again", "amount": -5000, "currency": "eur", "fee": 0, "created": STARTED + 310}
REINSTATED = {"id": "txn_back", "amount": 5000, "currency": "eur", "fee": -2000, "created": STARTED + 300}


def dispute_event(
    status: str, at: int, *moved: dict[str, Any], type_: str = "updated", **fields: Any
) -> dict[str, Any]:
    """An event about dispute du_1 of intent pi_disputed, with the money moved by then."""
    resource = dispute("du_1", "pi_disputed", status, balance_transactions=list(moved), **fields)
    return event(f"charge.dispute.{type_}", resource, at)


def read_facts(expected: dict[str, Any]) -> RefundFacts:
    """The facts that an event brings."""
    facts = read(as_body(expected), is_live=False, account=None)
    assert isinstance(facts, RefundFacts)
    return facts


def due(days: int) -> dict[str, Any]:
    return {"evidence_details": {"due_by": STARTED + 86400 * days}}


async def paid(cashdesk: CashDesk) -> Any:
    """An order of 50.00 paid by card."""
    order = placed(reference="pi_disputed")
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded("pi_disputed"))
    return order


async def position(cashdesk: CashDesk, order: Any) -> tuple[int, int, int, list[str]]:
    """What is received, disputed and owed, with the flags."""
    account = await cashdesk.account(order)
    return (
        account["received_minor"],
        account["disputed_minor"],
        account["balance_minor"],
        sorted(account["flags"]),
    )


def resolve(order: Any, resolution: DisputeResolution, **changes: Any) -> ResolveDispute:
    values = {
        "shop": order.shop,
        "order_id": order.order_id,
        "provider": "stripe",
        "provider_reference": "du_1",
        "resolution": resolution,
        "actor": "marie",
    }
    return ResolveDispute(**{**values, **changes})


async def test_a_dispute_from_its_opening_to_the_money_given_back(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    out = await cashdesk.pay(dispute_event("needs_response", 210, WITHDRAWN, type_="created", **due(9)))
    [opened] = of_kind(out, DisputeOpened)
    assert opened.dispute.state is DisputeState.NEEDS_RESPONSE
    assert (opened.dispute.withdrawn_minor, opened.dispute.reinstated_minor) == (5000, 0)
    assert [(fee.amount_minor, fee.currency) for fee in opened.dispute.fees] == [(2000, "EUR")]
    assert opened.dispute.due_at is not None
    [changed] = of_kind(out, BalanceChanged)
    assert changed.position.disputed_minor == 5000
    assert await position(cashdesk, order) == (5000, 5000, 0, ["disputed"])
    [updated] = of_kind(await cashdesk.pay(dispute_event("under_review", 250, WITHDRAWN)), DisputeUpdated)
    assert updated.dispute.due_at is None
    [closed] = of_kind(
        await cashdesk.pay(dispute_event("won", 300, WITHDRAWN, REINSTATED, type_="closed")), DisputeClosed
    )
    assert closed.dispute.reinstated_minor == 5000
    assert await position(cashdesk, order) == (5000, 0, 0, [])
    assert (await cashdesk.entries(order))[2:] == [("disputed", 5000), ("fee", 2000), ("dispute_won", 5000)]


def to_other_order(order: Any) -> ReassignPayment:
    names = {"provider": "stripe", "provider_reference": "pi_disputed"}
    return ReassignPayment(shop=order.shop, order_id=order.order_id, actor="marie", **names)


@pytest.mark.parametrize(
    ("status", "moves"),
    [("warning_needs_response", False), ("needs_response", False), ("lost", False), ("won", True)],
)
async def test_a_payment_moves_only_when_its_dispute_is_decided(
    cashdesk: CashDesk, status: str, moves: bool
) -> None:
    """All facts of a dispute, its money and the decision on it stay in the account in which they began."""
    order, other = await paid(cashdesk), placed()
    await cashdesk.desk.deliver(other)
    await cashdesk.pay(dispute_event(status, 210, type_="created", **due(9)))
    moved = await cashdesk.desk.deliver(to_other_order(other))
    reasons = [reason.code for one in moved.messages_of(CommandRejected) for reason in one.reasons]
    assert reasons == ([] if moves else ["payment_disputed"])
    assert (await cashdesk.account(other))["received_minor"] == (5000 if moves else 0)
    if status == "lost":
        await cashdesk.desk.deliver(resolve(order, DisputeResolution.WRITTEN_OFF))
        again = await cashdesk.desk.deliver(to_other_order(other))
        assert again.messages_of(CommandRejected) == []


async def test_later_facts_of_a_dispute_join_those_known_although_its_payment_moved(
    cashdesk: CashDesk,
) -> None:
    order, other = await paid(cashdesk), placed()
    await cashdesk.desk.deliver(other)
    await cashdesk.pay(dispute_event("won", 210, WITHDRAWN, REINSTATED, type_="closed"))
    await cashdesk.desk.deliver(to_other_order(other))
    await cashdesk.pay(dispute_event("lost", 310, WITHDRAWN, REINSTATED, AGAIN, type_="updated"))
    rows = await cashdesk.desk.fetch("SELECT DISTINCT order_id FROM dispute_report")
    rows += await cashdesk.desk.fetch("SELECT DISTINCT order_id FROM dispute_movement")
    assert [row["order_id"] for row in rows] == [order.order_id, order.order_id]
    assert (await cashdesk.account(order))["disputed_minor"] == 5000
    assert (await cashdesk.account(other))["disputed_minor"] == 0
    await cashdesk.check_ledger()


async def test_a_new_dispute_of_a_moved_payment_belongs_to_the_order_that_has_it(cashdesk: CashDesk) -> None:
    order, other = await paid(cashdesk), placed()
    await cashdesk.desk.deliver(other)
    await cashdesk.desk.deliver(to_other_order(other))
    await cashdesk.pay(dispute_event("needs_response", 210, WITHDRAWN, type_="created", **due(9)))
    assert (await cashdesk.account(order))["disputed_minor"] == 0
    assert await position(cashdesk, other) == (5000, 5000, 0, ["disputed"])


@pytest.mark.parametrize(
    ("resolution", "after"),
    [
        (DisputeResolution.WRITTEN_OFF, (5000, 0, 0, [])),
        (DisputeResolution.MADE_DUE, (0, 0, 5000, [])),
    ],
)
async def test_a_lost_dispute_is_written_off_or_made_due(
    cashdesk: CashDesk, resolution: DisputeResolution, after: Any
) -> None:
    order = await paid(cashdesk)
    await cashdesk.pay(dispute_event("lost", 210, WITHDRAWN, type_="created"))
    assert await position(cashdesk, order) == (5000, 5000, 0, ["dispute_lost", "disputed"])
    outcome = await cashdesk.desk.deliver(resolve(order, resolution, note="accord du 3 mai"))
    [closed] = outcome.messages_of(DisputeClosed)
    assert closed.dispute.resolution is resolution
    assert closed.dispute.resolved_by == "marie"
    assert [e.causation_id for e, m in outcome.emitted if m is closed] == [outcome.envelope.id]
    assert await position(cashdesk, order) == after
    again = await cashdesk.desk.deliver(resolve(order, resolution))
    assert again.messages_of(CommandDone)
    other = next(one for one in DisputeResolution if one is not resolution)
    [refused] = (await cashdesk.desk.deliver(resolve(order, other))).messages_of(CommandRejected)
    assert [reason.code for reason in refused.reasons] == ["dispute_resolved"]
    assert await position(cashdesk, order) == after


async def test_money_given_back_after_the_decision_corrects_it(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    await cashdesk.pay(dispute_event("lost", 210, WITHDRAWN, type_="created"))
    await cashdesk.desk.deliver(resolve(order, DisputeResolution.MADE_DUE))
    await cashdesk.pay(dispute_event("won", 300, WITHDRAWN, REINSTATED, type_="closed"))
    assert await position(cashdesk, order) == (5000, 0, 0, [])


async def test_an_open_dispute_leaves_nothing_to_decide(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    await cashdesk.pay(dispute_event("needs_response", 210, WITHDRAWN))
    codes = []
    for command in (
        resolve(order, DisputeResolution.WRITTEN_OFF),
        resolve(order, DisputeResolution.WRITTEN_OFF, provider_reference="du_other"),
    ):
        [refused] = (await cashdesk.desk.deliver(command)).messages_of(CommandRejected)
        codes += [reason.code for reason in refused.reasons]
    assert codes == ["dispute_not_lost", "dispute_unknown"]


async def test_a_sepa_return_is_lost_when_it_is_first_seen(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    out = await cashdesk.pay(
        dispute_event("lost", 210, WITHDRAWN, type_="created", reason="insufficient_funds")
    )
    assert len(of_kind(out, DisputeOpened)) == len(of_kind(out, DisputeClosed)) == 1
    assert (await cashdesk.account(order))["disputed_minor"] == 5000


async def test_an_order_is_flagged_before_the_deadline_passes(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    await cashdesk.pay(dispute_event("needs_response", 210, WITHDRAWN, **due(9)))
    [timer] = await cashdesk.desk.fetch("SELECT * FROM msg.timer WHERE kind = 'dispute_due'")
    assert timer["due_at"].timestamp() == STARTED + 86400 * 6
    payload = {"shop": order.shop, "order_id": str(order.order_id), "provider": "stripe", "object_id": "du_1"}
    for _ in range(2):
        async with cashdesk.hub.unit() as unit:
            await warn_of_deadline(unit, timer["key"], payload)
    assert (await position(cashdesk, order))[3] == ["dispute_due", "disputed"]
    later = dispute_event("needs_response", 230, WITHDRAWN, **due(20))
    assert [one.dispute.is_due_soon for one in of_kind(await cashdesk.pay(later), DisputeUpdated)] == [False]
    assert (await position(cashdesk, order))[3] == ["disputed"]
    await cashdesk.pay(dispute_event("under_review", 250, WITHDRAWN))
    assert await cashdesk.desk.fetch("SELECT * FROM msg.timer WHERE kind = 'dispute_due'") == []


async def test_money_that_settles_in_another_currency_moves_the_whole_amount(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    settled = {**WITHDRAWN, "amount": -5613, "currency": "usd"}
    await cashdesk.pay(dispute_event("needs_response", 210, settled))
    assert await position(cashdesk, order) == (5000, 5000, 0, ["disputed"])
    assert (await cashdesk.entries(order))[2:] == [("disputed", 5000)]


STORY = [
    dispute_event("warning_needs_response", 200, **due(7)),
    dispute_event("warning_closed", 205),
    dispute_event("needs_response", 210, WITHDRAWN, type_="funds_withdrawn", **due(9)),
    dispute_event("under_review", 250, WITHDRAWN),
    dispute_event("lost", 300, WITHDRAWN, type_="closed"),
    dispute_event("lost", 310, WITHDRAWN, {**WITHDRAWN, "id": "txn_small", "amount": -150, "fee": 0}),
]


@pytest.mark.timeout(120)
async def test_any_sequence_of_reports_ends_in_the_same_rows(cashdesks: CashDesks) -> None:
    order = placed(reference="pi_disputed", order_id=None)
    expected = None
    for seed in range(8):
        cashdesk, chance = await cashdesks(), random.Random(seed)
        await cashdesk.desk.deliver(order)
        events = [succeeded("pi_disputed"), *STORY]
        events[0]["id"] = "evt_paid"
        for one in chance.sample(events * 2, len(events) * 2) if seed else events:
            await cashdesk.post(one)
            if chance.random() < 0.5:
                await cashdesk.apply()
        await cashdesk.apply()
        rows = await cashdesk.tables()
        found = {name: rows[name] for name in ("account", "ledger_entry", "dispute", "dispute_report")}
        expected = expected or found
        assert found == expected, f"seed {seed}"
    assert await position(cashdesk, order) == (5000, 5150, 0, ["dispute_lost", "disputed"])


@given(st.permutations(range(len(STORY))), st.lists(st.integers(0, len(STORY) - 1), max_size=6))
def test_the_state_of_a_dispute_is_a_function_of_the_set_of_its_reports(
    order: list[int], again: list[int]
) -> None:
    facts = [read_facts(STORY[index]) for index in [*order, *again]]
    disputes = Disputes()
    for fact in facts:
        for report in fact.reports:
            disputes.report(report)
        for movement in fact.movements:
            disputes.move(movement)
    [one] = disputes.all()
    assert (one.state, one.held_minor, one.opened_at.timestamp() - STARTED) == (DisputeState.LOST, 5150, 200)
    assert disputes.facts == len(STORY) + 2


async def test_a_dispute_of_an_earlier_version_is_published_once(cashdesk: CashDesk) -> None:
    order = await paid(cashdesk)
    await cashdesk.hub.pool.execute(
        """INSERT INTO remark (shop, order_id, topic, provider, object_id, payment, state, amount_minor, occurred_at)
           SELECT shop, order_id, 'dispute', 'stripe', 'du_1', 'pi_disputed', 'needs_response', 5000, now()
           FROM account"""
    )
    await cashdesk.hub.pool.execute("UPDATE account SET remarks = 1, version = version + 1")
    cashdesk.desk._units.clear()
    await watch_disputes(cashdesk.hub)
    await watch_disputes(cashdesk.hub)
    assert len(of_kind(cashdesk.desk.emitted(), DisputeOpened)) == 1
    assert (await position(cashdesk, order))[3] == ["disputed"]
