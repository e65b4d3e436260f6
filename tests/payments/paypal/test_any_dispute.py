"""A PayPal dispute's facts in any sequence, each several times: one state, one deadline, its money counted once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.disputes import DisputeState
from contracts.sale import PaymentMethod
from services.payments.accounts.account import Account
from services.payments.accounts.disputes import Dispute
from services.payments.accounts.facts import Facts, RefundFacts
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.providers.paypal.disputing import read_dispute
from services.payments.providers.paypal.objects import ShapeUnexpected
from services.payments.providers.paypal.payments import read_capture
from services.payments.providers.paypal.reading_refunds import read_refund
from services.payments.providers.port import ObjectNamed
from services.payments.webhooks.settling import settle, settle_refunds
from tests.payments.paypal.test_any_sequence import _Unit

BEGUN = datetime(2026, 11, 22, 9, tzinfo=UTC)
DUE = BEGUN + timedelta(days=10)
NAMED = ObjectNamed("any", "ANY", "ANY")
STAGES = (
    (DisputeState.INQUIRY, {"status": "OPEN", "dispute_life_cycle_stage": "INQUIRY"}),
    (DisputeState.NEEDS_RESPONSE, {"status": "WAITING_FOR_SELLER_RESPONSE"}),
    (DisputeState.UNDER_REVIEW, {"status": "UNDER_REVIEW"}),
    (DisputeState.UNDER_REVIEW, {"status": "WAITING_FOR_BUYER_RESPONSE"}),
    (DisputeState.NEEDS_RESPONSE, {"status": "WAITING_FOR_SELLER_RESPONSE"}),
)
ENDS = {
    "RESOLVED_SELLER_FAVOUR": DisputeState.WON,
    "CANCELED_BY_BUYER": DisputeState.WON,
    "RESOLVED_BUYER_FAVOUR": DisputeState.LOST,
    "ACCEPTED": DisputeState.LOST,
    "RESOLVED_WITH_PAYOUT": DisputeState.LOST,
}


def at(step: int) -> str:
    return (BEGUN + timedelta(hours=step)).isoformat()


def case(step: int, **more: Any) -> dict[str, Any]:
    """The dispute as PayPal shows it after so many steps; its movements of money are there, and are not ours."""
    return {
        "dispute_id": "PP-R-1",
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_amount": {"value": "30.00", "currency_code": "EUR"},
        "disputed_transactions": [{"seller_transaction_id": "CAPTURE1"}],
        "money_movements": [{"amount": {"value": "30.00", "currency_code": "EUR"}, "type": "DEBIT"}],
        "seller_response_due_date": (DUE + timedelta(hours=step)).isoformat(),
        "create_time": at(0),
        "update_time": at(step),
        **more,
    }


def all_facts(outcome: str | None) -> list[Facts | RefundFacts]:
    """The capture, each stage, and if the dispute has ended its end, with the reversal of a lost one."""
    amount = {"value": "30.00", "currency_code": "EUR"}
    capture = {
        "id": "CAPTURE1",
        "status": "COMPLETED",
        "amount": {"value": "50.00", "currency_code": "EUR"},
        "create_time": at(0),
    }
    found: list[Any] = [read_capture(capture, NAMED)]
    found += [read_dispute(case(step, **stage), NAMED) for step, (_, stage) in enumerate(STAGES)]
    if outcome is not None:
        end = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}}
        found.append(read_dispute(case(len(STAGES), **end), NAMED))
        if ENDS[outcome] is DisputeState.LOST:
            link = {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/CAPTURE1"}
            reversal = {"id": "REVERSAL1", "status": "COMPLETED", "amount": amount, "links": [link]}
            found.append(read_refund({**reversal, "create_time": at(9)}, NAMED))
    return found


def after(facts: Sequence[Facts | RefundFacts]) -> tuple[Account, Dispute]:
    account = Account(
        "atelier",
        UUID(int=1),
        "K7F3-QD9M",
        "EUR",
        PaymentMethod.PAYPAL,
        BEGUN - timedelta(days=1),
        is_new=True,
    )
    work = AccountUnit(_Unit())  # type: ignore[arg-type]
    for one in facts:
        if isinstance(one, RefundFacts):
            settle_refunds(account, one, uuid4())
        else:
            settle(work, account, one, uuid4())
    dispute = account.disputes.find(("paypal", "PP-R-1"))
    assert dispute is not None
    return account, dispute


def money_of(account: Account) -> list[tuple[str, str, int]]:
    """The ledger's entries; asking for the position posts those that the facts still require."""
    assert account.position.received_minor == 5000
    return sorted((entry.kind, entry.object_id, entry.amount_minor) for entry in account.entries)


@given(outcome=st.sampled_from(sorted(ENDS)), data=st.data())
def test_any_sequence_of_a_disputes_facts_gives_its_end_and_counts_its_money_once(
    outcome: str, data: st.DataObject
) -> None:
    facts = all_facts(outcome)
    again = data.draw(st.lists(st.sampled_from(facts), max_size=6))
    account, dispute = after(data.draw(st.permutations([*facts, *again])))
    assert (dispute.state, dispute.due_at, dispute.amount_minor) == (ENDS[outcome], None, 3000)
    is_lost = ENDS[outcome] is DisputeState.LOST
    assert account.position.refunded_minor == (3000 if is_lost else 0)
    assert account.position.disputed_minor == 0
    assert money_of(account) == money_of(after(facts)[0])


@given(st.data())
def test_while_a_dispute_is_open_its_latest_stage_counts_with_its_deadline(data: st.DataObject) -> None:
    capture, *stages = all_facts(None)
    chosen = data.draw(st.sets(st.integers(0, len(STAGES) - 1), min_size=1))
    sequence = data.draw(st.permutations([*chosen, *chosen]))
    account, dispute = after([capture, *(stages[step] for step in sequence)])
    last = max(chosen)
    is_awaiting = STAGES[last][0] in (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE)
    assert dispute.state is STAGES[last][0]
    assert dispute.due_at == (DUE + timedelta(hours=last) if is_awaiting else None)
    assert account.position.refunded_minor == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"status": None}, "status"),
        ({"disputed_transactions": []}, "disputed_transactions"),
        ({"dispute_id": "a b"}, "dispute_id"),
        ({"status": "OPEN", "seller_response_due_date": "soon"}, "seller_response_due_date"),
    ],
)
def test_a_dispute_of_another_shape_names_the_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ShapeUnexpected, match=named):
        read_dispute(case(0, **{"status": "OPEN", **change}), NAMED)
